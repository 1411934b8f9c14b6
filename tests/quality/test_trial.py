"""What a trial on a patch that is itself noisy can say of errors that nobody sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import napari_vaegan as nv
from napari_vaegan.images.noise_law import white_correlation
from napari_vaegan.images.patches import Patches
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.quality.trial import Trial, attempt, classical_of, mean_of
from napari_vaegan.restoration.uncertainty import CORRELATED_DOUBT, WHITE_DOUBT, standard_deviation

SIDE, STD = 96, 0.1


def clean_patch() -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (0.5 + 0.3 * np.sin(rows / 9) * np.cos(columns / 7)).astype(np.float32)[None, None]


def noisy_patch(correlation: np.ndarray) -> Patches:
    pixels = clean_patch() + STD * np.random.default_rng(0).standard_normal((1, 1, SIDE, SIDE)).astype(np.float32)
    zero, read_noise = np.zeros((1, 1), np.float32), np.full((1, 1), STD, np.float32)
    endless = np.full(1, np.inf, np.float32)
    return Patches(pixels, zero, zero, endless, zero, zero, read_noise, correlation[None].astype(np.float32))


def trial_of(model: nv.Model, correlation: np.ndarray) -> Trial:
    trial = attempt(
        model.engine,
        model.calibration_of(Kind("denoise")),
        noisy_patch(correlation),
        Kind("denoise"),
        1,
        np.random.default_rng(1),
    )
    assert trial is not None
    return trial


@pytest.mark.parametrize("of", [classical_of, mean_of])
def test_denoising_a_noisy_patch_is_judged_as_against_the_clean_one(tiny_model: nv.Model, of) -> None:
    trial = trial_of(tiny_model, white_correlation())
    squared, noise = trial.squared_error(of)
    unseen = float((of(trial.restored) - torch.from_numpy(clean_patch()[0])).square().mean())
    assert squared - noise == pytest.approx(unseen, abs=0.1 * STD**2)


def test_its_error_bars_allow_for_the_doubt_of_the_law_of_the_noise(tiny_model: nv.Model) -> None:
    correlation = white_correlation()
    correlation[1:4, 1:4] = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
    for correlated, doubt in ((white_correlation(), WHITE_DOUBT), (correlation, CORRELATED_DOUBT)):
        trial = trial_of(tiny_model, correlated)
        point = trial.calibration(tiny_model.calibration_of(trial.kind))
        without = standard_deviation(trial.estimate.log_error, point)
        added = trial.std(point).square() - without.square()
        torch.testing.assert_close(added, torch.full_like(added, doubt * STD**2), rtol=0.02, atol=1e-6)
