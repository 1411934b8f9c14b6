#!/usr/bin/env python3
"""Draw the contact sheet of generated images: 64 unselected samples beside 64 real patches.

    python docs/make_samples.py MODEL FOLDER PICTURE [--size 64]

FOLDER holds grey images that the model has not seen. Every patch is stretched to its own range, as the eye and the kernel
distance of docs/benchmarks.md do; real patches that are nearly empty are passed over, generated ones are not.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray

import napari_vaegan as nv
from napari_vaegan.images.reading import find_files, read_image

COUNT, ACROSS, GAP = 64, 8, 2


def real_patches(folder: Path, size: int) -> list[NDArray[Any]]:
    """Cut patches that are not nearly empty, from places at random."""
    random, files, found = np.random.default_rng(0), find_files(folder), []
    while len(found) < COUNT:
        image = np.asarray(read_image(files[random.integers(len(files))]).pixels)
        row, column = (random.integers(0, side - size + 1) for side in image.shape)
        patch = image[row : row + size, column : column + size]
        if patch.std() > 0.05 * image.max():
            found.append(patch)
    return found


def sheet(patches: list[NDArray[Any]]) -> NDArray[np.uint8]:
    """Lay patches side by side."""
    framed = [np.pad(_stretched(patch), GAP // 2, constant_values=128) for patch in patches]
    rows = [np.concatenate(framed[begin : begin + ACROSS], axis=1) for begin in range(0, len(framed), ACROSS)]
    return np.concatenate(rows)


def _stretched(patch: NDArray[Any]) -> NDArray[np.uint8]:
    values = patch.astype(np.float64) - patch.min()
    return np.rint(255 * values / max(float(values.max()), 1e-6)).astype(np.uint8)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()
    samples = nv.load(options.model).generate(COUNT, (options.size, options.size), seed=0)
    real, made = sheet(real_patches(options.folder, options.size)), sheet(list(samples))
    imageio.imwrite(options.picture, np.concatenate([real, np.full((len(real), 12), 255, np.uint8), made], axis=1))


if __name__ == "__main__":
    main()
