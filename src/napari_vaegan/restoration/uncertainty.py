"""Error bars: from the predicted log error and the calibration to standard deviation and interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from napari_vaegan.restoration.engine import Estimate
from napari_vaegan.training.calibration import LEVELS, CalibrationPoint

WHITE_DOUBT, CORRELATED_DOUBT = 0.05, 0.17
"""Shares of the variance of the noise by which fitted laws were wrong on real images: of noise that is independent from
pixel to pixel, and of correlated noise. A mean that was learned by a wrong law is wrong by about as much and cannot know."""


def law_doubt(white: bool) -> float:
    """Return by how much of its variance a noise of fitted law may be larger, white or correlated."""
    return WHITE_DOUBT if white else CORRELATED_DOUBT


def with_doubt(std: Tensor, doubt: float, noise: Tensor) -> Tensor:
    """Return a standard deviation widened by the doubt of the law of the noise, whose standard deviation is given alike."""
    return (std.square() + doubt * noise.square()).sqrt()


def standard_deviation(log_error: Tensor, calibration: CalibrationPoint) -> Tensor:
    """Return the calibrated standard deviation in scaled intensities, of the shape of ``log_error``."""
    return calibration.scale * (0.5 * log_error.clamp(-20, 5)).exp()


def with_spread(estimate: Estimate, calibration: CalibrationPoint) -> Estimate:
    """Return an estimate whose samples differ from the mean as much as the truth does, in mean square on validation images.

    Then averaging eight samples gains 10 log10(2 / (1 + 1/8)) = 2.5 dB over one. What was observed still holds: what a
    sample adds to the mean leaves it alone.
    """
    return replace(estimate, samples=torch.lerp(estimate.mean, estimate.samples, calibration.spread))


def interval_width(quantiles: Sequence[float], level: float) -> float:
    """Return the half width of an interval in standard deviations.

    Between the calibrated levels the width is interpolated on the scale of the normal distribution; beyond them it grows
    as a normal distribution's would.
    """
    normal = ndtri((1 + np.asarray(LEVELS)) / 2)
    wanted = float(ndtri((1 + level) / 2))
    widths = np.asarray(quantiles, float)
    if wanted <= normal[0]:
        return float(widths[0] * wanted / normal[0])
    if wanted >= normal[-1]:
        return float(widths[-1] * wanted / normal[-1])
    return float(np.interp(wanted, normal, widths))
