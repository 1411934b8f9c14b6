"""The first estimate of an image from its observation: what a network starts from and corrects."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.restoration import inpaint_biharmonic
from torch import Tensor
from torch.nn import functional

DEPTH = 32.0
"""Pixels further than that from all known ones are filled roughly: nothing tells of them, and exactness would take long."""

RELAXATIONS = 24
"""Steps of relaxation at every level of the rough fill's pyramid."""

STEP, MOMENTUM = 0.055, 0.85
"""Of the relaxation; stable below 2 (1 + momentum) / 64, as the biharmonic operator's largest eigenvalue is 64."""


def fill_unknown(image: Tensor, known: Tensor) -> Tensor:
    """Fill what is unknown as smoothly as can be: biharmonic inpainting (Damelin and Hoang 2018) of every image.

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
    return torch.stack([_fill(one, where) for one, where in zip(image, known, strict=True)])


def _fill(image: Tensor, known: Tensor) -> Tensor:
    """Fill one image (channels, height, width)."""
    unknown: NDArray[np.bool_] = known[0].cpu().numpy() == 0
    if not unknown.any() or unknown.all():
        return image
    deep = unknown & (distance_transform_edt(unknown) > DEPTH)
    if deep.any():
        image = torch.where(torch.from_numpy(deep), _fill_roughly(image[None], known[None])[0], image)
    filled = inpaint_biharmonic(image.double().numpy(), unknown & ~deep, channel_axis=0)
    return torch.from_numpy(filled).to(image.dtype)


def _fill_roughly(image: Tensor, known: Tensor) -> Tensor:
    """Make the sum of squared Laplacians small, coarse to fine: a pyramid of a few relaxation steps."""
    pulled, pulled_known = _halve(image, known)
    if min(image.shape[-2:]) < 4:
        total = known.sum((-2, -1), keepdim=True).clamp(min=1)
        start = (image * known).sum((-2, -1), keepdim=True) / total
    else:
        coarse = _fill_roughly(pulled, pulled_known)
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
