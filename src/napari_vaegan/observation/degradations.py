"""The degradations that train: what an instrument could have observed of a patch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.images.patches import Patches
from napari_vaegan.observation.masks import random_mask
from napari_vaegan.observation.noise import NoiseOfBatch, white
from napari_vaegan.observation.observation import (
    UNKNOWN_NOISE,
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

BLIND_SHARE = 0.15
"""Share of noisy observations whose noise the networks are not told."""

CORRELATED_SHARE = 0.12
"""Share of the noise added to clean patches that is correlated between neighbours."""

LAW_ERROR = 0.12
"""Standard deviation of the logarithm of the told level of noise about the true one: a law is never fitted quite right."""


@dataclass(frozen=True)
class Degraded:
    """What is sought, with noise of its own or without, and what was observed, which tells nothing of that noise."""

    truth: Tensor
    noise: NoiseOfBatch
    observation: Observation


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


def degrade(patches: Patches, kind: Kind, random: np.random.Generator, whole: bool = False) -> Degraded:
    """Observe patches as an instrument could have.

    Noisy patches are their own truth, as what is observed for every task but denoising tells nothing of the noise in the
    pixels that are sought. To denoise, they are divided into two of independent noise: one is observed, one is sought.

    Parameters
    ----------
    patches
        (count, channels, size, size) in scaled units; either all clean or all noisy.
    kind
        What is observed.
    random
        Source of chance.
    whole
        Whether noisy patches are observed whole, as they are when they are restored, and are their own truth: that is for
        judging, see ``stein_noise``, not for learning.
    """
    truth, noise = torch.from_numpy(patches.pixels), _noise_in(patches)
    if kind.task == "generate":
        return Degraded(truth, noise, observe_nothing(truth))
    if kind.task == "inpaint":
        masks = np.stack([random_mask(patches.pixels.shape[-1], random) for _ in patches.pixels])
        return Degraded(truth, noise, observe_pixels(truth, torch.from_numpy(1 - masks[:, None].astype(np.float32))))
    if kind.task == "super-resolve":
        return Degraded(truth, noise, _observe_rounded_block_means(truth, patches, kind.factor))
    if kind.task == "denoise":
        if patches.noisy.any() and whole:
            return Degraded(truth, noise, observe_noisy(truth, noise))
        if patches.noisy.any():
            return _observe_a_part(patches, noise, random)
        noisy, added = poisson_gaussian(patches, random)
        return Degraded(truth, noise, _observe_with_law(torch.from_numpy(noisy), added, random))
    raise ValueError(f"unknown task {kind.task!r}")


def _noise_in(patches: Patches) -> NoiseOfBatch:
    law = (patches.gain, patches.offset, patches.read_noise, patches.correlation)
    return NoiseOfBatch(*map(torch.from_numpy, law))


def _observe_with_law(image: Tensor, noise: NoiseOfBatch, random: np.random.Generator) -> Observation:
    """Observe a noisy image and tell the law of its noise: not quite right, and of some images not at all."""
    count = len(image)
    error = np.exp(LAW_ERROR * random.standard_normal(count)).astype(np.float32)
    told = observe_noisy(image, noise.scaled(torch.from_numpy(error).square()))
    blind = torch.from_numpy(random.uniform(0, 1, count) < BLIND_SHARE)
    level = torch.where(blind[:, None, None, None], UNKNOWN_NOISE, told.noise)
    return replace(told, noise=level, correlation=torch.where(blind, 0.0, told.correlation))


def _observe_a_part(patches: Patches, noise: NoiseOfBatch, random: np.random.Generator) -> Degraded:
    """Divide noisy patches into an observation and a truth whose noises are independent.

    White noise: as counts that are thinned by chance, ``NoiseOfBatch.thin``. Correlated noise: by recorruption,
    ``NoiseOfBatch.recorrupt``.
    """
    thinned = noise.white & (noise.gain > 0).all(1)
    seen, sought, seen_noise, sought_noise = noise.thin(torch.from_numpy(patches.pixels), random)
    if not thinned.all():
        others = noise.recorrupt(torch.from_numpy(patches.pixels), random)
        seen, sought = (
            torch.where(thinned[:, None, None, None], a, b) for a, b in zip((seen, sought), others[:2], strict=True)
        )
        seen_noise, sought_noise = (a.where(thinned, b) for a, b in zip((seen_noise, sought_noise), others[2:], strict=True))
    return Degraded(sought, sought_noise, _observe_with_law(seen, seen_noise, random))


def _observe_rounded_block_means(truth: Tensor, patches: Patches, factor: int) -> Observation:
    height, width = truth.shape[-2:]
    low = block_means(truth, factor)
    step = torch.from_numpy(patches.step)[:, :, None, None]
    zero = torch.from_numpy(patches.zero)[:, :, None, None]
    rounded = torch.where(step > 0, zero + ((low - zero) / step.clamp(min=1e-9)).round() * step, low)
    return observe_block_means(rounded, factor, height, width, torch.from_numpy(patches.step) / 2)


def poisson_gaussian(patches: Patches, random: np.random.Generator) -> tuple[NDArray[np.float32], NoiseOfBatch]:
    """Add photon and read noise of a random level to patches, in scaled units; return its law beside.

    Counts at the scaled level 1 are drawn from ``COUNTS``, read noise up to three counts; cameras that clip at zero and
    at the largest value of their dtype are as likely as those that do not. Some of the noise is correlated, as
    demosaicing, resampling or compression leave it.
    """
    count = len(patches.pixels)
    column = (count, 1, 1, 1)
    zero = patches.zero[:, :, None, None]
    peak = np.exp(random.uniform(np.log(COUNTS[0]), np.log(COUNTS[1]), column))
    read = random.uniform(0, 1, column) ** 2 * 3
    per_count = (1 - zero).mean(axis=1, keepdims=True) / peak
    photons = np.maximum(patches.pixels - zero, 0) / per_count
    noisy = zero + (random.poisson(photons) + read * random.standard_normal(photons.shape)) * per_count
    ones = np.ones_like(patches.zero)
    law = NoiseOfBatch(
        torch.from_numpy((ones * per_count[:, :, 0, 0]).astype(np.float32)),
        torch.from_numpy(patches.zero),
        torch.from_numpy((ones * (read * per_count)[:, :, 0, 0]).astype(np.float32)),
        white(count),
    )
    smeared = random.uniform(0, 1, count) < CORRELATED_SHARE
    if smeared.any():
        law = replace(
            law, correlation=torch.where(torch.from_numpy(smeared)[:, None, None], _smear(count, random), white(count))
        )
        independent = torch.from_numpy(random.standard_normal(photons.shape).astype(np.float32))
        light = torch.from_numpy(patches.pixels)
        noisy = np.where(smeared[:, None, None, None], (light + law.draw(light, independent)).numpy(), noisy)
    step = patches.step[:, :, None, None]
    safe = np.maximum(step, 1e-9)
    rounded = np.clip(np.rint((noisy - zero) / safe), 0, patches.ceiling[:, None, None, None]) * safe + zero
    digital = (step > 0) & (random.uniform(0, 1, column) < 0.5)
    observed: NDArray[np.float32] = np.where(digital, rounded, noisy).astype(np.float32)
    return observed, law


def _smear(count: int, random: np.random.Generator) -> Tensor:
    """Return correlations (count, 5, 5) of white noise after a small filter: (a, 1, a) in one direction times the other."""
    side = torch.from_numpy(random.uniform(0.15, 1.0, (count, 2)).astype(np.float32))
    one = torch.ones_like(side)
    line = torch.stack([side**2, 2 * side, one + 2 * side**2, 2 * side, side**2], dim=-1)
    line = line / line[..., 2:3]
    return line[:, 0, :, None] * line[:, 1, None, :]
