"""How far it is, and stopping at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch

import napari_vaegan as nv
from napari_vaegan.restoration import progress

Run = Callable[..., Any]

IMAGE = skimage.data.cell()[250:298, 150:190]
MASK = np.zeros(IMAGE.shape, bool)
MASK[10:20, 10:20] = True

RUNS: dict[str, Run] = {
    "denoise": lambda model, listen: model.denoise(IMAGE, samples=2, on_progress=listen),
    "inpaint": lambda model, listen: model.inpaint(IMAGE, MASK, samples=2, on_progress=listen),
    "super-resolve": lambda model, listen: model.super_resolve(IMAGE, 2, samples=2, on_progress=listen),
    "generate": lambda model, listen: model.generate(2, (64, 64), on_progress=listen),
    "encode": lambda model, listen: model.encode(np.ones((64, 64), np.uint8), on_progress=listen),
    "decode": lambda model, listen: model.decode(model.latents(0, (64, 64)), on_progress=listen),
}

every_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())


class Enough(Exception):
    """What a listener raises to stop."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have listeners hear from every operation, however fast."""
    monkeypatch.setattr(progress, "INTERVAL", 0)


@every_run
def test_shares_never_fall_and_reach_1(tiny_model: nv.Model, run: Run) -> None:
    told: list[float] = []
    run(tiny_model, told.append)
    assert told == sorted(told)
    assert told[0] < 1
    assert told[-1] == 1


def test_the_mean_and_every_sample_are_told_of(tiny_model: nv.Model) -> None:
    told: list[float] = []
    tiny_model.denoise(np.stack([IMAGE, IMAGE]), samples=2, on_progress=told.append)
    assert {0.15, 0.3, 0.4, 0.5, 0.65, 0.8, 0.9, 1.0} <= {round(share, 9) for share in told}


@every_run
@pytest.mark.usefixtures("impatient")
def test_a_listener_can_stop_at_every_operation_of_a_tile(tiny_model: nv.Model, run: Run) -> None:
    told: list[float] = []
    run(tiny_model, told.append)
    assert len(told) > 300

    for wanted in (1, len(told) // 3, len(told) // 2, len(told) - 2):
        heard: list[float] = []

        def listen(share: float, heard: list[float] = heard, wanted: int = wanted) -> None:
            heard.append(share)
            if len(heard) == wanted:
                raise Enough

        with pytest.raises(Enough):
            run(tiny_model, listen)
        assert len(heard) == wanted


@pytest.mark.usefixtures("impatient")
def test_a_run_that_was_stopped_leaves_the_next_one_alone(tiny_model: nv.Model) -> None:
    def refuse(share: float) -> None:
        raise Enough

    expected = tiny_model.denoise(IMAGE, samples=1).samples
    with pytest.raises(Enough):
        tiny_model.denoise(IMAGE, samples=1, on_progress=refuse)
    assert np.array_equal(tiny_model.denoise(IMAGE, samples=1).samples, expected)


@pytest.mark.usefixtures("impatient")
def test_two_threads_that_use_one_model_hear_each_of_its_own_run(tiny_model: nv.Model) -> None:
    heard: dict[int, set[int]] = {0: set(), 1: set()}
    results: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        def listen(share: float) -> None:
            heard[number].add(threading.get_ident())

        results[number] = tiny_model.denoise(IMAGE, samples=4, seed=number, on_progress=listen).samples

    threads = [threading.Thread(target=work, args=(number,)) for number in heard]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {number: {thread.ident} for number, thread in enumerate(threads)}
    for number, samples in results.items():
        assert np.array_equal(samples, tiny_model.denoise(IMAGE, samples=4, seed=number).samples)


def test_short_memory_lets_no_share_fall(tiny_model: nv.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, draw = tiny_model.engine, tiny_model.engine.networks.generator.sample

    def short_of_memory(seen: list[torch.Tensor], *rest: Any) -> torch.Tensor:
        if seen[0].shape[-1] > 160:
            raise torch.OutOfMemoryError("out of memory")
        return draw(seen, *rest)

    monkeypatch.setattr(engine.networks.generator, "sample", short_of_memory)
    monkeypatch.setattr(engine, "halo", 96)
    monkeypatch.setattr(engine, "tile", 384)
    told: list[float] = []
    tiny_model.denoise(skimage.data.cell()[:400, :360], samples=1, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
