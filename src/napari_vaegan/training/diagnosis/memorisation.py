"""Memorisation: samples that are training patches over again."""

from __future__ import annotations

import torch
from torch import Tensor


def relative_distance(made: Tensor, held_apart: Tensor, trained: Tensor) -> float:
    """Return how near samples are to training patches, beside how near patches of other images are.

    Medians of the distances to the nearest training patch (Meehan et al. 2020): 1 where samples are as new as the images
    held apart, 0 where they are copies.

    Parameters
    ----------
    made, held_apart, trained
        Features (count, features).
    """
    own, theirs = (torch.cdist(features, trained).min(dim=1).values.median() for features in (made, held_apart))
    return float(own / theirs.clamp(min=1e-9))
