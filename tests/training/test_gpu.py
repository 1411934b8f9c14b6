"""The whole method on a GPU, where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.training.events import StageChanged, Stepped, Warned

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")

ON_A_GPU = TINY | {"device": "cuda", "precision": "auto", "steps": 68}


@pytest.fixture(scope="module")
def trained(textured_images: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[nv.Model, Listener]:
    """A model that was trained on a GPU."""
    listener = Listener()
    checkpoint = tmp_path_factory.mktemp("gpu") / "gpu.checkpoint"
    return nv.train(textured_images, nv.TrainingConfig(**ON_A_GPU), on_event=listener, checkpoint=checkpoint), listener


def test_a_training_goes_through_all_stages(trained: tuple[nv.Model, Listener]) -> None:
    _, listener = trained
    assert [event.stage for event in listener.of(StageChanged)] == ["vae", "warm-up", "adversarial", "prior"]
    assert len(listener.of(Stepped)) == 68
    assert not any("skipped" in event.losses for event in listener.of(Stepped))
    assert not any("diverged" in event.message for event in listener.of(Warned))


def test_an_interrupted_training_goes_on(textured_images: Path, tmp_path: Path) -> None:
    for stop_after in (20, 30, None):  # after 20 steps, in the first stage; after 30 more, in the game; not at all
        listener = Listener(stop_after)
        nv.train(
            textured_images,
            nv.TrainingConfig(**ON_A_GPU),
            on_event=listener,
            stop=listener.stop,
            checkpoint=tmp_path / "gpu.checkpoint",
            resume=stop_after != 20,
        )
    assert listener.of(Stepped)[-1].step == 68


def test_a_model_does_there_what_it_does_on_the_cpu(trained: tuple[nv.Model, Listener], tmp_path: Path) -> None:
    file = trained[0].save(tmp_path / "gpu.vaegan")
    there, here = (nv.load(file, device, "float32") for device in ("cuda", "cpu"))
    image = skimage.data.cell()[200:264, 100:164]
    hole = np.zeros(image.shape, bool)
    hole[20:30, 20:30] = True
    for restore in (
        lambda model: model.inpaint(image, hole, samples=2, seed=0),
        lambda model: model.super_resolve(image, factor=2, samples=2, seed=0),
        lambda model: model.denoise(image, samples=2, seed=0),
    ):
        one, other = (np.asarray(restore(model).mean, float) for model in (there, here))
        assert np.abs(one - other).mean() < 0.5  # grey levels: in the same number format they differ by rounding
    assert there.match_style(image, [image[::-1]]).image.shape == image.shape
    assert there.generate(2, (40, 72), seed=0).std() > 0
