"""Consistency: the image nearest to a guess among those that agree with what was observed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from napari_vaegan.observation.observation import Observation, repeat_blocks


def block_means(image: Tensor, factor: int) -> Tensor:
    """Average blocks of factor × factor pixels; blocks that the border cuts are averaged over what is there."""
    return functional.avg_pool2d(image, factor, ceil_mode=True, count_include_pad=False)


def project(image: Tensor, observation: Observation) -> Tensor:
    """Return the image nearest to ``image`` that agrees with the observation.

    Known pixels are kept; every block mean is brought within the rounding of the one that was observed. An orthogonal
    projection can only come closer to the truth, which agrees too. Noisy observations bind nothing.

    Parameters
    ----------
    image
        (batch, channels, height, width).
    observation
        Of the same shape.
    """
    exact = ((observation.known == 1) & observation.noiseless).to(image.dtype)
    image = exact * observation.image + (1 - exact) * image
    for factor in set(observation.factor.tolist()):
        if factor > 1:
            chosen = observation.factor == factor
            correction = _block_correction(image, observation, int(factor))
            image = torch.where(chosen[:, None, None, None], image + correction, image)
    return image


def project_residual(residual: Tensor, observation: Observation) -> Tensor:
    """Take from a residual what would change a known pixel or a block mean."""
    residual = residual * (1 - ((observation.known == 1) & observation.noiseless).to(residual.dtype))
    for factor in set(observation.factor.tolist()):
        if factor > 1:
            chosen = observation.factor == factor
            height, width = residual.shape[-2:]
            means = repeat_blocks(block_means(residual, int(factor)), int(factor))[..., :height, :width]
            residual = torch.where(chosen[:, None, None, None], residual - means, residual)
    return residual


def _block_correction(image: Tensor, observation: Observation, factor: int) -> Tensor:
    height, width = image.shape[-2:]
    gap = block_means(observation.image - image, factor)
    slack = observation.rounding[:, :, None, None]
    gap = gap - torch.maximum(torch.minimum(gap, slack), -slack)
    return repeat_blocks(gap, factor)[..., :height, :width]
