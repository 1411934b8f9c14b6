"""How predicted errors and samples relate to true errors: scales and split-conformal widths, by the level of the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

from napari_vaegan.observation.observation import Observation
from napari_vaegan.training.losses import squared_error

LEVELS = (0.5, 0.6, 0.68, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
"""Levels at which intervals are calibrated; between them the width is interpolated."""

NOISE_GROUPS = 4
"""Noisy patches are calibrated in so many groups, by the level of their noise."""

FEWEST_OF_GROUP = 4
"""Patches."""

LEAST_EXCESS = 0.02
"""Of a squared error, so much at least is not taken for the noise of the truth."""

LARGEST_SPREAD = 3.0
"""Samples are spread by no larger a factor: those of networks that have hardly been trained mean nothing."""


@dataclass(frozen=True)
class CalibrationPoint:
    """How the predicted standard deviation relates to true errors at one level of noise.

    Attributes
    ----------
    noise
        The level, see ``noise_level``; 0 where there is none.
    scale
        Factor that makes the mean of the predicted variances equal the mean squared error.
    quantiles
        For every level of ``LEVELS``: the split-conformal quantile of |error| / (scale × predicted std).
    spread
        Factor that makes what a sample adds to the mean as large, in mean square, as the error of the mean is.
    """

    noise: float
    scale: float
    quantiles: tuple[float, ...]
    spread: float


@dataclass(frozen=True)
class KindCalibration:
    """How predicted errors relate to true ones for one kind of observation.

    Attributes
    ----------
    points
        At least one; of rising levels of noise.
    largest_std
        The largest root mean square of the calibrated std, in scaled units, of any patch of the validation images.
    largest_roughness
        The largest roughness of the first estimate of any of these patches.
    """

    points: tuple[CalibrationPoint, ...]
    largest_std: float
    largest_roughness: float

    def at(self, noise: float) -> CalibrationPoint:
        """Return the calibration at a level of noise, interpolated over its logarithm; at the ends the nearest."""
        levels = np.log([max(point.noise, 1e-9) for point in self.points])
        place = np.log(max(noise, 1e-9))
        scale = float(np.exp(np.interp(place, levels, np.log([point.scale for point in self.points]))))
        columns = zip(*(point.quantiles for point in self.points), strict=True)
        spread = float(np.exp(np.interp(place, levels, np.log([point.spread for point in self.points]))))
        return CalibrationPoint(noise, scale, tuple(float(np.interp(place, levels, column)) for column in columns), spread)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> KindCalibration:
        """Rebuild what ``dataclasses.asdict`` returned."""
        points = tuple(
            CalibrationPoint(point["noise"], point["scale"], tuple(point["quantiles"]), point["spread"])
            for point in value["points"]
        )
        return cls(points, value["largest_std"], value["largest_roughness"])


@dataclass(frozen=True)
class Compared:
    """Means beside the truth, on which to calibrate; all but ``noise`` (batch, channels, height, width), scaled units.

    Attributes
    ----------
    mean, log_error
        What the networks made of the observations.
    sample
        Drawn of each.
    truth
        What was sought.
    truth_noise
        Variance of the truth's own noise, 0 where it is clean.
    unknown
        bool: the pixels that were not known.
    estimate
        The observations' first estimates.
    noise
        (batch,): the level of the noise.
    """

    mean: Tensor
    log_error: Tensor
    sample: Tensor
    truth: Tensor
    truth_noise: Tensor
    unknown: Tensor
    estimate: Tensor
    noise: Tensor

    def select(self, index: Tensor) -> Compared:
        """Return some of the batch."""
        return Compared(*(part[index] for part in vars(self).values()))


def join_compared(parts: Sequence[Compared]) -> Compared:
    """Return several batches as one."""
    return Compared(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Compared)))


def conformal_quantile(scores: NDArray[np.float64], level: float) -> float:
    """Return the smallest width that covers ``level`` of exchangeable scores (Vovk et al. 2005; Lei et al. 2018).

    The ⌈(n + 1) level⌉-th smallest of n scores: a new score lies below it with at least that probability.
    """
    rank = min(int(np.ceil((len(scores) + 1) * level)), len(scores))
    return float(np.partition(scores, rank - 1)[rank - 1])


def noise_level(mean: Tensor, observation: Observation) -> Tensor:
    """Return the level of the noise of each observation: root mean square of what the mean takes away, 0 without noise."""
    return squared_error(observation.image, mean).sqrt() * ~observation.noiseless.flatten()


def roughness(images: Tensor) -> Tensor:
    """Root mean square difference between neighbouring pixels of each image of the batch, in scaled units: (batch,)."""
    rows, columns = images.diff(dim=-2).square(), images.diff(dim=-1).square()
    return (rows.flatten(1).mean(1) + columns.flatten(1).mean(1)).sqrt()


def calibrate(compared: Compared) -> KindCalibration:
    """Relate predicted to true errors of the unknown pixels.

    Noisy observations are calibrated in groups of like noise. Where the truth is clean the widths are split-conformal; where
    it has noise of its own, of known law, the noise's variance is taken off the squared errors, and the widths are those
    of a normal distribution, as single clean errors are not seen.
    """
    order = compared.noise.argsort()
    groups = NOISE_GROUPS if float(compared.noise.min()) > 0 and len(order) >= NOISE_GROUPS * FEWEST_OF_GROUP else 1
    points, stds = [], []
    for part in order.tensor_split(groups):
        group = compared.select(part)
        point = _calibrate_group(group)
        points.append(point)
        variance = group.log_error.clamp(-20, 5).exp() * group.unknown
        shares = group.unknown.flatten(1).sum(1).clamp(min=1)
        stds.append(point.scale * float((variance.flatten(1).sum(1) / shares).max().sqrt()))
    return KindCalibration(tuple(points), max(stds), float(roughness(compared.estimate).max()))


def _calibrate_group(group: Compared) -> CalibrationPoint:
    unknown = group.unknown
    squared = (group.mean - group.truth)[unknown].square().double()
    variance = group.log_error.clamp(-20, 5).exp()[unknown].double()
    noise = group.truth_noise[unknown].double()
    excess = torch.maximum(squared.mean() - noise.mean(), LEAST_EXCESS * squared.mean())
    scale = max(float((excess / variance.mean()).sqrt()), 1e-6)
    added = (group.sample - group.mean)[unknown].square().double().mean()
    spread = min(max(float((excess / added.clamp(min=1e-12)).sqrt()), 1 / LARGEST_SPREAD), LARGEST_SPREAD)
    level = float(group.noise.clamp(min=1e-9).log().mean().exp()) if float(group.noise.max()) > 0 else 0.0
    if float(noise.max()) > 0:
        return CalibrationPoint(level, scale, tuple(float(width) for width in ndtri((1 + np.array(LEVELS)) / 2)), spread)
    scores = (squared.sqrt() / (scale * variance.sqrt())).cpu().numpy()
    return CalibrationPoint(level, scale, tuple(conformal_quantile(scores, level) for level in LEVELS), spread)
