"""Training from end to end: events, time, stop, checkpoints."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import napari_vaegan as nv
from napari_vaegan.training.events import (
    CheckpointSaved,
    Event,
    Finished,
    StageChanged,
    Started,
    Stepped,
    Validated,
    Warned,
)

TINY: dict[str, Any] = {"preset": "tiny", "patch_size": 32, "batch_size": 8, "device": "cpu", "precision": "float32"}


class Listener:
    """Keeps the events, and asks for a stop after so many steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.events: list[Event] = []
        self.stop_after = stop_after

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def stop(self) -> bool:
        return self.stop_after is not None and len(self.of(Stepped)) >= self.stop_after

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def whole(textured_images: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[nv.Model, Listener]:
    """A training that nothing interrupted."""
    listener = Listener()
    checkpoint = tmp_path_factory.mktemp("whole") / "whole.checkpoint"
    return nv.train(textured_images, nv.TrainingConfig(**TINY, steps=40), on_event=listener, checkpoint=checkpoint), listener


def test_the_log_tells_the_three_stages(whole: tuple[nv.Model, Listener]) -> None:
    model, listener = whole
    assert isinstance(listener.events[0], Started)
    assert [event.stage for event in listener.of(StageChanged)] == ["vae", "warm-up", "adversarial"]
    assert isinstance(listener.events[-1], Finished)
    assert model.header.stages == ["vae", "warm-up", "adversarial"]


def test_every_step_is_told_with_its_losses_and_the_time_left(whole: tuple[nv.Model, Listener]) -> None:
    steps = whole[1].of(Stepped)
    assert [event.step for event in steps] == list(range(1, 41))
    assert all(event.losses and event.seconds_left >= 0 for event in steps)


def test_validation_shows_input_mean_sample_and_truth_of_every_kind(whole: tuple[nv.Model, Listener]) -> None:
    last = whole[1].of(Validated)[-1]
    assert set(last.psnr) == {"inpaint", "super-resolve ×2", "super-resolve ×3", "super-resolve ×4", "denoise"}
    assert last.previews.shape[:2] == (5, 4)
    assert len(last.generated) > 0


def test_a_few_steps_already_denoise_a_little(tiny_model: nv.Model) -> None:
    assert tiny_model.header.psnr["denoise"] > 18


def test_the_file_header_says_what_was_on(whole: tuple[nv.Model, Listener]) -> None:
    header = whole[0].header
    assert header.config.spectral_normalisation
    assert header.config.progressive
    assert header.training_set["images"] == 8
    assert header.curves
    assert "torch" in header.versions


def test_a_resumed_training_reaches_the_same_weights(
    whole: tuple[nv.Model, Listener], textured_images: Path, tmp_path: Path
) -> None:
    config = nv.TrainingConfig(**TINY, steps=40)
    checkpoint = tmp_path / "half.checkpoint"
    listener = Listener(stop_after=17)
    nv.train(textured_images, config, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    resumed = Listener()
    model = nv.train(textured_images, None, on_event=resumed, checkpoint=checkpoint, resume=True)
    assert resumed.of(Started)[0].resumed_at_step == 17
    assert model.header.steps == 40
    ours, theirs = (m.engine.networks.state_dict() for m in (model, whole[0]))
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, atol=1e-4, err_msg=name)


def test_the_same_seed_trains_the_same_model(
    whole: tuple[nv.Model, Listener], textured_images: Path, tmp_path: Path
) -> None:
    config = nv.TrainingConfig(**TINY, steps=40)
    again = nv.train(textured_images, config, checkpoint=tmp_path / "again.checkpoint")
    assert again.header.psnr == pytest.approx(whole[0].header.psnr, abs=1e-3)


def test_a_stop_leaves_a_usable_model_and_a_checkpoint(textured_images: Path, tmp_path: Path) -> None:
    listener = Listener(stop_after=3)
    checkpoint = tmp_path / "stopped.checkpoint"
    model = nv.train(
        textured_images,
        nv.TrainingConfig(**TINY, minutes=60),
        on_event=listener,
        stop=listener.stop,
        checkpoint=checkpoint,
    )
    assert listener.of(Finished)[0].stopped
    assert len(listener.of(Stepped)) == 3
    assert checkpoint.exists()
    assert listener.of(CheckpointSaved)[-1].path == checkpoint
    assert model.denoise(np.full((16, 16), 100, np.uint8), samples=1).image.shape == (16, 16)


def test_training_leaves_the_process_s_smallest_numbers_alone(whole: tuple[nv.Model, Listener]) -> None:
    smallest = np.array([np.finfo(np.float32).smallest_subnormal])
    assert (smallest * np.float32(1) > 0).all()


def test_techniques_that_are_switched_off_are_off(textured_images: Path, tmp_path: Path) -> None:
    listener = Listener()
    config = nv.TrainingConfig(
        **TINY, steps=6, adversarial=False, progressive=False, spectral_normalisation=False, tasks=("denoise",)
    )
    model = nv.train(textured_images, config, on_event=listener, checkpoint=tmp_path / "plain.checkpoint")
    assert [event.stage for event in listener.of(StageChanged)] == ["vae"]
    assert set(model.header.psnr) == {"denoise"}
    with pytest.raises(nv.SettingError, match="denoise"):
        model.generate(1)


def test_several_channels_are_trained_and_restored(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    stacks = [random.integers(0, 4000, (2, 40, 48)).astype(np.uint16) for _ in range(3)]
    config = nv.TrainingConfig(**TINY, steps=3, channels=2, axes="CYX")
    model = nv.train(stacks, config, checkpoint=tmp_path / "two.checkpoint")
    restored = model.denoise(stacks[0], samples=2, axes="CYX")
    assert restored.image.shape == (2, 40, 48)
    assert restored.image.dtype == np.uint16
    assert restored.samples.shape == (2, 2, 40, 48)
    assert model.generate(2, (32, 40)).shape == (2, 32, 40, 2)


def test_one_image_is_enough_and_said(tmp_path: Path) -> None:
    listener = Listener()
    image = np.random.default_rng(0).integers(0, 255, (96, 96), dtype=np.uint8)
    nv.train(image, nv.TrainingConfig(**TINY, steps=2), on_event=listener, checkpoint=tmp_path / "one.checkpoint")
    assert any("one image" in warning.message.lower() or "only" in warning.message for warning in listener.of(Warned))


def test_an_empty_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(nv.DataError, match=tmp_path.name):
        nv.train(tmp_path, nv.TrainingConfig(**TINY, steps=1))


def test_resuming_nothing_is_refused(textured_images: Path, tmp_path: Path) -> None:
    with pytest.raises(nv.ModelFileError, match="absent"):
        nv.train(textured_images, checkpoint=tmp_path / "absent.checkpoint", resume=True)


def test_a_damaged_checkpoint_is_refused(textured_images: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.checkpoint"
    damaged.write_bytes(b"PK\x03\x04 not a checkpoint")
    with pytest.raises(nv.ModelFileError, match="damaged"):
        nv.train(textured_images, nv.TrainingConfig(**TINY, steps=1), checkpoint=damaged, resume=True)


@pytest.mark.parametrize("write", [torch.save, lambda state, path: path.write_bytes(pickle.dumps(state))])
def test_a_checkpoint_that_would_run_code_is_refused(
    textured_images: Path, tmp_path: Path, write: Callable[[Any, Path], object]
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "executed",))

    evil = tmp_path / "evil.checkpoint"
    write({"version": 1, "config": Evil()}, evil)
    with pytest.raises(nv.ModelFileError):
        nv.train(textured_images, nv.TrainingConfig(**TINY, steps=1), checkpoint=evil, resume=True)
    assert not (tmp_path / "executed").exists()


def test_other_settings_than_the_checkpoint_s_are_refused(textured_images: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "tiny.checkpoint"
    listener = Listener(stop_after=1)
    config = nv.TrainingConfig(**TINY, steps=9)
    nv.train(textured_images, config, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    other = nv.TrainingConfig(**TINY | {"preset": "small"}, steps=9)
    with pytest.raises(nv.ModelFileError, match="does not fit"):
        nv.train(textured_images, other, checkpoint=checkpoint, resume=True)
