"""Peak signal-to-noise ratios over trials, in dB for a peak of 1; beside noisy truths less what their noise adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.quality.trial import Of, Trial
from napari_vaegan.training.calibration import LEAST_EXCESS

LEAST_ERROR = 1e-10


def mean_psnr(trials: Sequence[Trial], of: Of) -> float:
    """Return the mean PSNR of images; beside noisy truths that of their mean error, as single ones are uncertain."""
    squared, noise = _errors(trials, of)
    if noise.any():
        return _psnr(_mean_error(squared, noise))
    return float(np.mean([_psnr(error) for error in squared]))


def error_of_lead(trials: Sequence[Trial], ahead: Of, behind: Of) -> float:
    """Return the standard error of the difference of two mean PSNR over the same trials; 0 of a single trial."""
    (squared, noise), (others, other_noise) = _errors(trials, ahead), _errors(trials, behind)
    if noise.any():
        relative, of_others = (
            (errors - own) / _mean_error(errors, own) for errors, own in ((squared, noise), (others, other_noise))
        )
        return float(10 / np.log(10) * standard_error(relative - of_others))
    leads = [_psnr(error) - _psnr(other) for error, other in zip(squared, others, strict=True)]
    return float(standard_error(np.array(leads)))


def standard_error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of the mean over the first axis; 0 of a single value."""
    count = len(values)
    error: NDArray[np.float64] = np.std(values, axis=0, ddof=min(1, count - 1)) / np.sqrt(count)
    return error


def _errors(trials: Sequence[Trial], of: Of) -> tuple[NDArray[Any], NDArray[Any]]:
    squared, noise = np.array([trial.squared_error(of) for trial in trials]).T
    return squared, noise


def _mean_error(squared: NDArray[Any], noise: NDArray[Any]) -> float:
    return float(max(squared.mean() - noise.mean(), LEAST_EXCESS * squared.mean(), LEAST_ERROR))


def _psnr(error: float) -> float:
    return float(-10 * np.log10(max(error, LEAST_ERROR)))
