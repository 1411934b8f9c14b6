"""The one runner of all docks: a job in a worker thread, its messages pulled by a timer, its errors as one sentence.

Nothing of Qt is touched off the GUI thread but the emission of the worker's signals, which Qt queues. Progress is pulled
at most ten times a second and the latest wins, so a fast job cannot flood the GUI and a slow GUI cannot hold up a job.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from napari.qt.threading import create_worker
from napari.utils import progress as activity
from qtpy.QtCore import QObject, QTimer, Signal
from superqt.utils import FunctionWorker

from napari_vaegan.widgets.control import Cancelled, Control
from napari_vaegan.widgets.exemption import older_objects_exempt
from napari_vaegan.widgets.failure import Failure
from napari_vaegan.widgets.mailbox import Mailbox

logger = logging.getLogger(__name__)

PULL_MILLISECONDS = 100

_BAR_TICKS = 1000


class Job:
    """What a worker thread does.

    Parameters
    ----------
    title
        Names it for the user, such as "Denoising nuclei".
    work
        Does it.
    control
        Is handed to ``work``.
    computes
        Whether torch works in it, which must leave the GUI a core. If not, torch is not even imported.
    """

    def __init__(self, title: str, work: Callable[[Control], Any], control: Control, computes: bool = True) -> None:
        self.title = title
        self.work = work
        self.control = control
        self.computes = computes

    def __call__(self) -> Any:
        """Do it, with one core left for the GUI."""
        if not self.computes:
            return self.work(self.control)
        import torch

        torch.set_num_threads(max(1, min(torch.get_num_threads(), (os.cpu_count() or 2) - 1)))
        with older_objects_exempt():
            return self.work(self.control)

    def __str__(self) -> str:
        return self.title


class Worker(FunctionWorker[Any]):
    """Runs a job.

    ``run`` differs from superqt's in that every error is returned, a RuntimeError included (what napari connects to
    ``errored`` fails on PySide6), and in that warnings are left alone: superqt captures them for the whole process, for
    as long as the job runs.
    """

    def quit(self) -> None:
        """Ask the job to leave at once; napari calls this, and then waits, when it closes."""
        super().quit()
        job: Any = self._func
        job.control.leave()

    def run(self) -> None:
        """Do the job and emit its control with what came of it, be it an error."""
        job: Any = self._func
        self._running = True
        self.started.emit()
        try:
            outcome = self.work()
        except Exception as error:
            outcome = error
        self.returned.emit((job.control, outcome))
        self._running = False
        self.finished.emit()
        self._finished.emit(self)


class Runner(QObject):
    """Runs one job at a time for a dock.

    Parameters
    ----------
    parent
        The dock.
    shown
        Whether jobs are shown in napari's activity dock; not worth it for those of a blink.
    computes
        Whether torch works in the jobs; those that only look at files need not wait for its import.
    """

    changed = Signal()
    """A job began or ended, or was asked to stop or pause."""
    progressed = Signal(float)
    """The latest share that is done, 0 to 1."""
    told = Signal(object)
    """Whatever else a job tells, in order."""
    returned = Signal(object)
    """What a job came to; also of one that was stopped and returned what it had."""
    failed = Signal(Failure)
    stopped = Signal()
    """A job was left before it came to anything."""

    def __init__(self, parent: QObject, shown: bool = True, computes: bool = True) -> None:
        super().__init__(parent)
        self._shown = shown
        self._computes = computes
        self._worker: Worker | None = None
        self._control: Control | None = None
        self._mailbox = Mailbox()
        self._activity: Any = None
        self._title = ""
        self._timer = QTimer(self)
        self._timer.setInterval(PULL_MILLISECONDS)
        self._timer.timeout.connect(self._pull)

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._worker is not None

    @property
    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return self._control is not None and self._control.stopping()

    @property
    def paused(self) -> bool:
        """Whether the job was asked to wait."""
        return self._control is not None and self._control.pausing()

    def start(self, title: str, work: Callable[[Control], Any], latest_wins: tuple[type, ...] = ()) -> None:
        """Begin a job; does nothing while another one is under way.

        Parameters
        ----------
        title
            Names it in napari's activity dock and in messages, such as "Denoising nuclei".
        work
            Called in a worker thread with a ``Control``; it must honour a stop within a second.
        latest_wins
            Types of messages of which only the newest counts.
        """
        if self.busy:
            return
        self._title = title
        self._mailbox = Mailbox(float, *latest_wins)
        self._control = Control(self._mailbox.put)
        self._activity = activity(total=_BAR_TICKS, desc=title) if self._shown else None
        self._worker = create_worker(
            Job(title, work, self._control, self._computes),
            _worker_class=Worker,
            _ignore_errors=True,
            _start_thread=False,
        )
        self._worker.returned.connect(self._on_returned)
        self._worker.start()
        self._timer.start()
        self.changed.emit()

    def stop(self) -> None:
        """Ask the job to stop and to return what it has."""
        if self._control is not None and not self._control.stopping():
            self._control.stop()
            self.changed.emit()

    def pause(self, paused: bool) -> None:
        """Ask the job to wait, or to go on."""
        if self._control is not None:
            self._control.pause(paused)
            self.changed.emit()

    def leave(self) -> None:
        """Ask the job to end and drop what it comes to: the dock is closing."""
        if self._worker is not None:
            self._worker.quit()
            self._end()

    def _pull(self) -> None:
        for message in self._mailbox.take():
            if isinstance(message, float):
                if self._activity is not None:
                    self._activity.update(round(message * _BAR_TICKS) - self._activity.n)
                self.progressed.emit(message)
            else:
                self.told.emit(message)

    def _on_returned(self, finished: tuple[Control, Any]) -> None:
        control, outcome = finished
        if control is not self._control:  # of a job that was left, perhaps after another one began
            return
        title = self._title
        self._end()
        if isinstance(outcome, Cancelled):
            self.stopped.emit()
        elif isinstance(outcome, Exception):
            failure = Failure.of(outcome, title)
            logger.error("%s\n%s", failure.sentence, failure.details)
            self.failed.emit(failure)
        else:
            self.returned.emit(outcome)

    def _end(self) -> None:
        """Forget the job, after its last messages; those of one that was left go unheard."""
        self._timer.stop()
        if self._control is not None and not self._control.leaving():
            self._pull()
        if self._activity is not None:
            self._activity.close()
        self._worker = self._control = self._activity = None
        self.changed.emit()
