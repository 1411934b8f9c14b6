"""Variations: the coarse structure of an image with fine detail drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.networks.generator import DrawNoise
from napari_vaegan.restoration.effort import check_sampling
from napari_vaegan.restoration.encode import as_latents
from napari_vaegan.restoration.generate import check_count, draw
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.progress import OnProgress, no_progress

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

    def noise(samples: range, strides: list[int], row: int, column: int) -> DrawNoise:
        kept = latents.noise(samples, strides, row, column)
        redrawn = placed_noise(seed, REDRAWN, samples, strides, row, column)
        return lambda level, like: (redrawn if strides[level] <= detail else kept)(level, like)

    return draw(model, noise, count, latents.canvas, on_progress)
