"""The degradations that train: what an instrument could have observed of a patch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.images.patches import Patches
from napari_vaegan.observation.masks import random_mask
from napari_vaegan.observation.observation import (
    Observation,
    observe_block_means,
    observe_noisy,
    observe_nothing,
    observe_pixels,
)
from napari_vaegan.observation.projections import block_means

FACTORS = (2, 3, 4)
"""Factors of super-resolution that are trained."""

COUNTS = (5.0, 1500.0)
"""Range of photon counts at the brightest level, drawn evenly in the logarithm."""


@dataclass(frozen=True)
class Kind:
    """A kind of observation: a task and, for super-resolution, its factor."""

    task: str
    factor: int = 1

    def __str__(self) -> str:
        return f"{self.task} ×{self.factor}" if self.factor > 1 else self.task


def kinds_of(tasks: tuple[str, ...]) -> tuple[Kind, ...]:
    """Return the kinds of observation that some tasks train."""
    return tuple(Kind(task, factor) for task in tasks for factor in (FACTORS if task == "super-resolve" else (1,)))


def degrade(patches: Patches, kind: Kind, random: np.random.Generator) -> Observation:
    """Observe patches as an instrument could have.

    Parameters
    ----------
    patches
        Truth, (count, channels, size, size) in scaled units, with the scaled value of zero and the span.
    kind
        What is observed.
    random
        Source of chance.
    """
    truth = torch.from_numpy(patches.pixels)
    if kind.task == "generate":
        return observe_nothing(truth)
    if kind.task == "inpaint":
        masks = np.stack([random_mask(patches.pixels.shape[-1], random) for _ in patches.pixels])
        return observe_pixels(truth, torch.from_numpy(1 - masks[:, None].astype(np.float32)))
    if kind.task == "super-resolve":
        return _observe_rounded_block_means(truth, patches, kind.factor)
    if kind.task == "denoise":
        return observe_noisy(torch.from_numpy(poisson_gaussian(patches, random)))
    raise ValueError(f"unknown task {kind.task!r}")


def _observe_rounded_block_means(truth: Tensor, patches: Patches, factor: int) -> Observation:
    height, width = truth.shape[-2:]
    low = block_means(truth, factor)
    step = torch.from_numpy(patches.step)[:, :, None, None]
    zero = torch.from_numpy(patches.zero)[:, :, None, None]
    rounded = torch.where(step > 0, zero + ((low - zero) / step.clamp(min=1e-9)).round() * step, low)
    return observe_block_means(rounded, factor, height, width, torch.from_numpy(patches.step) / 2)


def poisson_gaussian(patches: Patches, random: np.random.Generator) -> NDArray[np.float32]:
    """Add photon and read noise of a random level to patches, in scaled units.

    Counts at the scaled level 1 are drawn from ``COUNTS``, read noise up to three counts; cameras that clip at zero and
    at the largest value of their dtype are as likely as those that do not.
    """
    count = len(patches.pixels)
    column = (count, 1, 1, 1)
    zero = patches.zero[:, :, None, None]
    peak = np.exp(random.uniform(np.log(COUNTS[0]), np.log(COUNTS[1]), column))
    read = random.uniform(0, 1, column) ** 2 * 3
    per_count = (1 - zero).mean(axis=1, keepdims=True) / peak
    photons = np.maximum(patches.pixels - zero, 0) / per_count
    noisy = zero + (random.poisson(photons) + read * random.standard_normal(photons.shape)) * per_count
    step = patches.step[:, :, None, None]
    safe = np.maximum(step, 1e-9)
    rounded = np.clip(np.rint((noisy - zero) / safe), 0, patches.ceiling[:, None, None, None]) * safe + zero
    digital = (step > 0) & (random.uniform(0, 1, column) < 0.5)
    observed: NDArray[np.float32] = np.where(digital, rounded, noisy).astype(np.float32)
    return observed
