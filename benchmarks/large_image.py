#!/usr/bin/env python3
"""Restore one large image and say how long it took and how much memory it needed.

python benchmarks/large_image.py MODEL [--side 4096] [--samples 1]
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

import napari_vaegan as nv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--samples", type=int, default=1)
    options = parser.parse_args()
    model = nv.load(options.model)
    image = np.random.default_rng(0).integers(0, 255, (options.side, options.side), dtype=np.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    result = model.denoise(image, samples=options.samples)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{options.side}² pixels, {options.samples} samples: {seconds:.1f} s in {result.report['tiles']} tiles")
    print(f"peak memory {peak / 2**20:.2f} GiB, of which {before / 2**20:.2f} GiB before the restoration began")


if __name__ == "__main__":
    main()
