#!/usr/bin/env python3
"""Measure what quality="best" gains over "fast": PSNR of the mean, coverage of the 90 % interval, and time, per task.

python benchmarks/self_ensemble.py MODEL FOLDER [--images 8]
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

import napari_vaegan as nv
from trials import Trial, trials


def measure(trial: Trial, quality: str) -> tuple[float, float, float]:
    """Return PSNR of the mean in dB, the share of true pixels inside the 90 % interval, and seconds."""
    begin = time.perf_counter()
    result = trial.restore(samples=0, quality=quality)
    seconds = time.perf_counter() - begin
    low, high = result.interval(0.9)
    inside = (low <= trial.truth) & (trial.truth <= high)
    return trial.psnr(result.mean), float(inside[trial.counted].mean()), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path, help="of grey test images")
    parser.add_argument("--images", type=int, default=8)
    options = parser.parse_args()
    rows = defaultdict(list)
    for trial in trials(nv.load(options.model), options.folder, options.images):
        rows[trial.task].append([measure(trial, quality) for quality in ("fast", "best")])
    print(f"{'task':18} fast dB  best dB    gain   ± s.e.  fast covers  best covers  times slower")
    for task, values in rows.items():
        figures = np.array(values)
        (fast, inside, seconds), (best, inside_best, seconds_best) = figures.mean(axis=0)
        gains = figures[:, 1, 0] - figures[:, 0, 0]
        error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
        print(
            f"{task:18} {fast:7.2f} {best:8.2f} {best - fast:+7.3f} {error:8.3f} {100 * inside:10.1f} % "
            f"{100 * inside_best:10.1f} % {seconds_best / seconds:13.1f}"
        )


if __name__ == "__main__":
    main()
