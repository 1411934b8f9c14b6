#!/usr/bin/env python3
"""Train pythae's VAE-GAN on a folder of images, and generate images from normal noise.

    python library_vaegan.py FOLDER RESULTS --minutes 30

Run by ``generation_peers.py`` in an environment of its own. The library brings model, losses, trainer and sampler with their
defaults, but that reconstructions are compared in the features of the third convolution, not in the verdict; it leaves the
networks to the user for images: here four convolutions of 32 to 256 channels each.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from crops import COUNT, SEED, SIDE, Crops, arguments, hand_over, parameters
from pythae.data.datasets import DatasetOutput
from pythae.models import VAEGAN, VAEGANConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseDiscriminator, BaseEncoder
from pythae.samplers import NormalSampler
from pythae.trainers import CoupledOptimizerAdversarialTrainer, CoupledOptimizerAdversarialTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torch import nn

CHANNELS = (32, 64, 128, 256)
BOTTOM = SIDE // 2 ** len(CHANNELS)
LATENTS = 128
BATCH = 64


class EndlessCrops(torch.utils.data.Dataset[DatasetOutput]):
    """Crops as pythae's trainer takes them; an epoch is a hundred steps."""

    def __init__(self, crops: Crops) -> None:
        self.crops = crops

    def __len__(self) -> int:
        return 100 * BATCH

    def __getitem__(self, index: int) -> DatasetOutput:
        return DatasetOutput(data=self.crops.one())


def convolutions() -> nn.Sequential:
    """Return four convolutions, each of which halves the image."""
    halvings = [
        nn.Sequential(nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.LeakyReLU(0.2))
        for before, after in pairwise((1, *CHANNELS))
    ]
    return nn.Sequential(*halvings)


class Encoder(BaseEncoder):
    """Image to mean and log variance of its latents."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = convolutions()
        self.mean = nn.Linear(CHANNELS[-1] * BOTTOM**2, LATENTS)
        self.log_variance = nn.Linear(CHANNELS[-1] * BOTTOM**2, LATENTS)

    def forward(self, images: torch.Tensor) -> ModelOutput:
        """Encode images (number, 1, 64, 64)."""
        features = self.convolutions(images).flatten(1)
        return ModelOutput(embedding=self.mean(features), log_covariance=self.log_variance(features))


class Decoder(BaseDecoder):
    """Latents to image."""

    def __init__(self) -> None:
        super().__init__()
        self.begin = nn.Linear(LATENTS, CHANNELS[-1] * BOTTOM**2)
        doublings = [
            nn.Sequential(nn.ConvTranspose2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.ReLU())
            for before, after in pairwise(CHANNELS[::-1])
        ]
        self.convolutions = nn.Sequential(*doublings, nn.ConvTranspose2d(CHANNELS[0], 1, 4, 2, 1), nn.Sigmoid())

    def forward(self, latents: torch.Tensor) -> ModelOutput:
        """Decode latents (number, 128) to images in 0…1."""
        features = self.begin(latents).unflatten(1, (CHANNELS[-1], BOTTOM, BOTTOM))
        return ModelOutput(reconstruction=self.convolutions(features))


class Discriminator(BaseDiscriminator):
    """Image to the probability that it is real, and to the features of the layers that are asked for, counted from 1."""

    def __init__(self) -> None:
        super().__init__()
        verdict = nn.Sequential(nn.Flatten(), nn.Linear(CHANNELS[-1] * BOTTOM**2, 1), nn.Sigmoid())
        self.layers = nn.ModuleList([*convolutions(), verdict])
        self.depth = len(self.layers)

    def forward(self, images: torch.Tensor, output_layer_levels: list[int] | None = None) -> ModelOutput:
        """Judge images (number, 1, 64, 64)."""
        output = ModelOutput()
        for number, layer in enumerate(self.layers, start=1):
            images = layer(images)
            if output_layer_levels and number in output_layer_levels:
                output[f"embedding_layer_{number}"] = images
        output["embedding"] = images
        return output


class TimeIsUp(Exception):
    """Ends the trainer, which counts epochs alone."""


class Clock(TrainingCallback):
    """Counts steps, and stops a training when its time is up."""

    def __init__(self, minutes: float) -> None:
        self.steps, self.end = 0, time.perf_counter() + 60 * minutes

    def on_train_step_end(self, training_config: Any, **others: Any) -> None:
        """Count a step."""
        self.steps += 1
        if time.perf_counter() > self.end:
            raise TimeIsUp


def train(model: VAEGAN, crops: Crops, minutes: float, folder: Path) -> int:
    """Train a model; return the number of steps."""
    config = CoupledOptimizerAdversarialTrainerConfig(
        output_dir=str(folder), num_epochs=10**9, per_device_train_batch_size=BATCH, no_cuda=True, seed=SEED
    )
    clock = Clock(minutes)
    trainer = CoupledOptimizerAdversarialTrainer(model, EndlessCrops(crops), training_config=config, callbacks=[clock])
    try:
        trainer.train()
    except TimeIsUp:
        return clock.steps
    raise AssertionError("the trainer ended before its time")


def main() -> None:
    options = arguments(__doc__ or "")
    torch.manual_seed(SEED)
    crops = Crops(options.folder)
    config = VAEGANConfig(input_dim=(1, SIDE, SIDE), latent_dim=LATENTS, reconstruction_layer=len(CHANNELS) - 1)
    model = VAEGAN(config, Encoder(), Decoder(), Discriminator())
    steps = train(model, crops, options.minutes, options.results / "pythae")
    model.eval()
    begin = time.perf_counter()
    images = NormalSampler(model).sample(COUNT, batch_size=BATCH)
    training = {
        "steps": steps,
        "batch": BATCH,
        "parameters": parameters(model),
        "s_per_image": round((time.perf_counter() - begin) / COUNT, 5),
        "threads": torch.get_num_threads(),
        "packages": {name: version(name) for name in ("pythae", "torch")},
    }
    hand_over(options.results, images[:, 0].cpu().numpy(), training)


if __name__ == "__main__":
    main()
