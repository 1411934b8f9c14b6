"""Rounding a float result to an integer dtype, so that what was observed survives it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BISECTIONS = 48
"""At most: enough for 32-bit integers; the largest of 64 bits are beyond double precision, where none would do."""


def round_to(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round and clip to an integer dtype; floats are only converted."""
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def count_outside(values: NDArray[np.float64], dtype: np.dtype[Any]) -> int:
    """Return how many values rounding to a dtype clips."""
    if dtype.kind == "f":
        return 0
    limits = np.iinfo(dtype)
    return int(np.count_nonzero((values < limits.min - 0.5) | (values > limits.max + 0.5)))


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
    blocks += (wanted - blocks.sum(1))[:, None] / factor**2
    limits = np.iinfo(dtype)
    outside = ((blocks < limits.min) | (blocks > limits.max)).any(1)
    blocks[outside] = _shift_within(blocks[outside], wanted[outside], limits.min, limits.max)
    whole = np.floor(blocks)
    missing = wanted - whole.sum(1)
    rank = np.argsort(np.argsort(whole - blocks, axis=1), axis=1)
    whole += rank < missing[:, None]
    result = whole.reshape(height // factor, width // factor, channels, factor, factor).transpose(0, 3, 1, 4, 2)
    return result.reshape(height, width, channels).astype(dtype)


def _shift_within(blocks: NDArray[np.float64], wanted: NDArray[np.float64], low: int, high: int) -> NDArray[np.float64]:
    """Return the nearest blocks (count, pixels) within limits whose sums are the wanted ones, to less than one.

    That is each block shifted by one number and clipped; the number is found by bisection, as the sum grows with it.
    """
    least, most = low - blocks.max(1), high - blocks.min(1)
    for _ in range(BISECTIONS):
        if (most - least < 0.5 / blocks.shape[1]).all():
            break
        middle = (least + most) / 2
        too_little = np.clip(blocks + middle[:, None], low, high).sum(1) < wanted
        least, most = np.where(too_little, middle, least), np.where(too_little, most, middle)
    shifted: NDArray[np.float64] = np.clip(blocks + least[:, None], low, high)
    return shifted
