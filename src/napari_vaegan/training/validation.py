"""Judging the running average on images held apart, and calibrating its error bars there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.noise import smoothed
from napari_vaegan.observation.observation import Observation
from napari_vaegan.observation.projections import project, project_residual
from napari_vaegan.training.batches import Batch, observe_batch
from napari_vaegan.training.calibration import (
    LEAST_EXCESS,
    Compared,
    KindCalibration,
    calibrate,
    join_compared,
    noise_level,
)
from napari_vaegan.training.losses import squared_error

PATCH_SIZE = 96
"""A multiple of every factor of super-resolution and of the networks' coarsest stride."""

SAMPLES = 2

PROBE = 0.3
"""Size of the probe of a divergence, in standard deviations of the noise."""

AT_ONCE = 8
"""Patches that are restored together."""


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

    @property
    def first_score(self) -> float:
        """The same of what the networks started from."""
        return float(np.mean(list(self.first_estimate_psnr.values()))) if self.first_estimate_psnr else 0.0


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
    drawn = [mean + project_residual(residual, observation) for residual in residuals]
    return Restored(mean, log_error, torch.stack(drawn) if drawn else mean[None][:0])


def generate_images(networks: VaeGan, count: int, height: int, width: int) -> Tensor:
    """Return images of which nothing is observed: (count, channels, height, width)."""
    return networks.imagine(networks.blank(height, width), count, networks.unobserved_noise(count, height, width))


class Validator:
    """Fixed observations of fixed patches of the images held apart."""

    def __init__(self, sampler: PatchSampler, kinds: Sequence[Kind], count: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.patches = sampler.draw(count, PATCH_SIZE)
        self.kinds = tuple(kind for kind in kinds if kind.task != "generate")
        self.batches: list[Batch] = [
            observe_batch(self.patches, np.full(count, index), self.kinds, random, whole=True)
            for index in range(len(self.kinds))
        ]

    @torch.no_grad()
    def judge(self, networks: VaeGan, device: torch.device, count: int) -> Judgement:
        """Judge networks on the first patches, so many of each kind."""
        psnr, first, gain, calibration = {}, {}, {}, {}
        for kind, batch in zip(self.kinds, self.batches, strict=True):
            some = batch.select(slice(count)).to(device)
            observation, truth = some.observation, some.truth
            made = restore_images(networks, observation, SAMPLES)
            compared = compare_restored(networks, made, some)
            noise = compared.truth_noise
            psnr[str(kind)] = _mean_psnr(made.mean, truth, noise)
            first[str(kind)] = _first_psnr(some)
            averaged, single = (_mean_psnr(image, truth, noise) for image in (made.samples.mean(0), made.samples[0]))
            gain[str(kind)] = averaged - single
            calibration[str(kind)] = calibrate(compared)
        return Judgement(psnr, first, gain, calibration)

    @torch.no_grad()
    def calibrate(
        self, networks: VaeGan, device: torch.device, on_part: Callable[[], None] = lambda: None
    ) -> dict[str, KindCalibration]:
        """Calibrate the error bars of networks on all patches, a few at a time; raise from ``on_part`` to stop."""
        calibrations = {}
        for kind, batch in zip(self.kinds, self.batches, strict=True):
            parts = []
            for start in range(0, len(batch.kinds), AT_ONCE):
                on_part()
                parts.append(compare(networks, batch.select(slice(start, start + AT_ONCE)).to(device)))
            calibrations[str(kind)] = calibrate(join_compared(parts))
        return calibrations


def compare(networks: VaeGan, batch: Batch) -> Compared:
    """Let networks restore observations, and put the means beside the truth."""
    observation = batch.observation
    made = restore_images(networks, observation, 1)
    return compare_restored(networks, made, batch)


def compare_restored(networks: VaeGan, made: Restored, batch: Batch) -> Compared:
    """Put what networks made of observations beside the truth."""
    observation, truth = batch.observation, batch.truth
    unknown = ((observation.known < 1) | ~observation.noiseless).expand_as(truth)
    noise = stein_noise(networks, made.mean, batch)
    level = noise_level(made.mean, observation)
    return Compared(made.mean, made.log_error, made.samples[0], truth, noise, unknown, observation.estimate, level)


def stein_noise(networks: VaeGan, mean: Tensor, batch: Batch) -> Tensor:
    """Return what the truth's own noise adds to the squared error of the mean, on average, of the truth's shape.

    Its variance; but where the noisy truth was itself observed the mean follows its noise a little, and twice the covariance
    goes off: Stein's unbiased risk estimate, with one random probe for the divergence (Ramani, Blu and Unser 2008).
    """
    variance = batch.noise.variance(mean)
    observation = batch.observation
    seen = ~observation.noiseless.flatten() & ~batch.noise.absent
    if not seen.any():
        return variance
    probe = batch.noise.draw(smoothed(observation.image)) * seen[:, None, None, None]
    moved = observation.image + PROBE * probe
    condition = observation.condition
    features = networks.see(moved, observation.known, observation.noise, condition)
    following = (networks.mean(moved, features, condition)[0] - mean) / PROBE
    return variance - 2 * probe * following


def _first_psnr(batch: Batch) -> float:
    """Return the mean PSNR of the first estimates; of a noisy truth that was itself observed, that of its noise."""
    noise = batch.noise.variance(batch.truth)
    if float(noise.max()) > 0 and batch.observation.noise.any():
        return float(-10 * noise.mean().clamp(min=1e-10).log10())
    return _mean_psnr(batch.observation.estimate, batch.truth, noise)


def _mean_psnr(images: Tensor, truth: Tensor, noise: Tensor) -> float:
    """Return the mean PSNR for a peak of 1; beside noisy truths that of the mean error, less the variance of their noise."""
    errors = squared_error(images, truth)
    if float(noise.max()) > 0:
        mean = errors.mean()
        errors = torch.maximum(mean - noise.mean(), LEAST_EXCESS * mean)[None]
    return float((-10 * errors.clamp(min=1e-10).log10()).mean())
