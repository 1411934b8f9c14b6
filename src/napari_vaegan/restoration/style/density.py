"""Optical density: how much of the light an image takes away. In it stains add up, and looks differ by a linear map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DARKEST = 0.1
"""Added to every intensity, as a share of white: what is nearly black has nearly the density of black."""

_WHITES = (1, 255, 1023, 4095, 16383, 65535, 2**32 - 1)


@dataclass(frozen=True)
class DensityScale:
    """How intensities and densities belong together.

    Attributes
    ----------
    white
        The intensity of density 0.
    """

    white: float

    def density(self, pixels: NDArray[Any]) -> NDArray[np.float64]:
        """Return the optical density of intensities; those below 0 count as black."""
        share: NDArray[np.float64] = np.maximum(pixels, 0).astype(np.float64) / self.white
        return -np.log((share + DARKEST) / (1 + DARKEST))

    def intensity(self, density: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the intensities of densities."""
        return self.white * ((1 + DARKEST) * np.exp(-density) - DARKEST)


def white_of(dtype: np.dtype[Any], largest: float) -> float:
    """Return the intensity of full light: the end of the camera's bit depth that the largest intensity fits into."""
    if dtype == np.uint8:
        return 255.0
    lowest = 1 if dtype.kind == "f" else 255
    return float(next((white for white in _WHITES if lowest <= white and largest <= white), largest))


def evenly(pixels: NDArray[Any], count: int) -> NDArray[Any]:
    """Return at most so many evenly spaced rows ``(count, C)`` of pixels ``(..., C)``."""
    flat = pixels.reshape(-1, pixels.shape[-1])
    chosen: NDArray[Any] = flat[np.linspace(0, len(flat) - 1, min(count, len(flat))).astype(int)]
    return chosen


def evenly_chosen(items: int, most: int) -> Sequence[int]:
    """Return at most so many evenly spaced indices."""
    chosen: list[int] = np.unique(np.linspace(0, items - 1, min(items, most)).round().astype(int)).tolist()
    return chosen
