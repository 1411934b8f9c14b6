#!/usr/bin/env python3
"""Measure how many patches of 64² pixels each stage of training learns from in a second, in both number formats.

python benchmarks/training_speed.py FOLDER [--preset small] [--steps 8]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from napari_vaegan import TrainingConfig
from napari_vaegan.images.collection import collect_images
from napari_vaegan.images.division import split
from napari_vaegan.training.device import flushed_denormals, number_format
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.training import Training

MOMENTS = {"early": 0.3, "late": 0.8}
"""Of each stage: patches are small, and grown."""


def measure(folder: Path, preset: str, precision: str, steps: int) -> None:
    """Print the pace of every stage."""
    config = TrainingConfig(preset=preset, precision=precision)
    collection = collect_images(folder)
    division = split(collection)
    training = Training(division.training, division.validation, collection.channels, config)
    with training.players.beside.halved_threads():
        _measure_stages(training, precision, steps)


def _measure_stages(training: Training, precision: str, steps: int) -> None:
    for stage in training.stages:
        for moment, share in MOMENTS.items():
            size = stage.batch_size(Progress(share, share, 0))
            seconds = []
            for _ in range(steps + 2):
                begin = time.perf_counter()
                with number_format(training.device, training.precision):
                    batch = training.batches.take(size).to(training.device)
                    stage.step(training.players, batch, Progress(share, share, 0))
                seconds.append(time.perf_counter() - begin)
            each = sum(seconds[2:]) / steps  # the first two pay for what is loaded and planned once
            pace = size.pixels / 64**2 / each
            patches = f"{size.count} + {size.unobserved} × {size.side}²"
            print(f"{precision} {stage.name} {moment}: {each:.3f} s a step of {patches}, {pace:.0f} patches of 64²/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    with flushed_denormals():
        for precision in ("float32", "bfloat16"):
            measure(options.folder, options.preset, precision, options.steps)


if __name__ == "__main__":
    main()
