"""Generate: images like those of the training folder, of which nothing was observed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError, ShapeError
from napari_vaegan.observation.observation import observe_nothing
from napari_vaegan.restoration.restore import OnProgress, check_sampling, no_progress
from napari_vaegan.restoration.rounding import round_to
from napari_vaegan.restoration.subject import SMALLEST_SIDE, from_tensor

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model


def generate(
    model: Model,
    count: int = 1,
    shape: tuple[int, int] = (256, 256),
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> NDArray[Any]:
    """Draw images from nothing; see ``Model.generate``."""
    model.check_task("generate")
    check_sampling(0, seed)
    if count < 1:
        raise SettingError(f"The number of images to generate cannot be {count}: give at least 1.")
    if len(shape) != 2 or min(shape) < SMALLEST_SIDE:
        raise ShapeError(
            f"Images of shape {tuple(shape)} cannot be generated: give height and width of at least {SMALLEST_SIDE}."
        )
    observation = observe_nothing(torch.zeros(1, model.channels, *shape))
    engine = replace(model.engine)  # where memory is short its tile is halved, for this call alone
    estimate = engine.estimate(observation, count, seed, on_progress=on_progress)
    images = round_to(from_tensor(estimate.samples, model.typical_scaling), model.dtype)
    return images if model.channels > 1 else images[..., 0]
