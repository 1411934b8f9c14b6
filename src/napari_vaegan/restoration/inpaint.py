"""Inpaint: fill what is missing; never touch what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.errors import DataError, ShapeError
from napari_vaegan.images.scaling import Scaling
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import Observation, observe_pixels
from napari_vaegan.restoration.consistency import KnownPixels
from napari_vaegan.restoration.effort import Effort, Quality
from napari_vaegan.restoration.progress import OnProgress, no_progress
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.restore import Request, accept, restore
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
    quality: Quality = "fast",
    on_progress: OnProgress = no_progress,
) -> Restoration:
    """Fill the masked pixels of an image; see ``Model.inpaint``."""
    effort = Effort(samples, seed, quality)
    kind = Kind("inpaint")
    subject = accept(model, kind, image, axes, samples)
    known = _known(mask, subject)

    def see(index: int) -> NDArray[Any]:
        return _filled(subject, index, known[index])

    def observe(index: int, plane: NDArray[Any], scaling: Scaling) -> Observation:
        known_map = torch.from_numpy(known[index].astype(np.float32))[None, None]
        return observe_pixels(to_tensor(plane, scaling), known_map)

    request = Request(kind, subject, see, observe, KnownPixels(subject.dtype, known), known)
    return restore(model, request, effort, on_progress)


def _known(mask: Any, subject: Subject) -> NDArray[np.bool_]:
    """Return where pixels are known as (N, Y, X), given a mask of the missing ones in the image's order of axes."""
    if not hasattr(mask, "shape") or not hasattr(mask, "dtype"):
        mask = np.asarray(mask)
    # Labels of a lazy mask become one byte a pixel while they are read.
    known = ~np.asarray(mask if mask.dtype == bool else mask > 0)
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
    plane = subject[index].copy()
    plane[~known] = 0
    if bad := subject.describe_not_finite(index, plane, " outside the mask"):
        raise DataError(f"{bad}: add what is not finite to the mask.")
    return plane
