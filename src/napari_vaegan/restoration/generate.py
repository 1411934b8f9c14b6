"""Generate: images like those of the training folder, of which nothing was observed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.restoration.effort import check_sampling
from napari_vaegan.restoration.latent_noise import Noise, placed_noise, scaled
from napari_vaegan.restoration.latents import Canvas, Latents
from napari_vaegan.restoration.memory import check_memory
from napari_vaegan.restoration.progress import OnProgress, Progress, no_progress
from napari_vaegan.restoration.rounding import round_to
from napari_vaegan.restoration.subject import from_tensor
from napari_vaegan.restoration.tiles import bands

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

HIGHEST_TEMPERATURE = 2.0


def generate(
    model: Model,
    count: int = 1,
    shape: tuple[int, int] = (256, 256),
    seed: int = 0,
    temperature: float = 1.0,
    on_progress: OnProgress = no_progress,
) -> NDArray[Any]:
    """Draw images from nothing; see ``Model.generate``."""
    check_count(count)
    return generate_numbers(model, range(count), shape, seed, temperature, on_progress)


def generate_numbers(
    model: Model,
    numbers: range,
    shape: tuple[int, int],
    seed: int,
    temperature: float,
    on_progress: OnProgress = no_progress,
) -> NDArray[Any]:
    """Draw some of the images of a seed, which are counted from 0: the same, whichever others are drawn with them."""
    noise = _noise(numbers.start, seed, temperature)
    return draw(model, noise, len(numbers), Canvas(shape, model.typical_scaling, model.dtype), on_progress)


def latents(
    model: Model,
    number: int = 0,
    shape: tuple[int, int] = (256, 256),
    seed: int = 0,
    temperature: float = 1.0,
) -> Latents:
    """Return the latents of a generated image; see ``Model.latents``."""
    model.check_task("generate")
    if number < 0:
        raise SettingError(f"There is no generated image {number}: they are counted from 0.")
    canvas = Canvas(shape, model.typical_scaling, model.dtype)
    generator, stride = model.engine.networks.generator, model.engine.networks.stride
    height, width = (side + -side % stride for side in model.engine.field(canvas.shape))
    draw_level = _noise(number, seed, temperature)(range(1), generator.strides, 0, 0)
    levels = (
        draw_level(level, torch.empty(1, channels, height // step, width // step))[0].numpy()
        for level, (channels, step) in enumerate(zip(generator.latents, generator.strides, strict=True))
    )
    return Latents(tuple(levels), canvas)


def check_count(count: int) -> None:
    """Refuse a number of images that makes no sense."""
    if count < 1:
        raise SettingError(f"The number of images to generate cannot be {count}: give at least 1.")


def check_generation(model: Model, shape: tuple[int, int], seed: int, temperature: float) -> None:
    """Refuse, before anything is drawn, what the model does not generate.

    Raises
    ------
    SettingError, ShapeError
        If it does not generate, a setting makes no sense, or memory does not suffice for one image.
    """
    model.check_task("generate")
    _noise(0, seed, temperature)
    _check_room(model, 1, Canvas(shape, model.typical_scaling, model.dtype))


def draw(model: Model, noise: Noise, count: int, canvas: Canvas, on_progress: OnProgress) -> NDArray[Any]:
    """Draw images (count, Y, X[, C]) from noise, in tiles, each the middle of a larger field.

    Raises
    ------
    SettingError
        If the model does not generate, or memory does not suffice.
    """
    model.check_task("generate")
    _check_room(model, count, canvas)
    shape = canvas.shape
    engine = replace(model.engine)  # where memory is short its tile is halved, for this call alone
    images = np.empty((count, *shape, model.channels), canvas.dtype)
    with Progress(on_progress) as progress:
        for number, sample in enumerate(engine.generate(shape, count, noise, progress.tell)):
            for rows in bands(*shape):
                images[number, rows] = round_to(from_tensor(sample[:, rows], canvas.scaling), canvas.dtype)
                progress.pulse()
    return images if model.channels > 1 else images[..., 0]


def _check_room(model: Model, count: int, canvas: Canvas) -> None:
    height, width = canvas.shape
    check_memory(
        count * height * width * model.channels * canvas.dtype.itemsize
        + model.engine.memory(count, *model.engine.field(canvas.shape)),
        f"Generating {count} image{'s' if count > 1 else ''} of {height} × {width} pixels",
        "generate fewer at once, or smaller ones" if count > 1 else "generate smaller ones",
    )


def _noise(first: int, seed: int, temperature: float) -> Noise:
    """Return the noise of the images of a seed from one of them on.

    Raises
    ------
    SettingError
        If seed or temperature make no sense.
    """
    check_sampling(0, seed)
    if not 0 <= temperature <= HIGHEST_TEMPERATURE:
        raise SettingError(
            f"The temperature cannot be {temperature}: give a number from 0 (all images alike) to {HIGHEST_TEMPERATURE:g}; "
            "1 is as learned."
        )

    def noise(samples: range, strides: list[int], row: int, column: int) -> Any:
        return placed_noise(seed, 0, range(first + samples.start, first + samples.stop), strides, row, column)

    return scaled(noise, temperature)
