"""Holding images apart for validation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_vaegan.images.likeness import are_alike

if TYPE_CHECKING:
    from napari_vaegan.images.collection import Collection, Plane

_STRIP_FRACTION = 4
_THINNEST_STRIP = 16
_ALIKE = (
    "The images are nearly the same, so those held apart are no test of the model, and it can learn them by heart: give "
    "images of different places or samples."
)


@dataclass(frozen=True, eq=False)
class Split:
    """Planes to train on and planes to validate with.

    Attributes
    ----------
    training, validation : tuple of Plane
        Both have at least one plane.
    notes : tuple of str
        Sentences about how they were held apart, where that is not by image, and where it is no test of the model.
    """

    training: tuple[Plane, ...]
    validation: tuple[Plane, ...]
    notes: tuple[str, ...] = ()


def split(collection: Collection, fraction: float = 0.1, seed: int = 0, strips: bool = False) -> Split:
    """Hold planes apart for validation, by image wherever there are two or more.

    Parameters
    ----------
    collection : Collection
        The planes.
    fraction : float, default 0.1
        Part of the images for validation; at least one.
    seed : int, default 0
        Which images.
    strips : bool, default False
        Whether a part of every image is held apart instead of some images, where they are large enough: so that
        each image's own noise is validated.

    Returns
    -------
    Split
        Of a single image, the last quarter along the longer side of every plane validates, as the planes of
        a stack are too alike; of planes too small for that, the last planes; of a single small plane, the
        same one serves for both.
    """
    planes = collection.planes
    sources = sorted({plane.source for plane in planes})
    large = all(max(plane.pixels.shape[:2]) // _STRIP_FRACTION >= _THINNEST_STRIP for plane in planes)
    if strips and large and len(sources) > 1:
        parts = [_cut(plane) for plane in planes]
        note = "The last quarter of the longer side of every image is held apart, as each has noise of its own."
        return Split(tuple(first for first, _ in parts), tuple(last for _, last in parts), (note,))
    if len(sources) > 1:
        count = min(max(1, round(fraction * len(sources))), len(sources) - 1)
        notes = (_ALIKE,) if are_alike(planes) else ()
        held = set(np.random.default_rng(seed).choice(sources, count, replace=False).tolist())
        return Split(
            tuple(plane for plane in planes if plane.source not in held),
            tuple(plane for plane in planes if plane.source in held),
            notes,
        )
    if large:
        parts = [_cut(plane) for plane in planes]
        note = "There is one image, so the last quarter of its longer side is held apart for validation."
        return Split(tuple(first for first, _ in parts), tuple(last for _, last in parts), (note,))
    if len(planes) > 1:
        count = min(max(1, round(fraction * len(planes))), len(planes) - 1)
        note = f"There is one stack of small planes, so its last {count} are held apart for validation."
        return Split(planes[:-count], planes[-count:], (note,))
    note = "There is one image, too small to be divided, so validation is done on the training pixels."
    return Split(planes, planes, (note,))


def _cut(plane: Plane) -> tuple[Plane, Plane]:
    """Cut the last quarter off the longer side."""
    axis = int(np.argmax(plane.pixels.shape[:2]))
    length = plane.pixels.shape[axis]
    first, last = np.split(plane.pixels, [length - length // _STRIP_FRACTION], axis=axis)
    return replace(plane, pixels=first), replace(plane, pixels=last)
