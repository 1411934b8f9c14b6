"""Judging the running average on images held apart, and calibrating its error bars there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import Observation
from napari_vaegan.observation.projections import project, project_residual
from napari_vaegan.training.batches import Batch, observe_batch
from napari_vaegan.training.losses import squared_error

LEVELS = (0.5, 0.6, 0.68, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
"""Levels at which intervals are calibrated; between them the width is interpolated."""

PATCH_SIZE = 96
"""A multiple of every factor of super-resolution and of the networks' coarsest stride."""

SAMPLES = 2


@dataclass(frozen=True)
class KindCalibration:
    """How the predicted standard deviation of one kind of observation relates to true errors.

    Attributes
    ----------
    scale
        Factor that makes the mean of the predicted variances equal the mean squared error.
    quantiles
        For every level of ``LEVELS``: the split-conformal quantile of |error| / (scale × predicted std).
    largest_std
        The largest root mean square of the calibrated std, in scaled units, of any patch of the validation images.
    largest_roughness
        The largest roughness of the first estimate of any of these patches.
    """

    scale: float
    quantiles: tuple[float, ...]
    largest_std: float
    largest_roughness: float


@dataclass(frozen=True)
class Judgement:
    """What validation found; see the event ``Validated``."""

    psnr: dict[str, float]
    first_estimate_psnr: dict[str, float]
    gain_of_averaging: dict[str, float]
    calibration: dict[str, KindCalibration]

    @property
    def score(self) -> float:
        """The mean PSNR over all kinds of observation."""
        return float(np.mean(list(self.psnr.values()))) if self.psnr else 0.0


def conformal_quantile(scores: NDArray[np.float64], level: float) -> float:
    """Return the smallest width that covers ``level`` of exchangeable scores (Vovk et al. 2005; Lei et al. 2018).

    The ⌈(n + 1) level⌉-th smallest of n scores: a new score lies below it with at least that probability.
    """
    rank = min(int(np.ceil((len(scores) + 1) * level)), len(scores))
    return float(np.partition(scores, rank - 1)[rank - 1])


@dataclass(frozen=True)
class Restored:
    """Mean and log of its expected error, (batch, channels, height, width), and samples (samples, batch, …)."""

    mean: Tensor
    log_error: Tensor
    samples: Tensor


def restore_images(networks: VaeGan, observation: Observation, samples: int) -> Restored:
    """Return what networks make of observations."""
    condition = observation.condition
    features = networks.see(observation.estimate, observation.known, observation.noise, condition)
    mean, log_error = networks.mean(observation.estimate, features, condition)
    mean = project(mean, observation)
    residuals = [networks.generator.sample(features, condition).float() for _ in range(samples)]
    drawn = torch.stack([mean + project_residual(residual, observation) for residual in residuals])
    return Restored(mean, log_error, drawn)


class Validator:
    """Fixed observations of fixed patches of the images held apart."""

    def __init__(self, sampler: PatchSampler, kinds: Sequence[Kind], count: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.patches = sampler.draw(count, PATCH_SIZE)
        self.kinds = tuple(kind for kind in kinds if kind.task != "generate")
        self.batches: list[Batch] = [
            observe_batch(self.patches, np.full(count, index), self.kinds, random) for index in range(len(self.kinds))
        ]

    @torch.no_grad()
    def judge(self, networks: VaeGan, device: torch.device, count: int) -> Judgement:
        """Judge networks on the first patches, so many of each kind."""
        psnr, first, gain, calibration = {}, {}, {}, {}
        for kind, batch in zip(self.kinds, self.batches, strict=True):
            some = batch.select(slice(count)).to(device)
            observation, truth = some.observation, some.truth
            made = restore_images(networks, observation, SAMPLES)
            psnr[str(kind)] = _mean_psnr(made.mean, truth)
            first[str(kind)] = _mean_psnr(observation.estimate, truth)
            gain[str(kind)] = _mean_psnr(made.samples.mean(0), truth) - _mean_psnr(made.samples[0], truth)
            unknown = ((observation.known < 1) | ~observation.noiseless).expand_as(truth)
            calibration[str(kind)] = calibrate(made.mean, made.log_error, truth, unknown, observation.estimate)
        return Judgement(psnr, first, gain, calibration)


def roughness(images: Tensor) -> Tensor:
    """Root mean square difference between neighbouring pixels of each image of the batch, in scaled units: (batch,)."""
    rows, columns = images.diff(dim=-2).square(), images.diff(dim=-1).square()
    return (rows.flatten(1).mean(1) + columns.flatten(1).mean(1)).sqrt()


def calibrate(mean: Tensor, log_error: Tensor, truth: Tensor, unknown: Tensor, estimate: Tensor) -> KindCalibration:
    """Relate predicted to true errors of the unknown pixels, split-conformally.

    Parameters
    ----------
    mean, log_error, truth, estimate
        (batch, channels, height, width) in scaled units; the last is the first estimate.
    unknown
        Of the same shape, bool: the pixels that were not known.
    """
    variance = log_error.clamp(-20, 5).exp() * unknown
    error = (mean - truth)[unknown].abs().double().cpu().numpy()
    std = variance[unknown].double().sqrt().cpu().numpy()
    scale = max(float(np.sqrt(np.mean(error**2) / np.mean(std**2))), 1e-6)
    scores = error / (scale * std)
    shares = unknown.flatten(1).sum(1).clamp(min=1)
    largest = scale * float((variance.flatten(1).sum(1) / shares).max().sqrt())
    return KindCalibration(
        scale, tuple(conformal_quantile(scores, level) for level in LEVELS), largest, float(roughness(estimate).max())
    )


def _mean_psnr(images: Tensor, truth: Tensor) -> float:
    return float((-10 * squared_error(images, truth).clamp(min=1e-10).log10()).mean())
