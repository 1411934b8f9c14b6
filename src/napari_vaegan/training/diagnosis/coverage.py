"""Mode collapse: samples that show only some of what there is, or all look alike."""

from __future__ import annotations

import torch
from torch import Tensor

NEIGHBOURS = 5


def coverage(real: Tensor, made: Tensor) -> float:
    """Return the share of real images with a made one nearer than their fifth nearest real neighbour.

    Naeem et al. (2020), eq. 8.

    Parameters
    ----------
    real, made
        Features (count, features).
    """
    among_real = torch.cdist(real, real)
    reach = among_real.kthvalue(min(NEIGHBOURS + 1, len(real)), dim=1).values  # the nearest of all is the image itself
    return float((torch.cdist(real, made).min(dim=1).values <= reach).float().mean())


def diversity(real: Tensor, made: Tensor) -> float:
    """Return how far made images are from each other, on average, in units of how far real ones are."""
    return float(_mean_distance(made) / _mean_distance(real).clamp(min=1e-9))


def _mean_distance(features: Tensor) -> Tensor:
    count = len(features)
    return torch.cdist(features, features).sum() / (count * (count - 1))
