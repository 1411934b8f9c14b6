"""Generate: images like those of the training folder, of which nothing was observed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.errors import SettingError
from napari_vaegan.observation.observation import observe_nothing
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
    planes = _draw_planes(model, numbers, canvas, seed, temperature, part_of(on_progress, 0, 2))
    noise = cut_noise(planes, _noise(numbers.start, seed, temperature))
    return draw(model, noise, len(numbers), canvas, part_of(on_progress, 1, 2))


def _draw_planes(
    model: Model, numbers: range, canvas: Canvas, seed: int, temperature: float, on_progress: OnProgress = no_progress
) -> list[list[Tensor]]:
    """Draw what of the latents of generated images the flow has moved: a list of levels an image."""
    engine = replace(model.engine)  # where memory is short its tile is halved, for this call alone
    height, width = _padded(model, canvas)
    together = engine.planes_at_once(height, width)
    planes = []
    with Progress(on_progress) as progress:
        for begin in range(numbers.start, numbers.stop, together):
            part = range(begin, min(numbers.stop, begin + together))
            tell = _part(progress.tell, begin - numbers.start, len(part), len(numbers))
            moved = engine.transport(_whole_noise(model, part, height, width, seed, temperature)[:-1], tell)
            planes += [[level[entry] for level in moved] for entry in range(len(part))]
    return planes


def _part(on_progress: OnProgress, done: int, doing: int, total: int) -> OnProgress:
    return lambda share: on_progress((done + share * doing) / total)


def _padded(model: Model, canvas: Canvas) -> tuple[int, int]:
    """Return height and width in whole strides of the coarsest level."""
    height, width = (side + -side % model.engine.networks.stride for side in canvas.shape)
    return height, width


def _whole_noise(model: Model, numbers: range, height: int, width: int, seed: int, temperature: float) -> list[Tensor]:
    """Return the normal noise of whole images at all levels, texture last: (images, channels, height, width) a level."""
    generator = model.engine.networks.generator
    draw_level = _noise(numbers.start, seed, temperature)(range(len(numbers)), generator.strides, 0, 0)
    return [
        draw_level(level, torch.empty(len(numbers), channels, height // step, width // step))
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
    canvas, numbers = Canvas(shape, model.typical_scaling, model.dtype), range(number, number + 1)
    texture = _whole_noise(model, numbers, *_padded(model, canvas), seed, temperature)[-1][0]
    (moved,) = _draw_planes(model, numbers, canvas, seed, temperature)
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
    """Draw images (count, Y, X[, C]) from noise, in tiles.

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
        observation = observe_nothing(torch.zeros(1, model.channels, *shape))
        estimate = engine.estimate(observation, count, noise, progress.tell)
        for number, sample in enumerate(estimate.samples):
            for rows in bands(*shape):
                images[number, rows] = round_to(from_tensor(sample[:, rows], canvas.scaling), canvas.dtype)
                progress.pulse()
    return images if model.channels > 1 else images[..., 0]


def _check_room(model: Model, count: int, canvas: Canvas) -> None:
    height, width = canvas.shape
    generator = model.engine.networks.generator
    latents = sum(channels / step**2 for channels, step in zip(generator.latents, generator.strides, strict=True))
    pixel_bytes = model.channels * canvas.dtype.itemsize + latents * BYTES_OF_A_LATENT
    check_memory(
        round(count * height * width * pixel_bytes) + model.engine.memory(count, height, width),
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
