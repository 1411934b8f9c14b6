"""Variations: the coarse structure of an image with fine detail drawn anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.restoration.effort import check_sampling
from napari_vaegan.restoration.encode import as_latents
from napari_vaegan.restoration.generate import check_count, draw, draw_planes
from napari_vaegan.restoration.latent_noise import cut_noise, placed_noise
from napari_vaegan.restoration.progress import OnProgress, no_progress, part_of

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

REDRAWN = 1
"""Key of the noise of variations: another one than that of generated images, or the first would vary into itself."""


def variations(
    model: Model, image: Any, count: int = 4, detail: int = 8, seed: int = 0, on_progress: OnProgress = no_progress
) -> NDArray[Any]:
    """Draw the detail of an image anew; see ``Model.variations``."""
    check_count(count)
    check_sampling(count, seed)
    if detail not in model.details:
        *others, last = sorted(model.details)
        raise SettingError(
            f"The detail to draw anew cannot be {detail}: choose {', '.join(map(str, others))} or {last}, in pixels."
        )
    latents = as_latents(model, image)
    redrawn = partial(placed_noise, seed, REDRAWN)
    strides = model.engine.networks.generator.strides
    kept = [torch.from_numpy(level) for level, step in zip(latents.levels[:-1], strides, strict=False) if step > detail]
    planes = [kept] * count  # if nothing but texture is drawn anew
    if len(kept) < len(latents.levels) - 1:
        planes = draw_planes(model, count, latents.canvas, redrawn, kept, part_of(on_progress, 0, 2))
    return draw(model, cut_noise(planes, redrawn), count, latents.canvas, part_of(on_progress, 1, 2))
