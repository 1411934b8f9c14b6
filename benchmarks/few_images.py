#!/usr/bin/env python3
"""Train on a few images of a folder, and see whether what is generated was memorised, or is all the same.

    python benchmarks/few_images.py DATA/nuclei/train [--images 50] [--minutes 10] [--json OUT]

What is printed is the training's own diagnosis: coverage of patches held apart beside that of training patches, how much
samples differ from each other beside real patches, their distance to the nearest training patch in units of that of patches
held apart (copies have 0, new images 1), and how much of the training images the discriminator knows by heart.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import napari_vaegan as nv
from napari_vaegan.images.reading import find_files
from napari_vaegan.training.events import Diagnosed, Warned
from restoration import commit, machine

LEAST_DISTANCE = 0.9
"""To the nearest training patch, in units of that of patches held apart, from which on nothing is memorised."""


def train(images: list[Path], minutes: float) -> dict[str, Any]:
    """Train on copies of these images; return what was diagnosed and warned of."""
    diagnosed: list[dict[str, Any]] = []
    warned: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, Diagnosed) and event.diagnosis.coverage is not None:
            names = ("coverage", "floor", "diversity", "distance", "overfitting")
            diagnosed.append({"step": event.step} | {name: getattr(event.diagnosis, name) for name in names})
            print("  ".join(f"{name} {value:.3g}" for name, value in diagnosed[-1].items() if value is not None), flush=True)
        if isinstance(event, Warned):
            warned.append(event.message)
            print(event.message, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        for path in images:
            shutil.copy(path, folder)
        checkpoint = Path(folder) / "few.checkpoint"
        nv.train(folder, nv.TrainingConfig(preset="small", minutes=minutes), on_event=listen, checkpoint=checkpoint)
    return {"diagnosed": diagnosed, "warned": warned}


def main() -> None:
    """Train, and say how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = find_files(options.folder)
    chosen = [files[index] for index in np.linspace(0, len(files) - 1, options.images).astype(int)]
    result = {"images": len(chosen), "minutes": options.minutes, "commit": commit(), "machine": machine()}
    result |= train(chosen, options.minutes)
    last = result["diagnosed"][-1]
    memorised = (
        "nothing is memorised" if last["distance"] >= LEAST_DISTANCE else f"less than the {LEAST_DISTANCE:g} aimed at"
    )
    print(f"{len(chosen)} images, {options.minutes:g} minutes: distance {last['distance']:.2f}, {memorised}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
