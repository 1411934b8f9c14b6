"""Stopping a training: at any moment, at once, and without losing what was learned."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.errors import Stopped
from napari_vaegan.networks.blocks import GatedBlock
from napari_vaegan.training import training
from napari_vaegan.training.checkpoint import describe_checkpoint
from napari_vaegan.training.events import (
    CheckpointSaved,
    Event,
    Finished,
    Previewed,
    StageChanged,
    Started,
    Stepped,
    Validated,
    Warned,
)
from napari_vaegan.training.interruption import Interrupted, interruptible

FORTY = nv.TrainingConfig(**TINY, steps=40)


@pytest.fixture(scope="module")
def every_checkpoint(textured_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint of every step of a training of forty steps, named by the step."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def keep(event: Event) -> None:
        if isinstance(event, CheckpointSaved):
            shutil.copy(event.path, folder / str(event.step))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
        nv.train(textured_images, FORTY, on_event=keep, checkpoint=folder / "latest.checkpoint")
    return folder


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Threads to compute in: with two of them, a part of a step is done beside the rest."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


class InAStep(Listener):
    """Asks for a stop after so many questions of the first step it hears of."""

    def __init__(self, questions: int) -> None:
        super().__init__(0, questions)

    def stop(self) -> bool:
        return bool(self.of(StageChanged)) and super().stop()


def same(one: Any, other: Any) -> bool:
    """Whether two parts of checkpoints are equal to the last bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    return bool(one == other)


def test_a_stop_interrupts_the_passes_forward_and_backward_only_while_it_is_heeded() -> None:
    network = torch.nn.Sequential(*[GatedBlock(4) for _ in range(5)])
    image, asked = torch.zeros(1, 4, 8, 8), 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 7

    with interruptible([network], stop):
        out = network(image)
        assert asked == 5
        with pytest.raises(Interrupted):
            out.sum().backward()
        assert asked == 8
        with pytest.raises(Interrupted), torch.no_grad():
            network(image)
    network(image).sum().backward()


# Forward and backward in each stage. In one thread, also in the discriminator's turn, after the generator's.
@pytest.mark.parametrize(
    ("stage", "step", "questions"),
    [("vae", 16, 5), ("vae", 16, 100), ("warm-up", 20, 5), ("warm-up", 20, 45)]
    + [("prior", 38, questions) for questions in (5, 60)]
    + [("adversarial", 29, questions) for questions in (5, 30)]  # of the game alone
    + [("adversarial", 30, questions) for questions in (5, 120, 180, 198)],
)
def test_a_step_that_is_interrupted_counts_as_not_made(
    every_checkpoint: Path, textured_images: Path, tmp_path: Path, threads: int, stage: str, step: int, questions: int
) -> None:
    if threads > 1 and questions > 100:
        pytest.skip("the thread beside the step is not asked")
    checkpoint = tmp_path / "interrupted.checkpoint"
    shutil.copy(every_checkpoint / str(step), checkpoint)
    listener = InAStep(questions)
    nv.train(textured_images, None, on_event=listener, stop=listener.stop, checkpoint=checkpoint, resume=True)
    assert [event.stage for event in listener.of(StageChanged)] == [stage]
    assert not listener.of(Stepped)
    assert listener.questions == -1  # it is not asked again
    before, after = (torch.load(path, weights_only=True) for path in (every_checkpoint / str(step), checkpoint))
    for name in ("step", "players", "batches", "torch_random", "validations", "best"):
        assert same(before[name], after[name]), name


