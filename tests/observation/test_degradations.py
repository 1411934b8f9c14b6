"""The degradations that train."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_vaegan.images.patches import Patches
from napari_vaegan.observation.degradations import Kind, degrade, kinds_of, poisson_gaussian
from napari_vaegan.observation.masks import random_mask
from napari_vaegan.observation.observation import UNKNOWN_NOISE


def patches(count: int = 4, size: int = 48, level: float = 100.0, span: float = 200.0) -> Patches:
    """Flat patches of a raw intensity, scaled by a span of 200 grey levels from 20 on, in uint8."""
    pixels = np.full((count, 1, size, size), (level - 20) / span, np.float32)
    column = np.ones((count, 1), np.float32)
    return Patches(pixels, -20 / span * column, column / span, np.full(count, 255, np.float32))


@given(st.integers(16, 128), st.integers(0, 10_000))
def test_masks_hide_something_and_never_all(size: int, seed: int) -> None:
    mask = random_mask(size, np.random.default_rng(seed))
    assert mask.shape == (size, size)
    assert 0 < mask.mean() <= 0.6


def test_every_task_has_its_kinds() -> None:
    assert [str(kind) for kind in kinds_of(("generate", "super-resolve"))] == [
        "generate",
        "super-resolve ×2",
        "super-resolve ×3",
        "super-resolve ×4",
    ]


@pytest.mark.parametrize("kind", kinds_of(("generate", "inpaint", "super-resolve", "denoise")), ids=str)
def test_an_observation_lies_on_the_grid_of_the_truth(kind: Kind) -> None:
    observation = degrade(patches(), kind, np.random.default_rng(0))
    for part in (observation.image, observation.estimate):
        assert part.shape == (4, 1, 48, 48)
    assert observation.known.shape == observation.noise.shape == (4, 1, 48, 48)
    assert (observation.factor == kind.factor).all()


def test_noise_has_the_mean_of_the_signal_and_a_spread_of_levels() -> None:
    truth = patches(count=64)
    noisy = poisson_gaussian(truth, np.random.default_rng(0))
    deviations = noisy.std(axis=(1, 2, 3))
    assert abs(noisy.mean() - truth.pixels.mean()) < 0.03
    assert deviations.max() > 5 * deviations.min() > 0


def test_noisy_cameras_count_in_whole_grey_levels_half_of_the_time() -> None:
    truth = patches(count=64)
    raw = poisson_gaussian(truth, np.random.default_rng(0)) * 200 + 20
    whole = (np.abs(raw - np.rint(raw)) < 1e-3).all(axis=(1, 2, 3))
    assert 0.3 < whole.mean() < 0.7
    assert raw[whole].min() >= -1e-3
    assert raw[whole].max() <= 255.01


def test_the_noise_level_is_not_told() -> None:
    assert (degrade(patches(), Kind("denoise"), np.random.default_rng(0)).noise == UNKNOWN_NOISE).all()


def test_block_means_are_rounded_to_whole_grey_levels_of_integer_images() -> None:
    textured = patches()
    textured.pixels[...] += np.random.default_rng(0).normal(0, 0.1, textured.pixels.shape).astype(np.float32)
    observation = degrade(textured, Kind("super-resolve", 2), np.random.default_rng(0))
    raw = observation.image * 200 + 20
    torch.testing.assert_close(raw, raw.round(), atol=1e-3, rtol=0)
    torch.testing.assert_close(observation.rounding, torch.full((4, 1), 0.5 / 200))
