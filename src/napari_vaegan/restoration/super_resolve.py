"""Super-resolve: a finer image whose block means are the image at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.images.scaling import robust_scaling
from napari_vaegan.observation.degradations import FACTORS, Kind
from napari_vaegan.observation.observation import Observation, observe_block_means
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.restore import OnProgress, Request, no_progress, restore, rounded
from napari_vaegan.restoration.rounding import round_keeping_block_means
from napari_vaegan.restoration.subject import Subject, to_tensor

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model


def super_resolve(
    model: Model,
    image: Any,
    factor: int = 2,
    samples: int = 8,
    seed: int = 0,
    axes: str | None = None,
    on_progress: OnProgress = no_progress,
) -> Restoration:
    """Refine the grid of an image by a factor; see ``Model.super_resolve``."""
    if factor not in FACTORS:
        raise SettingError(f"The factor of super-resolution cannot be {factor}: choose 2, 3 or 4.")
    subject = Subject.of(image, model.channels, axes)
    scaling = robust_scaling([subject.plane(i) for i in range(len(subject))], colour=subject.colour)
    rounding = torch.from_numpy(np.float32(0.5 * subject.step / scaling.span))[None]

    def observe(index: int) -> Observation:
        low = to_tensor(subject.finite_plane(index), scaling)
        height, width = (factor * side for side in low.shape[-2:])
        return observe_block_means(low, factor, height, width, rounding)

    def finish(index: int, mean: NDArray[np.float64]) -> tuple[NDArray[Any], float]:
        low = subject.plane(index)
        whole = subject.step > 0
        result = round_keeping_block_means(mean, low, factor, subject.dtype) if whole else rounded(subject, mean)
        return result, float(np.abs(_block_means(result, factor) - low.astype(np.float64)).max())

    request = Request(Kind("super-resolve", factor), subject, scaling, observe, finish, magnification=factor)
    return restore(model, request, samples, seed, on_progress)


def _block_means(plane: NDArray[Any], factor: int) -> NDArray[np.float64]:
    height, width, channels = plane.shape
    blocks = plane.astype(np.float64).reshape(height // factor, factor, width // factor, factor, channels)
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return means
