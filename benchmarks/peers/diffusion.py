#!/usr/bin/env python3
"""Train a diffusion model on a folder of images, and generate images by 25 steps of DDIM.

    python diffusion.py FOLDER RESULTS --minutes 30

Run by ``generation_peers.py`` in an environment of its own. Network, learning rate, batch and running average are those of
the package's read-me and trainer, but for the number of channels, 32 instead of 64, which two cores can train.
"""

from __future__ import annotations

import time
from importlib.metadata import version

import torch

# Pip's torchvision for Linux is compiled for CUDA and cannot load its operators beside torch for the processor alone. None
# of them is needed, but it cannot be imported unless these two have a name.
if torch.version.cuda is None:
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from crops import COUNT, SEED, SIDE, Crops, arguments, hand_over, parameters
from denoising_diffusion_pytorch import GaussianDiffusion, Unet
from ema_pytorch import EMA

CHANNELS = 32
BATCH = 16
STEPS_OF_SAMPLING = 25


def main() -> None:
    options = arguments(__doc__ or "")
    torch.manual_seed(SEED)
    crops = Crops(options.folder)
    network = Unet(dim=CHANNELS, dim_mults=(1, 2, 4, 8), channels=1)
    diffusion = GaussianDiffusion(network, image_size=SIDE, sampling_timesteps=STEPS_OF_SAMPLING)
    optimizer = torch.optim.Adam(diffusion.parameters(), lr=1e-4, betas=(0.9, 0.99))
    average = EMA(diffusion, beta=0.995, update_every=10)
    steps, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < 60 * options.minutes:
        optimizer.zero_grad()
        diffusion(crops.batch(BATCH)).backward()
        torch.nn.utils.clip_grad_norm_(diffusion.parameters(), 1.0)
        optimizer.step()
        average.update()
        steps += 1
    begin = time.perf_counter()
    images = torch.cat([average.ema_model.sample(batch_size=BATCH) for _ in range(COUNT // BATCH)])
    training = {
        "steps": steps,
        "batch": BATCH,
        "parameters": parameters(network),
        "s_per_image": round((time.perf_counter() - begin) / COUNT, 3),
        "threads": torch.get_num_threads(),
        "packages": {name: version(name) for name in ("denoising-diffusion-pytorch", "torch")},
    }
    hand_over(options.results, images[:, 0].numpy(), training)


if __name__ == "__main__":
    main()
