"""Whether a folder shows one and the same thing over and over again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_vaegan.images.collection import Plane

MOST_COMPARED = 16
"""Planes that are compared, evenly spaced."""

THUMBNAIL_SIDE = 24
"""Blocks along the shorter side: their means are compared, in which noise hardly counts."""

LEAST_CORRELATION = 0.98


def are_alike(planes: Sequence[Plane]) -> bool:
    """Return whether planes are nearly the same, but for noise and brightness.

    The median correlation of the block means of two of them is that of near-duplicates.
    """
    if len(planes) < 2 or len({plane.pixels.shape for plane in planes}) > 1:
        return False
    chosen = np.linspace(0, len(planes) - 1, min(len(planes), MOST_COMPARED)).round().astype(int)
    thumbnails = np.stack([_thumbnail(planes[index].pixels) for index in chosen])
    correlations = thumbnails @ thumbnails.T
    return bool(np.median(correlations[np.triu_indices(len(chosen), 1)]) > LEAST_CORRELATION)


def _thumbnail(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the block means of a plane (Y, X, C), centred and of length 1."""
    height, width, channels = pixels.shape
    block = max(1, min(height, width) // THUMBNAIL_SIDE)
    rows, columns = height // block, width // block
    blocks = pixels[: rows * block, : columns * block].reshape(rows, block, columns, block, channels)
    means = blocks.mean(axis=(1, 3), dtype=np.float64).ravel()
    centred = means - means.mean()
    unit: NDArray[np.float64] = centred / max(float(np.linalg.norm(centred)), 1e-12)
    return unit
