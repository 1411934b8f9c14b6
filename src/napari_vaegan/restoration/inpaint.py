"""Inpaint: fill what is missing; never touch what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.errors import DataError, ShapeError
from napari_vaegan.images.scaling import robust_scaling
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import Observation, observe_pixels
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.restore import OnProgress, Request, no_progress, restore, rounded
from napari_vaegan.restoration.subject import Subject, to_tensor

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model


def inpaint(
    model: Model,
    image: Any,
    mask: Any,
    samples: int = 8,
    seed: int = 0,
    axes: str | None = None,
    on_progress: OnProgress = no_progress,
) -> Restoration:
    """Fill the masked pixels of an image; see ``Model.inpaint``."""
    subject = Subject.of(image, model.channels, axes)
    missing = _missing(mask, subject)

    def known_of(index: int) -> NDArray[np.bool_]:
        return ~missing[index if len(missing) > 1 else 0]

    planes = [_filled(subject, index, known_of(index)) for index in range(len(subject))]
    scaling = robust_scaling(planes, [known_of(index) for index in range(len(subject))], colour=subject.colour)

    def observe(index: int) -> Observation:
        known = torch.from_numpy(known_of(index).astype(np.float32))[None, None]
        return observe_pixels(to_tensor(planes[index], scaling), known)

    def finish(index: int, mean: NDArray[np.float64]) -> tuple[NDArray[Any], float]:
        known = known_of(index)[..., None]
        mean[:] = np.where(known, planes[index], mean)
        result = np.where(known, planes[index], rounded(subject, mean))
        return result, 0.0

    return restore(model, Request(Kind("inpaint"), subject, scaling, observe, finish), samples, seed, on_progress)


def _missing(mask: Any, subject: Subject) -> NDArray[np.bool_]:
    """Return the mask as (N or 1, Y, X), True where a pixel is missing."""
    mask = np.asarray(mask)
    mask = mask if mask.dtype == bool else mask > 0
    plane_shape = tuple(subject.planes.shape[1:3])
    axes, shape = subject.layout.axes, subject.layout.shape
    spatial = tuple(length for letter, length in zip(axes, shape, strict=True) if letter != "C")
    if mask.shape == plane_shape:
        mask = mask[None]
    elif mask.shape == spatial:
        order = [a for a in axes if a != "C"]
        leading = [order.index(a) for a in order if a not in "YX"]
        mask = mask.transpose([*leading, order.index("Y"), order.index("X")]).reshape(-1, *plane_shape)
    else:
        raise ShapeError(
            f"A mask of shape {mask.shape} does not fit an image of shape {shape} (axes {axes}): "
            f"give one of shape {spatial}{f' or {plane_shape}' if spatial != plane_shape else ''}."
        )
    if mask.all(axis=(1, 2)).any():
        raise DataError("The mask covers a whole plane, so nothing is known of it: mask less, or generate images instead.")
    return mask


def _filled(subject: Subject, index: int, known: NDArray[np.bool_]) -> NDArray[Any]:
    """Return a plane whose missing pixels are 0; refuse NaN among the known ones."""
    plane = subject.plane(index).astype(subject.dtype, copy=True)
    plane[~known] = 0
    if plane.dtype.kind == "f" and (bad := int((~np.isfinite(plane)).any(axis=-1).sum())):
        place = subject.layout.label(index)
        raise DataError(
            f"{bad} pixels outside the mask are NaN or infinite{' at ' + place if place else ''}: add them to the mask."
        )
    return plane
