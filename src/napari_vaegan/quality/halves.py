"""Two halves of the images held apart: what is calibrated on one is counted on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from napari_vaegan.images.collection import Plane

Halves = Literal["images", "parts", "patches"]

SMALLEST_HALF = 48
"""Pixels: a patch that is larger is continued by reflection, and more than half of it should be real."""


def halve(planes: Sequence[Plane]) -> tuple[list[Plane], list[Plane], Halves]:
    """Divide planes so that no pixel is in both halves: by image, else across each plane, else not at all.

    Returns
    -------
    first, second
        Each with at least one plane.
    halves
        What they are made of; ``"patches"`` where both are all planes, as these are too small to be cut.
    """
    sources = sorted({plane.source for plane in planes})
    if len(sources) > 1:
        odd = set(sources[1::2])
        first, second = ([plane for plane in planes if (plane.source in odd) == half] for half in (False, True))
        return first, second, "images"
    if all(max(plane.pixels.shape[:2]) >= 2 * SMALLEST_HALF for plane in planes):
        cut = [_cut(plane) for plane in planes]
        return [first for first, _ in cut], [second for _, second in cut], "parts"
    return list(planes), list(planes), "patches"


def _cut(plane: Plane) -> tuple[Plane, Plane]:
    axis = int(np.argmax(plane.pixels.shape[:2]))
    first, second = np.array_split(plane.pixels, 2, axis=axis)
    return replace(plane, pixels=first), replace(plane, pixels=second)
