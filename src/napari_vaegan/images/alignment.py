"""Bringing a mask from its own grid of pixels to that of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform


def nearest_on_grid(mask: Any, matrix: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Look up, for every pixel of an image, whether the nearest pixel of a mask is set.

    Parameters
    ----------
    mask : array
        Above 0 where it is set; of at most as many dimensions as the image.
    matrix : (m + 1, n + 1)
        Affine map, in homogeneous coordinates, from the image's pixel coordinates to the mask's.
    shape
        Of the image, n lengths.

    Returns
    -------
    ndarray of bool
        Of the image's shape. What lies outside the mask is not set. A mask of fewer dimensions is repeated.
    """
    mask = np.asarray(mask) > 0
    missing = len(shape) - mask.ndim
    linear = np.zeros((len(shape), len(shape)))
    offset = np.zeros(len(shape))
    linear[missing:], offset[missing:] = matrix[:-1, :-1], matrix[:-1, -1]
    # A cast to bytes, as affine_transform does not take booleans.
    looked_up: NDArray[np.uint8] = affine_transform(
        mask.astype(np.uint8)[(None,) * missing], linear, offset, tuple(shape), order=0, mode="grid-constant", cval=0
    )
    return looked_up.astype(bool)
