"""How many true pixels intervals cover, on other patches than those that calibrated them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.quality.trial import Trial, mean_of
from napari_vaegan.restoration.uncertainty import interval_width
from napari_vaegan.training.calibration import LEAST_EXCESS, Compared, KindCalibration, calibrate, noise_level

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def calibration_on(trials: Sequence[Trial]) -> KindCalibration:
    """Calibrate as the training does."""
    levels = [noise_level(trial.estimate.mean[None], trial.observation) for trial in trials]
    return calibrate(
        Compared(
            torch.stack([trial.estimate.mean for trial in trials]),
            torch.stack([trial.estimate.log_error for trial in trials]),
            torch.stack([trial.estimate.samples[0] for trial in trials]),
            torch.stack([trial.truth for trial in trials]),
            torch.stack([trial.noise_in_error(mean_of) for trial in trials]),
            torch.stack([trial.unknown for trial in trials]),
            torch.cat([trial.observation.estimate for trial in trials]),
            torch.cat(levels),
        )
    )


def coverage(trials: Sequence[Trial], calibration: KindCalibration) -> NDArray[np.float64]:
    """Return the share of the unknown true pixels of each patch inside the intervals: (trials, LEVELS).

    Beside a noisy truth what its noise adds to the squared error is added to the variance.
    """
    shares = []
    for trial in trials:
        point = trial.calibration(calibration)
        halves = np.array([interval_width(point.quantiles, level) for level in LEVELS])
        expected = trial.std(point).square()
        variance = torch.maximum(expected + _smooth_noise(trial), LEAST_EXCESS * expected)
        score = ((trial.estimate.mean - trial.truth).abs() / variance.sqrt())[trial.unknown].numpy()
        shares.append((score[:, None] <= halves).mean(axis=0))
    return np.array(shares)


def _smooth_noise(trial: Trial) -> Tensor:
    """Return what the truth's noise adds to the squared error of the mean: its variance times a share, the whole patch's."""
    share = trial.noise_in_error(mean_of).mean() / trial.noise.mean().clamp(min=1e-20)
    return share * trial.noise


def crossed_coverage(first: Sequence[Trial], second: Sequence[Trial]) -> NDArray[np.float64]:
    """Calibrate on each half of the patches and count on the other: (trials, LEVELS)."""
    return np.concatenate([coverage(first, calibration_on(second)), coverage(second, calibration_on(first))])


def mean_widths(trials: Sequence[Trial], calibration: KindCalibration) -> NDArray[np.float64]:
    """Return the mean full width of intervals over unknown pixels, in scaled intensities: (channels, LEVELS)."""
    widths = np.zeros((trials[0].truth.shape[0], len(LEVELS)))
    for trial in trials:
        point = trial.calibration(calibration)
        std = trial.std(point) * trial.unknown
        mean_std = std.sum((1, 2)) / trial.unknown.sum((1, 2)).clamp(min=1)
        halves = np.array([interval_width(point.quantiles, level) for level in LEVELS])
        widths += 2 * mean_std.double().numpy()[:, None] * halves / len(trials)
    return widths
