"""What the structure of patches is compared in: features of a network that never learned anything."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

WIDTHS = (32, 64, 128, 128)
"""Of its convolutions, each followed by halving both sides."""

COMPARED = 2
"""Of its layers, the last ones: there a feature sees 22 and 46 pixels, what comes before tells of grain alone."""

MEAN_OF_RECTIFIED = 1 / math.sqrt(2 * math.pi)
"""Of a normal number."""


@torch.no_grad()
def describe_structure(patches: Tensor, unit: float) -> Tensor:
    """Return mean and standard deviation over space of features of a random network: (count, features).

    Naeem et al. (2020) compare images that are unlike photographs so. The encoder's own features took clouds with the grain
    of EM for EM (docs/trials.md), and change as it learns; these are the same in every training.

    Parameters
    ----------
    patches
        (count, channels, height, width), sides of at least 62: the last layer has two places a side then.
    unit
        What the patches are divided by, such as their standard deviation.
    """
    random = torch.Generator().manual_seed(0)
    h = patches.float() / unit
    parts = []
    for width in WIDTHS:
        entering = h.shape[1]
        weight = torch.randn(width, entering, 3, 3, generator=random) / math.sqrt(9 * entering)
        h = functional.avg_pool2d(functional.relu(functional.conv2d(h, weight)) - MEAN_OF_RECTIFIED, 2)
        parts.append(torch.cat([h.mean((2, 3)), h.std((2, 3))], dim=1))
    return torch.cat(parts[-COMPARED:], dim=1)
