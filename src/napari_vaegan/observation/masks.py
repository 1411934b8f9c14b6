"""Random holes to train inpainting: many shapes and sizes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.draw import disk, line
from skimage.transform import resize


def random_mask(size: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask (size, size), True where a pixel is missing: between 3 and 60 % of them, never all."""
    wanted = random.uniform(0.03, 0.4)
    mask = np.zeros((size, size), bool)
    shapes = random.choice(len(SHAPES), p=SHARES)
    for _ in range(40):
        SHAPES[shapes](mask, random)
        if random.uniform() < 0.3:
            shapes = random.choice(len(SHAPES), p=SHARES)
        if mask.mean() >= wanted:
            break
    if mask.mean() > 0.6:
        mask = ~mask
    return mask


def _box(mask: NDArray[np.bool_], random: np.random.Generator) -> None:
    size = len(mask)
    height, width = random.integers(4, max(6, min(40, size // 2)), 2)
    row, column = random.integers(-height // 2, size - height // 2), random.integers(-width // 2, size - width // 2)
    mask[max(row, 0) : row + height, max(column, 0) : column + width] = True


def _stroke(mask: NDArray[np.bool_], random: np.random.Generator) -> None:
    size = len(mask)
    width = int(random.integers(1, 10))
    rows, columns = line(*random.integers(0, size, 4))
    for row, column in zip(rows[:: max(1, width // 3)], columns[:: max(1, width // 3)], strict=True):
        mask[disk((row, column), width / 2 + 0.5, shape=mask.shape)] = True


def _blob(mask: NDArray[np.bool_], random: np.random.Generator) -> None:
    size = len(mask)
    cells = int(random.integers(3, 9))
    field = resize(random.standard_normal((cells, cells)), (size, size), order=1)
    mask |= field > random.uniform(0.7, 1.4)


def _pixels(mask: NDArray[np.bool_], random: np.random.Generator) -> None:
    mask |= random.uniform(0, 1, mask.shape) < random.uniform(0.02, 0.2)


def _side(mask: NDArray[np.bool_], random: np.random.Generator) -> None:
    depth = int(random.integers(2, max(3, len(mask) // 4)))
    turned = np.rot90(mask, int(random.integers(4)))
    turned[:depth] = True


SHAPES = (_box, _stroke, _blob, _pixels, _side)
SHARES = (0.4, 0.3, 0.12, 0.1, 0.08)
