"""Denoise: the image without the noise of its instrument, whose level the model finds by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_vaegan.images.scaling import Scaling
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import Observation, observe_noisy
from napari_vaegan.restoration.consistency import Unbound
from napari_vaegan.restoration.progress import OnProgress, no_progress
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.restore import Request, accept, restore
from napari_vaegan.restoration.subject import to_tensor

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
    kind = Kind("denoise")
    subject = accept(model, kind, image, axes, samples, seed)

    def observe(index: int, plane: NDArray[Any], scaling: Scaling) -> Observation:
        return observe_noisy(to_tensor(plane, scaling))

    request = Request(kind, subject, subject.finite_plane, observe, Unbound(subject.dtype))
    return restore(model, request, samples, seed, on_progress)
