"""Super-resolve: a finer image whose block means are the image at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.images.scaling import Scaling
from napari_vaegan.observation.degradations import FACTORS, Kind
from napari_vaegan.observation.observation import Observation, observe_block_means
from napari_vaegan.restoration.consistency import BlockMeans
from napari_vaegan.restoration.effort import Effort, Quality
from napari_vaegan.restoration.progress import OnProgress, no_progress
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.restore import Request, accept, restore
from napari_vaegan.restoration.subject import to_tensor

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model


def super_resolve(
    model: Model,
    image: Any,
    factor: int = 2,
    samples: int = 8,
    seed: int = 0,
    axes: str | None = None,
    quality: Quality = "fast",
    on_progress: OnProgress = no_progress,
) -> Restoration:
    """Refine the grid of an image by a factor; see ``Model.super_resolve``."""
    if factor not in FACTORS:
        raise SettingError(f"The factor of super-resolution cannot be {factor}: choose 2, 3 or 4.")
    effort = Effort(samples, seed, quality)
    kind = Kind("super-resolve", factor)
    subject = accept(model, kind, image, axes, samples)

    def observe(index: int, plane: NDArray[Any], scaling: Scaling) -> Observation:
        low = to_tensor(plane, scaling)
        height, width = (factor * side for side in low.shape[-2:])
        rounding = torch.from_numpy(np.float32(0.5 * subject.step / scaling.span))[None]
        return observe_block_means(low, factor, height, width, rounding)

    request = Request(kind, subject, subject.finite_plane, observe, BlockMeans(subject.dtype, factor))
    return restore(model, request, effort, on_progress)
