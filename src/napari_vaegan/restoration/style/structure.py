"""What an image shows, whatever its look: sizes and contrasts that no change of brightness alters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu

_SIDE = 256
"""Pixels of the middle of a plane that are looked at."""

_BANDS = 6
"""Each of twice the size of the one before."""

_BRIGHT, _DARK = 0.9, 0.5
_SHAPE = (0.02, 0.1, 0.25, 0.75, 0.9, 0.98)


def describe_structure(plane: NDArray[Any]) -> NDArray[np.float64]:
    """Describe what a plane ``(Y, X)`` shows by numbers that hardly change with gain, offset, gamma or uneven light.

    Pixels are replaced by their ranks, which any rising curve of brightness leaves as they are. The description is the
    energy of these in bands of six scales, in the whole plane, its bright parts and its dark half; the shape of the
    distribution of log intensity; and share and outline of what is brighter than Otsu's threshold.
    """
    rows, columns = (slice(max(0, (side - _SIDE) // 2), (side + _SIDE) // 2) for side in plane.shape)
    pixels = plane[rows, columns].astype(np.float64)
    order = np.argsort(pixels + _dither(pixels), axis=None)
    ranks: NDArray[np.float64] = np.empty(pixels.shape)
    ranks.flat[order] = np.linspace(0, 1, pixels.size)
    bright, dark = ranks > _BRIGHT, ranks < _DARK
    energies, finer = [], ranks
    for _ in range(_BANDS):
        coarser = gaussian_filter(finer, 1.5)
        band = (finer - coarser) ** 2
        energies += [band.mean(), *(band[part].mean() if part.any() else 0.0 for part in (bright, dark))]
        finer, bright, dark = coarser[::2, ::2], bright[::2, ::2], dark[::2, ::2]
    return np.concatenate([np.log(np.array(energies) + 1e-6), *_distribution(gaussian_filter(pixels, 1.0))])


def _dither(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return less than a step of intensity at random, always the same, so that equal pixels get ranks in no order."""
    steps = np.diff(np.unique(pixels[::2, ::2]))
    return np.random.default_rng(0).random(pixels.shape) * (0.5 * steps.min() if len(steps) else 1.0)


def _distribution(smooth: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    low, high = smooth.min(), np.quantile(smooth, 0.999)
    logs = np.log((smooth - low) / max(high - low, 1e-12) + 0.02)
    middle, *quantiles = np.quantile(logs, (0.5, *_SHAPE))
    shape = (np.array(quantiles) - middle) / max(quantiles[-1] - quantiles[0], 1e-12)
    objects = logs > threshold_otsu(logs) if np.ptp(logs) > 0 else np.zeros(logs.shape, bool)
    share = objects.mean()
    outline = (objects[1:] != objects[:-1]).mean() + (objects[:, 1:] != objects[:, :-1]).mean()
    return [shape, np.log([(share + 0.001) / (1.001 - share), outline + 1e-4])]