def test_a_training_that_was_stopped_in_a_step_goes_on_to_the_same_weights(
    whole: tuple[nv.Model, Listener], textured_images: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "half.checkpoint"
    listener = Listener(stop_after=17, questions=70)
    nv.train(textured_images, FORTY, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    resumed = Listener()
    model = nv.train(textured_images, None, on_event=resumed, checkpoint=checkpoint, resume=True)
    assert resumed.of(Started)[0].resumed_at_step == 17
    assert model.header.steps == 40
    expected = whole[0].engine.networks.state_dict()
    for name, value in model.engine.networks.state_dict().items():
        np.testing.assert_allclose(value, expected[name], atol=1e-4, err_msg=name)


def test_after_a_stop_the_checkpoint_comes_first_and_then_a_usable_model(textured_images: Path, tmp_path: Path) -> None:
    listener = Listener(stop_after=3)
    checkpoint = tmp_path / "stopped.checkpoint"
    config = nv.TrainingConfig(**TINY, minutes=60)
    model = nv.train(textured_images, config, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    last = listener.events[listener.events.index(listener.of(Stepped)[-1]) + 1 :]
    assert [type(event) for event in last] == [CheckpointSaved, Validated, Warned, Finished]
    assert (last[0].path, last[0].step, last[-1].stopped) == (checkpoint, 3, True)
    assert "error bars are rough" in last[2].message
    assert model.denoise(np.full((16, 16), 100, np.uint8), samples=1).image.shape == (16, 16)


def test_a_hurried_judgement_is_not_what_a_resumed_training_is_held_against(textured_images: Path, tmp_path: Path) -> None:
    listener = Listener(stop_after=1)
    checkpoint = tmp_path / "hurried.checkpoint"
    nv.train(textured_images, FORTY, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    assert len(listener.of(Validated)) == 1
    assert torch.load(checkpoint, weights_only=True)["best"] is None


def test_a_stop_returns_the_best_model_without_another_validation(textured_images: Path, tmp_path: Path) -> None:
    listener = Listener(stop_after=20)
    nv.train(textured_images, FORTY, on_event=listener, stop=listener.stop, checkpoint=tmp_path / "best.checkpoint")
    last = listener.events[listener.events.index(listener.of(Stepped)[-1]) + 1 :]
    assert [type(event) for event in last if type(event) not in (Validated, Previewed)] == [CheckpointSaved, Finished]
    assert type(last[-2]) is CheckpointSaved


@pytest.mark.parametrize("which", [1, -1])
def test_a_stop_interrupts_a_validation(
    whole: tuple[nv.Model, Listener], textured_images: Path, tmp_path: Path, which: int
) -> None:
    validations = [event.step for event in whole[1].of(Validated)]
    listener = Listener(stop_after=validations[which], questions=3)
    checkpoint = tmp_path / "judged.checkpoint"
    model = nv.train(textured_images, FORTY, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    assert [event.step for event in listener.of(Validated)] == validations[:which]
    assert listener.of(Finished)[0].stopped
    assert model.header.steps == validations[which]
    resumed = Listener()
    nv.train(textured_images, None, on_event=resumed, checkpoint=checkpoint, resume=True)
    assert not resumed.of(Finished)[0].stopped


def test_a_stop_while_images_are_read_is_said_and_leaves_nothing(textured_images: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "nothing.checkpoint"
    listener = Listener(stop_after=0, questions=5)
    with pytest.raises(Stopped, match="before its first step"):
        nv.train(textured_images, FORTY, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    assert not listener.events
    assert not list(tmp_path.iterdir())


def test_a_stop_in_the_first_step_is_said_and_leaves_nothing(textured_images: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "nothing.checkpoint"
    listener = Listener(stop_after=0, questions=72)
    with pytest.raises(Stopped, match="before its first step"):
        nv.train(textured_images, FORTY, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    assert [type(event) for event in listener.events] == [Started, StageChanged]
    assert not list(tmp_path.iterdir())


def test_a_listener_leaves_at_once_by_raising_at_the_checkpoint_of_a_stop(textured_images: Path, tmp_path: Path) -> None:
    class Leaving(Exception):
        pass

    class Leaver(Listener):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            if isinstance(event, CheckpointSaved) and self.stop():
                raise Leaving

    listener = Leaver(stop_after=3)
    checkpoint = tmp_path / "left.checkpoint"
    with pytest.raises(Leaving):
        nv.train(textured_images, FORTY, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    assert isinstance(listener.events[-1], CheckpointSaved)
    assert not listener.of(Validated)
    assert describe_checkpoint(checkpoint).step == 3


def test_a_stop_is_heeded_while_the_error_bars_are_calibrated(textured_images: Path, tmp_path: Path) -> None:
    events: list[Event] = []

    def stop() -> bool:
        # The last validation comes right before the calibration.
        return any(isinstance(event, Previewed) and event.step == FORTY.steps for event in events[-1:])

    model = nv.train(textured_images, FORTY, on_event=events.append, stop=stop, checkpoint=tmp_path / "c.checkpoint")
    (finished,) = (event for event in events if isinstance(event, Finished))
    assert finished.stopped
    assert model.header.steps == FORTY.steps
    assert describe_checkpoint(tmp_path / "c.checkpoint").step == FORTY.steps
