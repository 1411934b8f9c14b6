#!/usr/bin/env python3
"""How much of images their latents express: the PSNR of images that are encoded and decoded.

    python benchmarks/decode.py MODEL FOLDER [--images 8]

FOLDER holds grey images that the model has not seen; PSNR is over each image's own range, beside a flat image of its mean.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from skimage.metrics import peak_signal_noise_ratio

import napari_vaegan as nv
from napari_vaegan.images.reading import find_files, read_image


def psnr(truth: ArrayLike, estimate: ArrayLike) -> float:
    """Return the PSNR in dB over the range of the truth."""
    values = np.asarray(truth, np.float64)
    return float(peak_signal_noise_ratio(values, np.asarray(estimate, np.float64), data_range=float(np.ptp(values))))


def main() -> None:
    """Print a row an image, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=8)
    options = parser.parse_args()
    model, files = nv.load(options.model), find_files(options.folder)
    rows = []
    for index in np.linspace(0, len(files) - 1, options.images).astype(int):
        image = np.asarray(read_image(files[index]).pixels)
        rows.append((psnr(image, model.decode(model.encode(image))), psnr(image, np.full(image.shape, image.mean()))))
        print(f"{files[index].name}: {rows[-1][0]:.1f} dB, flat {rows[-1][1]:.1f} dB", flush=True)
    print("mean: {:.1f} dB, flat {:.1f} dB".format(*np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
