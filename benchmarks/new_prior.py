#!/usr/bin/env python3
"""Train a new prior on the weights of a trained model: what a change to the prior is worth, apart from the luck of the rest.

python benchmarks/new_prior.py MODEL FOLDER OUT [--minutes 6] [--seed 0]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

import napari_vaegan as nv
from napari_vaegan.images.collection import collect_images
from napari_vaegan.images.division import split
from napari_vaegan.restoration.model_file import write_model
from napari_vaegan.training.batches import BatchSize
from napari_vaegan.training.device import flushed_denormals, number_format
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.training import Training

MEASURED = 48
"""Patches that tell how latents are distributed."""


def learn(training: Training, minutes: float) -> int:
    """Train the flow for some minutes, as the last stage of a training does; return how many steps were made."""
    stage, players = training.stages[-1], training.players
    begin, step = time.monotonic(), 0
    while (share := (time.monotonic() - begin) / (60 * minutes)) < 1:
        progress = Progress(share, share, step)
        with number_format(training.device, training.precision):
            batch = training.batches.take(stage.batch_size(progress)).to(training.device)
            stage.step(players, batch, progress)
        step += 1
    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path, help="the images that it was trained on")
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.out.exists():
        parser.error(f"{options.out} exists already: choose another name.")
    model = nv.load(options.model)
    collection = collect_images(options.folder)
    division = split(collection)
    torch.manual_seed(options.seed)
    config = model.header.config.model_copy(update={"seed": options.seed})
    training = Training(division.training, division.validation, collection.channels, config)
    players = training.players
    flow = {f"flow.{name}": weight for name, weight in players.networks.flow.state_dict().items()}  # of a new one
    players.go_on_from(model.engine.networks.state_dict() | flow)
    with flushed_denormals(), players.beside.halved_threads():
        patches = training.batches.take(BatchSize(0, config.patch_size, unobserved=MEASURED))
        players.measure_latents(patches.truth.to(training.device))
        steps = learn(training, options.minutes)
    write_model(options.out, players.average.module, model.header)
    print(f"{steps} steps: {options.out}")


if __name__ == "__main__":
    main()
