"""What an instrument could have observed of a true image: in the image's own units, rounded to its dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

READ_NOISE_PHOTONS = 0.5


def block_means(truth: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return the image of a camera whose pixels are ``factor`` times as large; sides must be multiples of it."""
    height, width = (side // factor for side in truth.shape)
    means = truth.reshape(height, factor, width, factor).mean(axis=(1, 3))
    return _to_dtype(means, truth.dtype)


def noisy(truth: NDArray[Any], photons: float, random: np.random.Generator) -> NDArray[Any]:
    """Return the image as seen with so many photons at its brightest pixel, and some read noise."""
    per_photon = intensity_per_photon(truth, photons)
    counts = random.poisson(truth / per_photon) + random.normal(0, READ_NOISE_PHOTONS, truth.shape)
    return _to_dtype(counts * per_photon, truth.dtype)


def intensity_per_photon(truth: NDArray[Any], photons: float) -> float:
    """Return the intensity of one photon, if the brightest pixel has so many."""
    return float(truth.max()) / photons


def holes(shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask of about a fifth of the pixels: boxes of 8 to 32 pixels, and strokes 3 to 9 pixels wide."""
    height, width = shape
    mask = np.zeros(shape, bool)
    while mask.mean() < 0.12:
        rows, columns = random.integers(8, 33, 2)
        top, left = random.integers(0, height - rows), random.integers(0, width - columns)
        mask[top : top + rows, left : left + columns] = True
    while mask.mean() < 0.20:
        drawing = Image.fromarray(mask.astype(np.uint8))
        (x0, x1), (y0, y1) = random.integers(0, width, 2), random.integers(0, height, 2)
        stroke = int(random.integers(3, 10))
        ImageDraw.Draw(drawing).line([int(x0), int(y0), int(x1), int(y1)], fill=1, width=stroke)
        mask = np.asarray(drawing) > 0
    return mask


def _to_dtype(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
