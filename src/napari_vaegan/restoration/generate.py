"""Generate: images like those of the training folder, of which nothing was observed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.errors import SettingError
from napari_vaegan.restoration.effort import check_sampling
from napari_vaegan.restoration.latent_noise import Noise, cut_noise, placed_noise, scaled
from napari_vaegan.restoration.latents import Canvas, Latents
from napari_vaegan.restoration.memory import check_memory
from napari_vaegan.restoration.progress import OnProgress, Progress, no_progress, part_of
from napari_vaegan.restoration.rounding import round_to
from napari_vaegan.restoration.subject import from_tensor
from napari_vaegan.restoration.tiles import bands

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

HIGHEST_TEMPERATURE = 2.0

BYTES_OF_A_LATENT = 4


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
    check_generation(model, shape, seed, temperature, len(numbers))
    canvas = Canvas(shape, model.typical_scaling, model.dtype)
    noise = generated_noise(model, numbers, canvas, seed, temperature, part_of(on_progress, 0, 2))
    return draw(model, noise, len(numbers), canvas, part_of(on_progress, 1, 2))


def generated_noise(
    model: Model, numbers: range, canvas: Canvas, seed: int, temperature: float, on_progress: OnProgress = no_progress
) -> Noise:
    """Return what some of the images of a seed are drawn from: the first of them is sample 0."""
    noise = _noise(numbers.start, seed, temperature)
    return cut_noise(draw_planes(model, len(numbers), canvas, noise, on_progress=on_progress), noise)


def draw_planes(
    model: Model,
    count: int,
    canvas: Canvas,
    noise: Noise,
    kept: Sequence[Tensor] = (),
    on_progress: OnProgress = no_progress,
) -> list[list[Tensor]]:
    """Draw the latents of whole images from the learned prior, without texture.

    Parameters
    ----------
    model, canvas
        What draws, and on what.
    count
        How many images.
    noise
        Normal noise, where the flow begins.
    kept
        Latents (channels, height / stride, width / stride) of the coarsest levels, if others are to be drawn to them.
    on_progress
        Told the share that is done.

    Returns
    -------
    list of list of Tensor
        Of each image and level, (channels, height / stride, width / stride).
    """
    engine = replace(model.engine)  # where memory is short its tile is halved, for this call alone
    height, width = _padded(model, canvas)
    together = engine.planes_at_once(height, width)
    planes = []
    with Progress(on_progress) as progress:
        for begin in range(0, count, together):
            samples = range(begin, min(count, begin + together))
            normal = _whole_noise(model, samples, height, width, noise)[:-1]
            ends = [level.expand(len(samples), *level.shape) for level in kept]
            moved = engine.transport(normal, ends, _part(progress.tell, begin, len(samples), count))
            planes += [[level[entry] for level in moved] for entry in range(len(samples))]
    return planes


def _part(on_progress: OnProgress, done: int, doing: int, total: int) -> OnProgress:
    return lambda share: on_progress((done + share * doing) / total)


def _padded(model: Model, canvas: Canvas) -> tuple[int, int]:
    """Return height and width of the field that an image is the middle of, in whole strides of the coarsest level."""
    height, width = (side + -side % model.engine.networks.stride for side in model.engine.field(canvas.shape))
    return height, width


def _whole_noise(model: Model, samples: range, height: int, width: int, noise: Noise) -> list[Tensor]:
    """Return the noise of whole images at all levels, texture last: (samples, channels, height, width) a level."""
    generator = model.engine.networks.generator
    draw_level = noise(samples, generator.strides, 0, 0)
    return [
        draw_level(level, torch.empty(len(samples), channels, height // step, width // step))
        for level, (channels, step) in enumerate(zip(generator.latents, generator.strides, strict=True))
    ]


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
    canvas, noise = Canvas(shape, model.typical_scaling, model.dtype), _noise(number, seed, temperature)
    texture = _whole_noise(model, range(1), *_padded(model, canvas), noise)[-1][0]
    (moved,) = draw_planes(model, 1, canvas, noise)
    return Latents(tuple(level.numpy() for level in (*moved, texture)), canvas)


def check_count(count: int) -> None:
    """Refuse a number of images that makes no sense."""
    if count < 1:
        raise SettingError(f"The number of images to generate cannot be {count}: give at least 1.")


def check_generation(model: Model, shape: tuple[int, int], seed: int, temperature: float, count: int = 1) -> None:
    """Refuse, before anything is drawn, what the model does not generate.

    Raises
    ------
    SettingError, ShapeError
        If it does not generate, a setting makes no sense, or memory does not suffice for so many images at once.
    """
    model.check_task("generate")
    _noise(0, seed, temperature)
    _check_room(model, count, Canvas(shape, model.typical_scaling, model.dtype))


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
    (height, width), field = canvas.shape, model.engine.field(canvas.shape)
    generator = model.engine.networks.generator
    latents = sum(channels / step**2 for channels, step in zip(generator.latents, generator.strides, strict=True))
    image_bytes = height * width * model.channels * canvas.dtype.itemsize + latents * BYTES_OF_A_LATENT * math.prod(field)
    check_memory(
        round(count * image_bytes) + model.engine.memory(count, *field),
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
