"""The first estimate of an image from its observation: what a network starts from and corrects."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

RELAXATIONS = 24
"""Steps of relaxation at every level of the fill pyramid."""

STEP, MOMENTUM = 0.055, 0.85
"""Of the relaxation; stable below 2 (1 + momentum) / 64, as the biharmonic operator's largest eigenvalue is 64."""


def fill_unknown(image: Tensor, known: Tensor) -> Tensor:
    """Fill what is unknown as smoothly as can be: the sum of squared Laplacians is made small, coarse to fine.

    Biharmonic inpainting has the same aim (Damelin and Hoang 2018); a pyramid of a few relaxation steps comes near it.

    Parameters
    ----------
    image
        (batch, channels, height, width), 0 where unknown.
    known
        (batch, 1, height, width) of 0 and 1.

    Returns
    -------
    Tensor
        The image, with smooth values where it was unknown; 0 if nothing is known at all.
    """
    if known.all():
        return image
    pulled, pulled_known = _halve(image, known)
    if min(image.shape[-2:]) < 4:
        total = known.sum((-2, -1), keepdim=True).clamp(min=1)
        start = (image * known).sum((-2, -1), keepdim=True) / total
    else:
        coarse = fill_unknown(pulled, pulled_known)
        start = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        start = start[..., : image.shape[-2], : image.shape[-1]]
    return _relax(known * image + (1 - known) * start, known)


def _halve(image: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Average the known pixels of every 2 × 2 block; a block is known where at least one of them is."""
    weight = _average(known)
    return _average(image * known) / weight.clamp(min=1e-6), (weight > 0).to(image.dtype)


def _average(image: Tensor) -> Tensor:
    return functional.avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)


def _relax(image: Tensor, known: Tensor) -> Tensor:
    """Descend the squared Laplacian with momentum, moving unknown pixels alone."""
    unknown, velocity = 1 - known, torch.zeros_like(image)
    for _ in range(RELAXATIONS):
        velocity = MOMENTUM * velocity - STEP * unknown * _laplacian(_laplacian(image))
        image = image + velocity
    return image


def _laplacian(image: Tensor) -> Tensor:
    padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    around = padded[..., 2:, 1:-1] + padded[..., :-2, 1:-1] + padded[..., 1:-1, 2:] + padded[..., 1:-1, :-2]
    return around - 4 * image


def upsample_block_means(low: Tensor, factor: int) -> Tensor:
    """Interpolate block means (batch, channels, height, width) bicubically to a grid ``factor`` times finer."""
    return functional.interpolate(low, scale_factor=factor, mode="bicubic", align_corners=False)
