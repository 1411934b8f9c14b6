"""What a microscopist would reach for without a model, from scikit-image: the classical tool of every task."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.restoration import denoise_nl_means, estimate_sigma, inpaint_biharmonic
from skimage.transform import resize

Estimate = NDArray[np.float64]


def bicubic(low: NDArray[Any], shape: tuple[int, ...]) -> Estimate:
    """Interpolate by cubic splines."""
    finer: Estimate = resize(low.astype(float), shape, order=3, preserve_range=True)
    return finer


def biharmonic(image: NDArray[Any], mask: NDArray[np.bool_]) -> Estimate:
    """Fill the mask by the smoothest surface: the biharmonic equation."""
    filled: Estimate = inpaint_biharmonic(image.astype(float), mask)
    return filled


def non_local_means(image: NDArray[Any]) -> Estimate:
    """Remove noise by non-local means, told nothing: the noise is estimated from the image."""
    sigma = noise_std(image)
    filtered: Estimate = denoise_nl_means(image.astype(float), sigma=sigma, h=0.8 * sigma)
    return filtered


def noise_std(image: NDArray[Any]) -> float:
    """Estimate the standard deviation of the noise in an image (Y, X): 0 where it is flat, of which nothing can be told."""
    return 0.0 if np.ptp(image) == 0 else float(estimate_sigma(image.astype(float)))
