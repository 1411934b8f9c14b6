"""Encode and decode: an image into the model's latents, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import ShapeError
from napari_vaegan.images.scaling import robust_scaling
from napari_vaegan.restoration.generate import draw
from napari_vaegan.restoration.latents import Canvas, Latents
from napari_vaegan.restoration.memory import check_memory
from napari_vaegan.restoration.progress import OnProgress, Progress, no_progress
from napari_vaegan.restoration.subject import Subject, to_tensor

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model


def encode(model: Model, image: Any, axes: str | None = None, on_progress: OnProgress = no_progress) -> Latents:
    """Return the latents of an image; see ``Model.encode``."""
    model.check_task("generate")
    subject = Subject.of(image, model.channels, axes)
    planes, height, width, _ = subject.shape
    if planes != 1:
        raise ShapeError(
            f"An image of shape {subject.layout.shape} (axes {subject.layout.axes}) has {planes} planes: encode one of them."
        )
    needed = model.engine.memory(1, *model.engine.field((height, width)))
    check_memory(needed, f"Encoding an image of {height} × {width} pixels", "crop it")
    engine = replace(model.engine)  # where memory is short its tile is halved, for this image alone
    with Progress(on_progress) as progress:
        plane = subject.finite_plane(0)
        scaling = robust_scaling(subject, colour=subject.colour, on_plane=progress.pulse)
        margin = model.engine.networks.margin
        field = np.pad(plane, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
        levels = engine.encode(to_tensor(field, scaling), progress.tell)
    return Latents(tuple(level.numpy() for level in levels), Canvas((height, width), scaling, subject.dtype))


def decode(model: Model, latents: Latents, on_progress: OnProgress = no_progress) -> NDArray[Any]:
    """Return the image of latents; see ``Model.decode``."""
    check_latents(model, latents)
    image: NDArray[Any] = draw(model, latents.noise, 1, latents.canvas, on_progress)[0]
    return image


def check_latents(model: Model, latents: Latents) -> None:
    """Refuse latents of another kind of model.

    Raises
    ------
    ShapeError
        If they do not fit the generator's levels.
    """
    wanted, found = model.engine.networks.generator.latents, [len(level) for level in latents.levels]
    if wanted != found or len(latents.canvas.scaling.low) != model.channels:
        raise ShapeError("These latents are of another model: encode the image with this one.")


def as_latents(model: Model, image: Any) -> Latents:
    """Return the latents of what is an image or its latents already."""
    if not isinstance(image, Latents):
        return encode(model, image)
    check_latents(model, image)
    return image
