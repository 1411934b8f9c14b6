"""Posterior collapse: latents that tell nothing of the image."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_vaegan.networks.vae_gan import VaeGan

ACTIVE = 0.01
"""A latent channel is active from this variance of its posterior mean on (Burda et al. 2016, section 4.1)."""


@torch.no_grad()
def active_units(networks: VaeGan, patches: Tensor, device: torch.device) -> tuple[float, ...]:
    """Return the share of active latent channels of every level, coarsest first.

    A channel is active where its posterior mean, in standard deviations of the prior, varies over images and places.
    """
    count, _, height, width = patches.shape
    nothing = [feature.expand(count, *feature.shape[1:]) for feature in networks.see_nothing(height, width)]
    noise = networks.generator.encode(nothing, networks.see_truth(patches.to(device)), networks.no_condition(count))
    means = noise[: len(networks.generator.levels)]
    return tuple(float((mean.float().var(dim=(0, 2, 3)) > ACTIVE).float().mean()) for mean in means)
