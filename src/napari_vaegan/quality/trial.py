"""One kind of observation tried on one patch held apart: the model beside the classical tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torch import Tensor

from napari_vaegan.images.patches import Patches
from napari_vaegan.observation.degradations import Kind, degrade
from napari_vaegan.observation.noise import smoothed
from napari_vaegan.observation.observation import Observation
from napari_vaegan.quality.classical import bicubic, biharmonic, non_local_means
from napari_vaegan.restoration.engine import Engine, Estimate
from napari_vaegan.restoration.latent_noise import Noise, placed_noise
from napari_vaegan.restoration.uncertainty import law_doubt, standard_deviation, with_doubt, with_spread
from napari_vaegan.training.calibration import CalibrationPoint, KindCalibration, noise_level
from napari_vaegan.training.validation import PROBE

TOOLS = {"inpaint": "biharmonic", "super-resolve": "bicubic", "denoise": "non-local means"}


@dataclass(frozen=True)
class Restored:
    """What model and classical tool made of one observation, in scaled intensities."""

    estimate: Estimate
    classical: Tensor


Of = Callable[[Restored], Tensor]
"""Chooses an image (channels, height, width) of what was restored."""


def mean_of(restored: Restored) -> Tensor:
    """Choose the best estimate."""
    return restored.estimate.mean


def sample_of(restored: Restored) -> Tensor:
    """Choose one sample."""
    return restored.estimate.samples[0]


def average_of(restored: Restored) -> Tensor:
    """Choose the average of all samples."""
    return restored.estimate.samples.mean(0)


def classical_of(restored: Restored) -> Tensor:
    """Choose what the classical tool made."""
    return restored.classical


@dataclass(frozen=True)
class Trial:
    """What became of one patch; all images are (channels, height, width) in scaled intensities.

    Attributes
    ----------
    truth
        The patch.
    noise
        Variance of the truth's own noise; 0 where it counts as clean.
    doubt
        Share of that by which its law may be wrong, where the noisy truth was itself observed.
    observation
        What model and tool were given, a batch of 1.
    unknown
        The pixels that were not given exactly, bool.
    restored
        What was made of it.
    probe
        Noise of the same law, a small part of which was added to the observation to see how what is made of it follows.
    moved
        What was made of it then; None unless a noisy truth was itself observed.
    """

    kind: Kind
    truth: Tensor
    noise: Tensor
    doubt: float
    observation: Observation
    unknown: Tensor
    restored: Restored
    probe: Tensor
    moved: Restored | None

    @property
    def estimate(self) -> Estimate:
        """What the model made of it."""
        return self.restored.estimate

    @property
    def counted(self) -> Tensor:
        """The pixels whose errors count: of inpainting the missing ones, otherwise all."""
        return self.unknown if self.kind.task == "inpaint" else torch.ones_like(self.unknown)

    def noise_in_error(self, of: Of) -> Tensor:
        """Return what the truth's own noise adds to the squared error of an image, on average.

        Its variance, less twice what the image follows of it: Stein's unbiased risk estimate, as in ``stein_noise``.
        """
        if self.moved is None:
            return self.noise
        return self.noise - 2 * self.probe * (of(self.moved) - of(self.restored)) / PROBE

    def squared_error(self, of: Of) -> tuple[float, float]:
        """Return the mean squared error of an image, and what the truth's own noise adds to it."""
        squared = (of(self.restored) - self.truth).square()
        return float(squared[self.counted].mean()), float(self.noise_in_error(of)[self.counted].mean())

    def calibration(self, of_kind: KindCalibration) -> CalibrationPoint:
        """Return the calibration at the level of the noise that was observed."""
        return of_kind.at(float(noise_level(self.estimate.mean[None], self.observation)))

    def std(self, point: CalibrationPoint) -> Tensor:
        """Return the calibrated standard deviation, widened by the doubt of the noise's law as a restoration's is."""
        std = standard_deviation(self.estimate.log_error, point)
        return with_doubt(std, self.doubt, self.observation.noise[0]) if self.doubt else std

    def ssim(self, of: Of) -> float:
        """Return the structural similarity (Wang et al. 2004) for a range of 1."""
        images = (self.truth.numpy(), of(self.restored).numpy())
        return float(structural_similarity(*images, data_range=1.0, channel_axis=0))


def attempt(
    engine: Engine, calibration: KindCalibration, patch: Patches, kind: Kind, samples: int, random: np.random.Generator
) -> Trial | None:
    """Observe one patch, and let model and tool restore it; None if nothing of it is left unknown.

    Parameters
    ----------
    engine
        Runs the networks.
    calibration
        Of this kind of observation: it spreads the samples.
    patch
        One.
    kind
        What is observed; not generation.
    samples
        How many the model draws.
    random
        Source of chance.
    """
    degraded = degrade(patch, kind, random, whole=True)
    truth, law, observation = degraded.truth, degraded.noise, degraded.observation
    unknown = ((observation.known < 1) | ~observation.noiseless).expand_as(truth)[0]
    if not unknown.any():
        return None
    noise = partial(placed_noise, int(random.integers(2**32)), 0)
    restored = _restore(engine, observation, kind, samples, noise)
    level = float(noise_level(restored.estimate.mean[None], observation))
    restored = replace(restored, estimate=with_spread(restored.estimate, calibration.at(level)))
    probe, moved, doubt = torch.zeros_like(truth), None, 0.0
    if kind.task == "denoise" and not law.absent.any():
        doubt = law_doubt(bool(law.white[0]))
        independent = torch.from_numpy(random.standard_normal(truth.shape).astype(np.float32))
        probe = law.draw(smoothed(truth), independent)
        image = observation.image + PROBE * probe
        moved = _restore(engine, replace(observation, image=image, estimate=image), kind, samples, noise)
    variance = law.variance(restored.estimate.mean[None])[0]
    return Trial(kind, truth[0], variance, doubt, observation, unknown, restored, probe[0], moved)


def _restore(engine: Engine, observation: Observation, kind: Kind, samples: int, noise: Noise) -> Restored:
    classical = torch.from_numpy(restore_classically(observation, kind))
    return Restored(engine.estimate(observation, samples, noise), classical)


def restore_classically(observation: Observation, kind: Kind) -> NDArray[np.float32]:
    """Return what the classical tool makes of one observation, (channels, height, width)."""
    image, known = observation.image[0].numpy(), observation.known[0, 0].numpy()
    factor = kind.factor

    def restore(channel: NDArray[np.float32]) -> NDArray[np.float64]:
        if kind.task == "inpaint":
            return biharmonic(channel, known == 0)
        if kind.task == "super-resolve":
            return bicubic(channel[::factor, ::factor], channel.shape)
        return non_local_means(channel)

    return np.stack([restore(channel) for channel in image]).astype(np.float32)
