"""An overfitted discriminator: it knows the training patches by heart, and takes other real ones for samples."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.observation.observation import observe_nothing

LEAST_GAP = 1.0
"""Logits between training patches and samples, below which a discriminator has hardly learned anything to forget."""


@torch.no_grad()
def verdict(discriminator: Discriminator, patches: Tensor, device: torch.device) -> float:
    """Return the mean logit of patches (count, channels, height, width) of which nothing was observed."""
    seen = observe_nothing(patches).to(device)
    logits, _ = discriminator(discriminator.view(patches.to(device)), seen.estimate, seen.known)
    return float(torch.stack([logit.float().mean() for logit in logits]).mean())


def overfitting(trained: float, held_apart: float, made: float) -> float:
    """Return (D(train) - D(validation)) / (D(train) - D(samples)) (Karras et al. 2020, eq. 1).

    0: it judges all real patches alike, or knows none of them; 1: those that it has not learned are samples to it.
    """
    gap = trained - made
    return (trained - held_apart) / gap if gap > LEAST_GAP else 0.0
