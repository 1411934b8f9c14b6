"""What was observed of an image: one class for all tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from napari_vaegan.observation.first_estimate import fill_unknown, upsample_block_means
from napari_vaegan.observation.noise import NoiseOfBatch, smoothed

CONDITION_SIZE = 3
"""Length of the vector that tells a network the kind of observation."""

UNKNOWN_NOISE = -1.0
"""Stands in the noise map where there is noise of a level that is not known."""


@dataclass(frozen=True)
class Observation:
    """A batch of observations on the grid of the images that are sought, in scaled intensities.

    Attributes
    ----------
    image
        (batch, channels, height, width): what was observed; 0 where nothing was.
    known
        (batch, 1, height, width): 1 where a pixel was observed, 0 where not, 1 / factor² where only a block mean was.
    noise
        (batch, 1, height, width): standard deviation of the noise; ``UNKNOWN_NOISE`` where its level is not known.
    estimate
        (batch, channels, height, width): the first estimate that the networks correct.
    factor
        (batch,): side of the blocks whose means were observed; 1 where pixels were.
    rounding
        (batch, channels): half the step by which the observed values were rounded; 0 for floats.
    correlation
        (batch,): that of the noise of neighbouring pixels; 0 where there is none, or it is not known.
    """

    image: Tensor
    known: Tensor
    noise: Tensor
    estimate: Tensor
    factor: Tensor
    rounding: Tensor
    correlation: Tensor

    def __len__(self) -> int:
        return len(self.image)

    @property
    def condition(self) -> Tensor:
        """(batch, CONDITION_SIZE): log2 of the factor, whether there is noise, and whether it is correlated."""
        noisy = (self.noise != 0).flatten(1).any(1)
        return torch.stack([self.factor.float().log2(), noisy.float(), self.correlation], dim=1)

    @property
    def noiseless(self) -> Tensor:
        """(batch, 1, 1, 1) bool: observations that hold exactly, to rounding."""
        return (self.noise == 0).flatten(1).all(1)[:, None, None, None]

    def to(self, device: torch.device) -> Observation:
        """Return the same observation on another device."""
        return Observation(*(getattr(self, field.name).to(device) for field in fields(self)))

    def select(self, index: slice | Tensor) -> Observation:
        """Return some observations of the batch."""
        return Observation(*(getattr(self, field.name)[index] for field in fields(self)))

    def window(self, rows: slice, columns: slice) -> Observation:
        """Return the same observations in a window of the grid; windows of block means start at whole blocks."""
        image, known, noise, estimate = (
            part[..., rows, columns] for part in (self.image, self.known, self.noise, self.estimate)
        )
        return Observation(image, known, noise, estimate, self.factor, self.rounding, self.correlation)

    @staticmethod
    def join(parts: Sequence[Observation]) -> Observation:
        """Return several batches as one."""
        return Observation(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Observation)))


def _blank(image: Tensor) -> tuple[Tensor, Tensor]:
    return image.new_zeros(len(image), 1, *image.shape[2:]), image.new_zeros(image.shape[:2])


def observe_nothing(like: Tensor) -> Observation:
    """Observe nothing: the start of generation. ``like``: (batch, channels, height, width)."""
    image = torch.zeros_like(like)
    blank, rounding = _blank(image)
    ones = torch.ones(len(image))
    return Observation(image, blank, blank, image, ones, rounding, torch.zeros_like(ones))


def observe_pixels(image: Tensor, known: Tensor) -> Observation:
    """Observe some pixels exactly.

    Parameters
    ----------
    image
        (batch, channels, height, width); its values where ``known`` is 0 are not looked at.
    known
        (batch, 1, height, width) of 0 and 1.
    """
    image = torch.where(known > 0, image, 0)
    blank, rounding = _blank(image)
    ones = torch.ones(len(image))
    return Observation(image, known, blank, fill_unknown(image, known), ones, rounding, torch.zeros_like(ones))


def observe_block_means(low: Tensor, factor: int, height: int, width: int, rounding: Tensor) -> Observation:
    """Observe only the means of blocks of factor × factor pixels.

    Parameters
    ----------
    low
        (batch, channels, ceil(height / factor), ceil(width / factor)): the block means.
    factor
        Side of a block in pixels.
    height, width
        Of the grid that is sought.
    rounding
        (batch, channels): half the step by which the means were rounded.
    """
    image = repeat_blocks(low, factor)[..., :height, :width]
    blank, _ = _blank(image)
    estimate = upsample_block_means(low, factor)[..., :height, :width]
    known = torch.full_like(blank, 1 / factor**2)
    factors = torch.full((len(image),), float(factor))
    return Observation(image, known, blank, estimate, factors, rounding, torch.zeros_like(factors))


def observe_noisy(image: Tensor, noise: NoiseOfBatch | None = None) -> Observation:
    """Observe every pixel with noise.

    Parameters
    ----------
    image
        (batch, channels, height, width).
    noise
        The law of the noise; None where it is not known.
    """
    blank, rounding = _blank(image)
    ones = torch.ones(len(image))
    if noise is None:
        level, correlation = torch.full_like(blank, UNKNOWN_NOISE), torch.zeros_like(ones)
    else:
        level = noise.variance(smoothed(image)).mean(1, keepdim=True).sqrt()
        correlation = noise.neighbours
    return Observation(image, torch.ones_like(blank), level, image, ones, rounding, correlation)


def repeat_blocks(low: Tensor, factor: int) -> Tensor:
    """Repeat every pixel as a block of factor × factor."""
    return low.repeat_interleave(factor, dim=-2).repeat_interleave(factor, dim=-1)
