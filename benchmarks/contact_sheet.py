#!/usr/bin/env python3
"""Draw the contact sheet of generated images: unselected samples beside as many real patches.

    python benchmarks/contact_sheet.py MODEL FOLDER PICTURE [--size 64] [--count 64] [--across 8]

FOLDER holds grey images that the model has not seen. Every patch is stretched to its own range, as the eye and the kernel
distance of docs/benchmarks.md do; real patches that are nearly empty are passed over, generated ones are not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import imageio.v3 as imageio
import numpy as np

import napari_vaegan as nv
from patches import real_patches, sheet


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--across", type=int, default=8)
    options = parser.parse_args()
    samples = nv.load(options.model).generate(options.count, (options.size, options.size), seed=0)
    patches = real_patches(options.folder, options.size, options.count)
    real, made = sheet(patches, options.across), sheet(list(samples), options.across)
    imageio.imwrite(options.picture, np.concatenate([real, np.full((len(real), 12), 255, np.uint8), made], axis=1))


if __name__ == "__main__":
    main()
