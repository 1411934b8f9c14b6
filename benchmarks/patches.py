"""Real patches to compare generated ones with, and sheets of either to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.images.reading import find_files, read_image

GAP = 2


def real_patches(folder: Path, size: int, count: int, seed: int = 0) -> list[NDArray[Any]]:
    """Cut patches (size, size) from random places in a folder of grey images; nearly empty ones are passed over."""
    random, files, found = np.random.default_rng(seed), find_files(folder), []
    while len(found) < count:
        image = np.asarray(read_image(files[random.integers(len(files))]).pixels)
        row, column = (random.integers(0, side - size + 1) for side in image.shape)
        patch = image[row : row + size, column : column + size]
        if patch.std() > 0.05 * image.max():
            found.append(patch)
    return found


def sheet(patches: Sequence[NDArray[Any]], across: int) -> NDArray[np.uint8]:
    """Lay patches side by side in rows, each stretched to its own range, as the eye and the kernel distance do."""
    framed = [np.pad(_stretched(patch), GAP // 2, constant_values=128) for patch in patches]
    rows = [np.concatenate(framed[begin : begin + across], axis=1) for begin in range(0, len(framed), across)]
    return np.concatenate(rows)


def _stretched(patch: NDArray[Any]) -> NDArray[np.uint8]:
    values = patch.astype(np.float64) - patch.min()
    return np.rint(255 * values / max(float(values.max()), 1e-6)).astype(np.uint8)
