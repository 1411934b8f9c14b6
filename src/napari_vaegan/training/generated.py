"""Generated patches: what networks in training draw where nothing is observed."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import observe_nothing

AT_ONCE = 16
"""Patches that are drawn together."""


@torch.no_grad()
def generate_patches(networks: VaeGan, count: int, side: int, device: torch.device) -> Tensor:
    """Draw patches as ``Model.generate`` does, each the middle of a larger field: (count, channels, side, side).

    Parameters
    ----------
    networks
        On ``device``.
    count, side
        How many patches, and their side in pixels: a multiple of the networks' stride.
    device
        Where the networks are.
    """
    field = side + 2 * networks.margin
    nothing = observe_nothing(torch.zeros(1, networks.channels, field, field)).to(device)
    features = networks.see(nothing.estimate, nothing.known, nothing.noise, nothing.condition)
    mean, _ = networks.mean(nothing.estimate, features, nothing.condition)
    middle = slice(networks.margin, networks.margin + side)
    drawn = []
    for begin in range(0, count, AT_ONCE):
        several = min(AT_ONCE, count - begin)
        copies = [feature.expand(several, *feature.shape[1:]) for feature in features]
        draw = networks.unobserved_noise(several, field, field)
        residual = networks.generator.sample(copies, nothing.condition.expand(several, -1), draw).float()
        drawn.append((mean + residual)[..., middle, middle].cpu())
    return torch.cat(drawn)
