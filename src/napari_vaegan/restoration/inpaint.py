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
    known = _known(mask, subject)
    planes = [_filled(subject, index, known[index]) for index in range(len(subject))]
    scaling = robust_scaling(planes, known, colour=subject.colour)

    def observe(index: int) -> Observation:
        known_map = torch.from_numpy(known[index].astype(np.float32))[None, None]
        return observe_pixels(to_tensor(planes[index], scaling), known_map)

    def keep(index: int, estimate: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(known[index][..., None], planes[index], estimate)

    def finish(index: int, mean: NDArray[np.float64]) -> tuple[NDArray[Any], float]:
        return np.where(known[index][..., None], planes[index], rounded(subject, mean)), 0.0

    request = Request(Kind("inpaint"), subject, scaling, observe, finish, keep)
    return restore(model, request, samples, seed, on_progress)


def _known(mask: Any, subject: Subject) -> NDArray[np.bool_]:
    """Return where pixels are known as (N, Y, X), given a mask of the missing ones in the image's order of axes."""
    mask = np.asarray(mask)
    known = ~mask if mask.dtype == bool else ~(mask > 0)
    lengths = dict(zip(subject.layout.axes, subject.layout.shape, strict=True))
    whole, plane = (tuple(axis for axis in lengths if axis in letters) for letters in ("TZYX", "YX"))
    for axes in (whole, plane):
        if mask.shape == tuple(lengths[axis] for axis in axes):
            order = [*(axis for axis in axes if axis not in "YX"), "Y", "X"]
            height, width = lengths["Y"], lengths["X"]
            planes = known.transpose([axes.index(axis) for axis in order]).reshape(-1, height, width)
            if not planes.any(axis=(1, 2)).all():
                raise DataError(
                    "The mask covers a whole plane, so nothing is known of it: mask less, or generate images instead."
                )
            return np.broadcast_to(planes, (len(subject), height, width))
    shapes = dict.fromkeys(str(tuple(lengths[axis] for axis in axes)) for axes in (whole, plane))
    raise ShapeError(
        f"A mask of shape {mask.shape} does not fit an image of shape {subject.layout.shape} (axes {subject.layout.axes}): "
        f"give one of shape {' or '.join(shapes)}."
    )


def _filled(subject: Subject, index: int, known: NDArray[np.bool_]) -> NDArray[Any]:
    """Return a plane whose missing pixels are 0; refuse NaN among the known ones."""
    plane = subject.plane(index).astype(subject.dtype, copy=True)
    plane[~known] = 0
    if bad := subject.describe_not_finite(index, plane, " outside the mask"):
        raise DataError(f"{bad}: add what is not finite to the mask.")
    return plane
