#!/usr/bin/env python3
"""Hold the mean of many samples against the best estimate: they should agree, per task, within a tenth of a dB.

python benchmarks/sample_mean.py MODEL --data DATA [--set nuclei] [--images 4] [--samples 64]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

import napari_vaegan as nv
from trials import trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the image sets")
    parser.add_argument("--set", default="nuclei", help="the set on whose test images it is tried")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--samples", type=int, default=64)
    options = parser.parse_args()
    rows = defaultdict(list)
    for trial in trials(nv.load(options.model), options.data / options.set / "test", options.images):
        result = trial.restore(samples=options.samples)
        estimates = (result.mean, result.samples.mean(axis=0), result.samples[0])
        rows[trial.task].append([trial.psnr(estimate) for estimate in estimates])
    print(f"{'task':18} mean dB  mean of {options.samples} samples   below the mean  one sample")
    for task, values in rows.items():
        mean, average, one = np.mean(values, axis=0)
        print(f"{task:18} {mean:7.2f} {average:18.2f} {mean - average:+14.2f} {one:13.2f}")


if __name__ == "__main__":
    main()
