"""Error bars: how predicted and true errors are related."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from napari_vaegan.training.calibration import (
    LARGEST_SPREAD,
    LEVELS,
    Compared,
    KindCalibration,
    calibrate,
    conformal_quantile,
)


def compared(
    count: int, error: float, noise: float = 0.0, level: float = 0.0, seed: int = 0, spread: float = 1.0
) -> Compared:
    """Means that are wrong by so much, of truths that have noise of their own, and samples that spread by so much."""
    random = torch.Generator().manual_seed(seed)

    def normal() -> torch.Tensor:
        return torch.randn(count, 1, 48, 48, generator=random)

    clean, nothing = normal(), torch.zeros(count, 1, 48, 48)
    mean = clean + error * normal()
    return Compared(
        mean=mean,
        sample=mean + spread * normal(),
        log_error=nothing,
        truth=clean + noise * normal(),
        truth_noise=nothing + noise**2,
        unknown=nothing == 0,
        estimate=clean,
        noise=torch.full((count,), level),
    )


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_new_scores_lie_below_a_conformal_quantile_as_often_as_it_says(level: float) -> None:
    random = np.random.default_rng(0)
    covered = [
        float((random.exponential(size=200) <= conformal_quantile(random.exponential(size=150), level)).mean())
        for _ in range(2000)
    ]
    # The guarantee of split conformal prediction, and how much more 150 scores may give.
    assert level - 0.005 <= np.mean(covered) <= level + 1 / 151 + 0.005


def test_the_scale_makes_predicted_errors_as_large_as_true_ones() -> None:
    (point,) = calibrate(compared(8, error=0.2)).points
    assert point.scale == pytest.approx(0.2, rel=0.02)
    assert point.quantiles[LEVELS.index(0.9)] == pytest.approx(1.645, rel=0.05)


def test_the_noise_of_the_truth_is_not_taken_for_an_error() -> None:
    (point,) = calibrate(compared(32, error=0.2, noise=0.4)).points
    assert point.scale == pytest.approx(0.2, rel=0.1)


def test_errors_that_grow_with_the_noise_are_calibrated_by_its_level() -> None:
    parts = [compared(8, error, level=level, seed=i) for i, (error, level) in enumerate([(0.01, 0.05), (0.1, 0.5)])]
    both = Compared(*(torch.cat(values) for values in zip(*(vars(part).values() for part in parts), strict=True)))
    calibration = calibrate(both)
    assert len(calibration.points) == 4
    assert calibration.at(0.05).scale == pytest.approx(0.01, rel=0.05)
    assert calibration.at(0.5).scale == pytest.approx(0.1, rel=0.05)
    assert 0.01 < calibration.at(0.15).scale < 0.1
    assert calibration.at(5.0).scale == calibration.at(0.5).scale


@pytest.mark.parametrize(("error", "noise", "spread"), [(0.2, 0.0, 0.1), (0.2, 0.4, 0.3), (0.1, 0.0, 0.2)])
def test_samples_are_spread_as_much_as_the_mean_is_wrong(error: float, noise: float, spread: float) -> None:
    (point,) = calibrate(compared(32, error, noise, spread=spread)).points
    assert point.spread * spread == pytest.approx(error, rel=0.1)


def test_samples_that_hardly_differ_are_not_spread_without_limit() -> None:
    (point,) = calibrate(compared(8, error=0.2, spread=1e-6)).points
    assert point.spread == LARGEST_SPREAD


def test_known_pixels_do_not_count() -> None:
    exact = compared(4, error=0.2)
    unknown = exact.unknown.clone()
    unknown[..., :24] = False
    spoilt = torch.where(unknown, exact.mean, 100.0)
    (point,) = calibrate(replace(exact, mean=spoilt, unknown=unknown)).points
    assert point.scale == pytest.approx(0.2, rel=0.05)


def test_a_calibration_survives_as_a_value() -> None:
    calibration = calibrate(compared(16, error=0.2, level=0.1))
    assert KindCalibration.from_dict(asdict(calibration)) == calibration
