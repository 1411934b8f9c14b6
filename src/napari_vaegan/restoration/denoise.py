"""Denoise: the image without the noise of its instrument, whose level the model finds by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.images.scaling import robust_scaling
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import Observation, observe_noisy
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.restore import OnProgress, Request, no_progress, restore, rounded
from napari_vaegan.restoration.subject import Subject, to_tensor

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model


def denoise(
    model: Model,
    image: Any,
    samples: int = 8,
    seed: int = 0,
    axes: str | None = None,
    on_progress: OnProgress = no_progress,
) -> Restoration:
    """Remove photon and read noise from an image; see ``Model.denoise``."""
    subject = Subject.of(image, model.channels, axes)
    scaling = robust_scaling([subject.plane(i) for i in range(len(subject))], colour=subject.colour)

    def observe(index: int) -> Observation:
        return observe_noisy(to_tensor(subject.finite_plane(index), scaling))

    def finish(index: int, mean: NDArray[np.float64]) -> tuple[NDArray[Any], None]:
        return rounded(subject, mean), None

    return restore(model, Request(Kind("denoise"), subject, scaling, observe, finish), samples, seed, on_progress)
