"""What patches are compared in: features of the encoder, without their place."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_vaegan.networks.vae_gan import VaeGan

AT_ONCE = 16
"""Patches that are seen together."""


@torch.no_grad()
def describe(networks: VaeGan, patches: Tensor, device: torch.device) -> Tensor:
    """Return mean and standard deviation over space of the encoder's features at every stride: (count, features).

    The encoder has learned what tells these images apart, and needs no network that was trained on photographs.

    Parameters
    ----------
    networks
        Whose encoder looks.
    patches
        (count, channels, height, width) in scaled units.
    device
        Where the networks are.
    """
    parts = []
    for begin in range(0, len(patches), AT_ONCE):
        seen = networks.see_truth(patches[begin : begin + AT_ONCE].to(device))
        pooled = [value for feature in seen for value in (feature.float().mean((2, 3)), feature.float().std((2, 3)))]
        parts.append(torch.cat(pooled, dim=1).cpu())
    return torch.cat(parts)


def standardised(features: Tensor, reference: Tensor) -> Tensor:
    """Give every feature the mean 0 and the standard deviation 1 over a reference (count, features)."""
    return (features - reference.mean(0)) / reference.std(0).clamp(min=1e-6)
