"""The first estimate of an image from its observation: what a network starts from and corrects."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

FILL_LEVELS = 5
"""Halvings of the fill pyramid. It ends at the networks' coarsest stride, so that tiles of that grid agree."""


def fill_unknown(image: Tensor, known: Tensor) -> Tensor:
    """Fill what is unknown from what surrounds it, by a pull-push pyramid (Gortler et al. 1996).

    Parameters
    ----------
    image
        (batch, channels, height, width), 0 where unknown.
    known
        (batch, 1, height, width) of 0 and 1.

    Returns
    -------
    Tensor
        The image, with smooth values where it was unknown; 0 where nothing is known within reach.
    """
    return _pull_push(image, known, FILL_LEVELS)


def _pull_push(weighted: Tensor, weight: Tensor, levels: int) -> Tensor:
    value = weighted / weight.clamp(min=1e-6)
    if levels == 0 or min(weighted.shape[-2:]) < 2:
        return value
    half = {"kernel_size": 2, "ceil_mode": True, "count_include_pad": False}
    pulled_weight = functional.avg_pool2d(weight, **half)
    pulled = functional.avg_pool2d(weighted, **half)
    gain = (2 * pulled_weight).clamp(max=1) / pulled_weight.clamp(min=1e-6)
    coarse = _pull_push(pulled * gain, pulled_weight * gain, levels - 1)
    pushed = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    pushed = pushed[..., : value.shape[-2], : value.shape[-1]]
    return weight * value + (1 - weight) * pushed


def upsample_block_means(low: Tensor, factor: int) -> Tensor:
    """Interpolate block means (batch, channels, height, width) bicubically to a grid ``factor`` times finer."""
    return functional.interpolate(low, scale_factor=factor, mode="bicubic", align_corners=False)
