"""Pausing a training: it stands still, and its clock with it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.training.checkpoint import describe_checkpoint
from napari_vaegan.training.clock import Clock
from napari_vaegan.training.events import CheckpointSaved, Continued, Finished, Paused, Stepped


class Pausing(Listener):
    """Pauses once after so many steps, for so many questions."""

    def __init__(self, after: int, questions: float) -> None:
        super().__init__()
        self.after = after
        self.left = questions

    def pause(self) -> bool:
        if len(self.of(Stepped)) < self.after:
            return False
        self.left -= 1
        return self.left >= 0


def test_a_pause_saves_a_checkpoint_and_changes_nothing_of_the_training(
    whole: tuple[nv.Model, Listener], textured_images: Path, tmp_path: Path
) -> None:
    listener = Pausing(after=7, questions=3)
    checkpoint = tmp_path / "paused.checkpoint"
    config = nv.TrainingConfig(**TINY, steps=40)
    model = nv.train(textured_images, config, on_event=listener, pause=listener.pause, checkpoint=checkpoint)
    begin = listener.events.index(Paused(7))
    assert listener.events[begin + 1 : begin + 3] == [CheckpointSaved(checkpoint, 7), Continued(7)]
    assert isinstance(listener.events[begin + 3], Stepped)
    assert len(listener.of(Paused)) == 1
    assert model.header.steps == 40
    assert model.header.psnr == pytest.approx(whole[0].header.psnr, abs=1e-3)


def test_a_stop_ends_a_pause(textured_images: Path, tmp_path: Path) -> None:
    listener = Pausing(after=2, questions=float("inf"))
    checkpoint = tmp_path / "paused.checkpoint"
    nv.train(
        textured_images,
        nv.TrainingConfig(**TINY, steps=40),
        on_event=listener,
        pause=listener.pause,
        stop=lambda: bool(listener.of(Paused)),
        checkpoint=checkpoint,
    )
    assert not listener.of(Continued)
    assert listener.of(Finished)[0].stopped
    assert describe_checkpoint(checkpoint).step == 2


def test_a_pause_before_the_first_step_has_nothing_to_save(textured_images: Path, tmp_path: Path) -> None:
    listener = Pausing(after=0, questions=2)
    config = nv.TrainingConfig(**TINY, steps=1)
    nv.train(textured_images, config, on_event=listener, pause=listener.pause, checkpoint=tmp_path / "m.checkpoint")
    begin = listener.events.index(Paused(0))
    assert listener.events[begin + 1] == Continued(0)
    assert [event.step for event in listener.of(CheckpointSaved)] == [1]


def test_the_clock_stands_still_in_a_pause() -> None:
    clock = Clock(nv.TrainingConfig(minutes=1), time.perf_counter())
    with clock.standing_still():
        before = clock.elapsed
        time.sleep(0.02)
        assert clock.elapsed == before
        began = clock.started
    assert clock.started >= began + 0.02
    assert clock.elapsed >= before
