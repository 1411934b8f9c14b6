from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication

from napari_vaegan.errors import DataError
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.exemption import older_objects_exempt
from napari_vaegan.widgets.mailbox import Mailbox
from napari_vaegan.widgets.runner import Runner


@pytest.fixture
def runner(qapp: QApplication) -> Runner:
    parent = QObject()
    runner = Runner(parent, shown=False)
    runner.owner = parent  # type: ignore[attr-defined]
    return runner


def test_a_job_runs_in_another_thread_and_is_heard_in_this_one(runner: Runner, qtbot: Any) -> None:
    heard: list[int] = []
    runner.returned.connect(lambda result: heard.extend([result, threading.get_ident()]))
    with qtbot.waitSignal(runner.returned, timeout=10_000):
        runner.start("Working", lambda control: threading.get_ident())
    assert heard[0] != heard[1] == threading.get_ident()


def test_the_last_progress_and_every_message_arrive_before_the_result(runner: Runner, qtbot: Any) -> None:
    heard: list[Any] = []
    for signal in (runner.progressed, runner.told, runner.returned):
        signal.connect(heard.append)

    def work(control: Control) -> str:
        for number in range(1000):
            control.progress(number / 1000)
        control.tell("first")
        control.tell("second")
        control.progress(1.0)
        return "done"

    with qtbot.waitSignal(runner.returned, timeout=10_000):
        runner.start("Working", work)
    assert heard[-4:] == ["first", "second", 1.0, "done"]
    assert len(heard) < 100


@pytest.mark.parametrize("error", [RuntimeError("from torch"), MemoryError(), KeyError("missing"), DataError("A sentence.")])
def test_errors_of_every_kind_are_told(runner: Runner, qtbot: Any, error: Exception) -> None:
    def work(control: Control) -> None:
        raise error

    with qtbot.waitSignal(runner.failed, timeout=10_000) as failed:
        runner.start("Counting cells", work)
    (failure,) = failed.args
    assert failure.sentence
    assert type(error).__name__ in failure.details
    assert not runner.busy


def test_an_error_of_the_user_is_told_in_its_own_words(runner: Runner, qtbot: Any) -> None:
    def work(control: Control) -> None:
        raise DataError("The folder is empty: put images into it.")

    with qtbot.waitSignal(runner.failed, timeout=10_000) as failed:
        runner.start("Training", work)
    assert failed.args[0].sentence == "The folder is empty: put images into it."


def test_a_stopped_job_that_returns_something_is_heard(runner: Runner, qtbot: Any) -> None:
    def work(control: Control) -> str:
        while not control.stopping():
            pass
        return "so far"

    runner.start("Working", work)
    with qtbot.waitSignal(runner.returned, timeout=10_000) as returned:
        runner.stop()
        assert runner.stopping
    assert returned.args == ["so far"]


def test_a_job_that_was_left_is_not_taken_for_the_next_one(runner: Runner, qtbot: Any) -> None:
    heard: list[Any] = []
    runner.returned.connect(heard.append)
    runner.stopped.connect(lambda: heard.append("stopped"))
    release = threading.Event()

    def slow(control: Control) -> str:
        release.wait(10)
        control.progress(0.5)
        return "old"

    runner.start("Old", slow)
    runner.leave()
    assert not runner.busy
    with qtbot.waitSignal(runner.returned, timeout=10_000):
        runner.start("New", lambda control: release.set() or "new")
    qtbot.wait(200)
    assert heard == ["new"]


def test_warnings_in_a_job_do_not_change_how_the_process_treats_them(runner: Runner, qtbot: Any) -> None:
    import warnings

    before = warnings.showwarning

    with qtbot.waitSignal(runner.returned, timeout=10_000) as returned:
        runner.start("Working", lambda control: warnings.showwarning is before)
    assert returned.args == [True]


def test_only_the_newest_of_what_may_be_dropped_is_kept_and_all_of_the_rest() -> None:
    mailbox = Mailbox(float)
    for value in ("a", 0.1, "b", 0.2, "a"):
        mailbox.put(value)
    assert mailbox.take() == ["a", "b", 0.2, "a"]
    assert mailbox.take() == []


def test_objects_from_before_a_job_are_exempt_from_collection_until_it_ends(runner: Runner, qtbot: Any) -> None:
    class Node:
        pass

    gc.collect()
    assert gc.get_freeze_count() == 0
    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    alive = weakref.ref(node)
    del node

    def work(control: Control) -> bool:
        gc.collect()
        return alive() is not None

    with qtbot.waitSignal(runner.returned, timeout=10_000) as returned:
        runner.start("Working", work)
    assert returned.args == [True]
    assert gc.get_freeze_count() == 0
    gc.collect()
    assert alive() is None


def test_the_collector_is_itself_again_once_the_last_of_several_jobs_has_ended() -> None:
    with older_objects_exempt():
        with older_objects_exempt():
            pass
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
