"""One kind of observation tried on one patch held apart: the model beside the classical tool."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torch import Tensor

from napari_vaegan.images.patches import Patches
from napari_vaegan.observation.degradations import Kind, degrade
from napari_vaegan.observation.observation import Observation
from napari_vaegan.quality.classical import bicubic, biharmonic, non_local_means
from napari_vaegan.restoration.engine import Engine, Estimate
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.training.calibration import CalibrationPoint, KindCalibration, noise_level
from napari_vaegan.training.losses import excess_error

TOOLS = {"inpaint": "biharmonic", "super-resolve": "bicubic", "denoise": "non-local means"}


@dataclass(frozen=True)
class Trial:
    """What became of one patch; all images are (channels, height, width) in scaled intensities.

    Attributes
    ----------
    truth
        The patch.
    observation
        What model and tool were given, a batch of 1.
    truth_noise
        Variance of the truth's own noise; 0 where it counts as clean.
    unknown
        The pixels that were not given exactly, bool.
    estimate
        What the model made of it.
    classical
        What the tool made of it.
    """

    kind: Kind
    truth: Tensor
    truth_noise: Tensor
    observation: Observation
    unknown: Tensor
    estimate: Estimate
    classical: Tensor

    def psnr(self, image: Tensor) -> float:
        """Return the peak signal-to-noise ratio in dB for a peak of 1; of inpainting, that of the missing pixels.

        The variance of the truth's own noise is taken off the error.
        """
        squared = (image - self.truth).square()
        counted = self.unknown if self.kind.task == "inpaint" else torch.ones_like(self.unknown)
        error = excess_error(squared[counted].mean(), self.truth_noise[counted].mean())
        return float(-10 * error.clamp(min=1e-10).log10())

    def calibration(self, of_kind: KindCalibration) -> CalibrationPoint:
        """Return the calibration at the level of the noise that was observed."""
        return of_kind.at(float(noise_level(self.estimate.mean[None], self.observation)))

    def ssim(self, image: Tensor) -> float:
        """Return the structural similarity (Wang et al. 2004) for a range of 1."""
        return float(structural_similarity(self.truth.numpy(), image.numpy(), data_range=1.0, channel_axis=0))


def attempt(engine: Engine, patch: Patches, kind: Kind, samples: int, random: np.random.Generator) -> Trial | None:
    """Observe one patch, and let model and tool restore it; None if nothing of it is left unknown.

    Parameters
    ----------
    engine
        Runs the networks.
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
    truth, observation = degraded.truth, degraded.observation
    unknown = ((observation.known < 1) | ~observation.noiseless).expand_as(truth)[0]
    if not unknown.any():
        return None
    noise = partial(placed_noise, int(random.integers(2**32)), 0)
    estimate = engine.estimate(observation, samples, noise)
    classical = torch.from_numpy(restore_classically(observation, kind))
    truth_noise = degraded.noise.variance(estimate.mean[None])[0]
    return Trial(kind, truth[0], truth_noise, observation, unknown, estimate, classical)


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
