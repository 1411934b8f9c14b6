"""Generate: images like those of the training folder, of which nothing was observed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError, ShapeError
from napari_vaegan.observation.observation import observe_nothing
from napari_vaegan.restoration.effort import check_sampling
from napari_vaegan.restoration.latent_noise import Noise, between, placed_noise
from napari_vaegan.restoration.memory import check_memory
from napari_vaegan.restoration.progress import OnProgress, Progress, no_progress
from napari_vaegan.restoration.rounding import round_to
from napari_vaegan.restoration.subject import SMALLEST_SIDE, from_tensor
from napari_vaegan.restoration.tiles import bands

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
    if count < 1:
        raise SettingError(f"The number of images to generate cannot be {count}: give at least 1.")
    return _draw(model, count, shape, seed, partial(placed_noise, seed, 0), on_progress)


def interpolate(
    model: Model,
    first: int,
    second: int,
    share: float,
    shape: tuple[int, int] = (256, 256),
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> NDArray[Any]:
    """Draw an image between two generated ones; see ``Model.interpolate``."""
    if min(first, second) < 0:
        raise SettingError(f"There is no generated image {min(first, second)}: they are counted from 0.")
    if not 0 <= share <= 1:
        raise SettingError(f"The share of the way must lie between 0 and 1, not {share}: 0.5 is half-way, for example.")
    noise = between(_noise_of(first, seed), _noise_of(second, seed), share if first != second else 0)
    image: NDArray[Any] = _draw(model, 1, shape, seed, noise, on_progress)[0]
    return image


def _noise_of(number: int, seed: int) -> Noise:
    """Return the noise of one image of a gallery, whichever is asked for."""
    return lambda samples, *place: placed_noise(seed, 0, range(number, number + 1), *place)


def _draw(
    model: Model, count: int, shape: tuple[int, int], seed: int, noise: Noise, on_progress: OnProgress
) -> NDArray[Any]:
    """Return images (count, Y, X[, C])."""
    model.check_task("generate")
    check_sampling(count, seed)
    if len(shape) != 2 or min(shape) < SMALLEST_SIDE:
        raise ShapeError(
            f"Images of shape {tuple(shape)} cannot be generated: give height and width of at least {SMALLEST_SIDE}."
        )
    values = count * shape[0] * shape[1] * model.channels
    check_memory(
        values * model.dtype.itemsize + model.engine.memory(count, *shape),
        f"Generating {count} image{'s' if count > 1 else ''} of {shape[0]} × {shape[1]} pixels",
        "generate fewer at once, or smaller ones",
    )
    engine = replace(model.engine)  # where memory is short its tile is halved, for this call alone
    images = np.empty((count, *shape, model.channels), model.dtype)
    with Progress(on_progress) as progress:
        observation = observe_nothing(torch.zeros(1, model.channels, *shape))
        estimate = engine.estimate(observation, count, noise, progress.tell)
        for number, sample in enumerate(estimate.samples):
            for rows in bands(*shape):
                images[number, rows] = round_to(from_tensor(sample[:, rows], model.typical_scaling), model.dtype)
                progress.pulse()
    return images if model.channels > 1 else images[..., 0]
