"""How many true pixels intervals cover, on other patches than those that calibrated them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.quality.trial import Trial
from napari_vaegan.restoration.uncertainty import interval_width, standard_deviation
from napari_vaegan.training.validation import KindCalibration, calibrate

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


def calibration_on(trials: Sequence[Trial]) -> KindCalibration:
    """Calibrate as the training does."""
    return calibrate(
        torch.stack([trial.estimate.mean for trial in trials]),
        torch.stack([trial.estimate.log_error for trial in trials]),
        torch.stack([trial.truth for trial in trials]),
        torch.stack([trial.unknown for trial in trials]),
        torch.cat([trial.observation.estimate for trial in trials]),
    )


def coverage(trials: Sequence[Trial], calibration: KindCalibration) -> NDArray[np.float64]:
    """Return the share of the unknown true pixels of each patch inside the intervals: (trials, LEVELS)."""
    halves = np.array([interval_width(calibration.quantiles, level) for level in LEVELS])
    shares = []
    for trial in trials:
        std = standard_deviation(trial.estimate.log_error, calibration)[trial.unknown]
        score = ((trial.estimate.mean - trial.truth)[trial.unknown].abs() / std).numpy()
        shares.append((score[:, None] <= halves).mean(axis=0))
    return np.array(shares)


def crossed_coverage(first: Sequence[Trial], second: Sequence[Trial]) -> NDArray[np.float64]:
    """Calibrate on each half of the patches and count on the other: (trials, LEVELS)."""
    return np.concatenate([coverage(first, calibration_on(second)), coverage(second, calibration_on(first))])


def mean_widths(trials: Sequence[Trial], calibration: KindCalibration) -> NDArray[np.float64]:
    """Return the mean full width of intervals over unknown pixels, in scaled intensities: (channels, LEVELS)."""
    std = torch.stack([standard_deviation(trial.estimate.log_error, calibration) for trial in trials])
    unknown = torch.stack([trial.unknown for trial in trials])
    mean_std = (std * unknown).sum((0, 2, 3)) / unknown.sum((0, 2, 3)).clamp(min=1)
    halves = np.array([interval_width(calibration.quantiles, level) for level in LEVELS])
    widths: NDArray[np.float64] = 2 * mean_std.double().numpy()[:, None] * halves
    return widths
