"""What the tests share: textured images, and models that are trained on them once a session."""

from __future__ import annotations

import os

# The tiny networks gain nothing from a second thread, and lose a factor of ten to it where the cores are busy. Set
# before torch is imported, and handed down to the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import skimage.data
import tifffile
from hypothesis import settings

import napari_vaegan as nv

# How long an example takes says more of what else the machine does than of the code: no deadline.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

TINY = {"preset": "tiny", "steps": 68, "patch_size": 32, "batch_size": 8, "device": "cpu", "precision": "float32"}


@pytest.fixture(scope="session", autouse=True)
def judged_on_few_patches() -> Iterator[None]:
    """Judge, calibrate and measure what tests train on few patches: that took longer than to train it."""
    from napari_vaegan.training import assessment, best

    with pytest.MonkeyPatch.context() as patch, measured_within(0.1):
        patch.setattr(assessment, "VALIDATION_PATCHES", 4)
        patch.setattr(assessment, "CALIBRATION_PATCHES", 16)
        patch.setattr(best, "LEAST_FLOW_STEPS", 1)
        yield


@contextmanager
def measured_within(seconds: float) -> Iterator[None]:
    """Measure the quality of what is trained meanwhile on a patch of each half, and no longer."""
    from napari_vaegan.quality import measure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "SHORTEST_SECONDS", seconds)
        patch.setattr(measure, "MOST_ROUNDS", 1)
        patch.setattr(measure, "TIMED_SIDES", (192, 96))
        yield


@pytest.fixture(scope="session")
def textured_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight real grey images of 96 × 96 pixels, uint8: four TIFF, four PNG in a sub-folder."""
    folder = tmp_path_factory.mktemp("textured")
    (folder / "more").mkdir()
    cell = skimage.data.cell()
    for index in range(8):
        row, column = divmod(index, 4)
        crop = cell[200 + 96 * row :, 100 + 96 * column :][:96, :96]
        if index < 4:
            tifffile.imwrite(folder / f"cell{index}.tif", crop)
        else:
            imageio.imwrite(folder / "more" / f"cell{index}.png", crop)
    return folder


@pytest.fixture(scope="session")
def tiny_model(textured_images: Path, tmp_path_factory: pytest.TempPathFactory) -> nv.Model:
    """A model of one channel, uint8, that does every task a little."""
    checkpoint = tmp_path_factory.mktemp("training") / "tiny.checkpoint"
    with measured_within(120.0):
        return nv.train(textured_images, nv.TrainingConfig(**TINY), checkpoint=checkpoint, name="tiny")


@pytest.fixture(scope="session")
def float_model(tiny_model: nv.Model) -> nv.Model:
    """The tiny model, with generated images that are not rounded: what differs in the last bit shows."""
    return nv.Model(tiny_model.engine.networks, tiny_model.header.model_copy(update={"dtype": "float32"}), "cpu", "float32")


@pytest.fixture(scope="session")
def tiny_model_file(tiny_model: nv.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of ``tiny_model``."""
    return tiny_model.save(tmp_path_factory.mktemp("models") / "tiny.vaegan")


@pytest.fixture(scope="session")
def tiny_rgb_model(tmp_path_factory: pytest.TempPathFactory) -> nv.Model:
    """A model of colour images, uint8, trained to super-resolve and denoise."""
    tissue = skimage.data.immunohistochemistry()
    crops = [np.ascontiguousarray(tissue[96 * i : 96 * i + 96, 96 * i : 96 * i + 96]) for i in range(5)]
    config = nv.TrainingConfig(**TINY | {"steps": 20, "tasks": ("super-resolve", "denoise")})
    checkpoint = tmp_path_factory.mktemp("training") / "tiny-rgb.checkpoint"
    with measured_within(120.0):
        return nv.train(crops, config, checkpoint=checkpoint, name="tiny-rgb")
