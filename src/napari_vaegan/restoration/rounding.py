"""Rounding a float result to an integer dtype, so that what was observed survives it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def round_to(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round and clip to an integer dtype; floats are only converted."""
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def round_keeping_block_means(
    values: NDArray[np.float64], low: NDArray[Any], factor: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Round to integers of which every block's mean equals the given one exactly.

    Each block's values are rounded down, and the rest is given one by one to those with the largest fractions (the
    largest remainder method), within the limits of the dtype.

    Parameters
    ----------
    values
        (Y, X, C), sides multiples of ``factor``.
    low
        (Y / factor, X / factor, C), integers: the means.
    factor
        Side of a block.
    dtype
        Integer type of ``low`` and of the result.
    """
    height, width, channels = values.shape
    blocks = values.reshape(height // factor, factor, width // factor, factor, channels)
    blocks = blocks.transpose(0, 2, 4, 1, 3).reshape(-1, factor**2)
    wanted = low.reshape(-1).astype(np.float64) * factor**2
    limits = np.iinfo(dtype)
    # Shifting and clipping in turn brings every block's sum within the limits to the wanted one.
    for _ in range(8):
        blocks = np.clip(blocks, limits.min, limits.max)
        blocks = blocks + (wanted - blocks.sum(1))[:, None] / factor**2
    whole = np.clip(np.floor(blocks), limits.min, limits.max)
    rest = blocks - whole
    for _ in range(factor**2):
        missing = wanted - whole.sum(1)
        rank = np.argsort(np.argsort(-np.where(whole < limits.max, rest, -np.inf), axis=1), axis=1)
        up = (rank < missing[:, None]) & (whole < limits.max)
        rank = np.argsort(np.argsort(np.where(whole > limits.min, rest, np.inf), axis=1), axis=1)
        down = (rank < -missing[:, None]) & (whole > limits.min)
        if not (up.any() or down.any()):
            break
        whole += up.astype(np.float64) - down
    result = whole.reshape(height // factor, width // factor, channels, factor, factor).transpose(0, 3, 1, 4, 2)
    return result.reshape(height, width, channels).astype(dtype)
