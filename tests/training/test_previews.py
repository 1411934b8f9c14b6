"""Pictures for whoever watches a training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.training import training
from napari_vaegan.training.events import Previewed, Stepped, Validated


def test_every_validation_is_followed_by_pictures(whole: tuple[nv.Model, Listener]) -> None:
    events = whole[1].of(Validated, Previewed)
    validated = [index for index, event in enumerate(events) if isinstance(event, Validated)]
    assert all(isinstance(events[index + 1], Previewed) for index in validated)
    assert all(events[index + 1].step == events[index].step for index in validated)


def test_pictures_show_input_mean_sample_and_truth_of_every_kind(whole: tuple[nv.Model, Listener]) -> None:
    last = whole[1].of(Previewed)[-1]
    assert last.stage == "prior"
    assert last.kinds == ("inpaint", "super-resolve ×2", "super-resolve ×3", "super-resolve ×4", "denoise")
    assert last.previews.shape == (5, 4, 96, 96, 1)
    assert last.generated.shape == (4, 96, 96, 1)
    truths = last.previews[:, 3]
    assert (truths == truths[0]).all()
    observed, mean = last.previews[1, :2]
    np.testing.assert_allclose(block_means(mean), block_means(observed), atol=0.02)


def block_means(image: np.ndarray) -> np.ndarray:
    return image.reshape(48, 2, 48, 2).mean(axis=(1, 3))


def test_pictures_leave_the_training_as_it_is(
    whole: tuple[nv.Model, Listener], textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FIRST_PREVIEW_SECONDS", 0.0), ("PREVIEW_SECONDS", 0.0), ("PREVIEW_SHARE", float("inf"))):
        monkeypatch.setattr(training, name, value)
    listener = Listener()
    config = nv.TrainingConfig(**TINY, steps=40)
    model = nv.train(textured_images, config, on_event=listener, checkpoint=tmp_path / "watched.checkpoint")
    steps = {event.step for event in listener.of(Previewed)}
    assert steps == {event.step for event in listener.of(Stepped)}
    expected = whole[0].engine.networks.state_dict()
    for name, value in model.engine.networks.state_dict().items():
        np.testing.assert_allclose(value, expected[name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize(("task", "rows", "generated"), [("denoise", 1, 0), ("generate", 0, 4)])
def test_only_what_is_trained_is_shown(textured_images: Path, tmp_path: Path, task: str, rows: int, generated: int) -> None:
    listener = Listener()
    config = nv.TrainingConfig(**TINY, steps=1, tasks=(task,))
    nv.train(textured_images, config, on_event=listener, checkpoint=tmp_path / "one.checkpoint")
    last = listener.of(Previewed)[-1]
    assert (len(last.kinds), len(last.previews), len(last.generated)) == (rows, rows, generated)
