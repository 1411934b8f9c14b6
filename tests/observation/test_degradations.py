"""The degradations that train."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_vaegan.images.patches import Patches
from napari_vaegan.observation.degradations import Kind, degrade, kinds_of, poisson_gaussian
from napari_vaegan.observation.masks import random_mask
from napari_vaegan.observation.noise import NoiseOfBatch
from napari_vaegan.observation.observation import UNKNOWN_NOISE


def patches(count: int = 4, size: int = 48, level: float = 100.0, span: float = 200.0) -> Patches:
    """Flat patches of a raw intensity, scaled by a span of 200 grey levels from 20 on, in uint8."""
    pixels = np.full((count, 1, size, size), (level - 20) / span, np.float32)
    column = np.ones((count, 1), np.float32)
    nothing, white = 0 * column, np.zeros((count, 5, 5), np.float32)
    white[:, 2, 2] = 1
    return Patches(
        pixels, -20 / span * column, column / span, np.full(count, 255, np.float32), nothing, nothing, nothing, white
    )


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
    observation = degrade(patches(), kind, np.random.default_rng(0)).observation
    for part in (observation.image, observation.estimate):
        assert part.shape == (4, 1, 48, 48)
    assert observation.known.shape == observation.noise.shape == (4, 1, 48, 48)
    assert (observation.factor == kind.factor).all()


def test_noise_has_the_mean_of_the_signal_and_a_spread_of_levels() -> None:
    truth = patches(count=64)
    noisy, _ = poisson_gaussian(truth, np.random.default_rng(0))
    deviations = noisy.std(axis=(1, 2, 3))
    assert abs(noisy.mean() - truth.pixels.mean()) < 0.03
    assert deviations.max() > 5 * deviations.min() > 0


def test_noisy_cameras_count_in_whole_grey_levels_half_of_the_time() -> None:
    truth = patches(count=64)
    raw = poisson_gaussian(truth, np.random.default_rng(0))[0] * 200 + 20
    whole = (np.abs(raw - np.rint(raw)) < 1e-3).all(axis=(1, 2, 3))
    assert 0.3 < whole.mean() < 0.7
    assert raw[whole].min() >= -1e-3
    assert raw[whole].max() <= 255.01


def test_noise_has_the_law_that_is_told() -> None:
    truth = patches(count=64, size=96)
    noisy, law = poisson_gaussian(truth, np.random.default_rng(0))
    light = torch.from_numpy(truth.pixels)
    ratio = torch.from_numpy(noisy).var((1, 2, 3)) / law.variance(light).mean((1, 2, 3))
    assert 0.95 < float(ratio.median()) < 1.05


def test_most_of_the_time_the_level_of_the_noise_is_told() -> None:
    noise = degrade(patches(count=200), Kind("denoise"), np.random.default_rng(0)).observation.noise
    blind = (noise == UNKNOWN_NOISE).all(dim=-1).all(dim=-1).flatten()
    assert 0.05 < float(blind.float().mean()) < 0.3
    assert (noise[~blind] > 0).all()


def noisy_patches(correlation: float, count: int = 64, size: int = 64) -> Patches:
    """Flat patches with photon and read noise of their own, whose neighbours are correlated."""
    clean = patches(count, size)
    gain, read = np.full((count, 1), 0.01, np.float32), np.full((count, 1), 0.02, np.float32)
    kernel = clean.correlation.copy()
    kernel[:, [1, 2, 2, 3], [2, 1, 3, 2]] = correlation
    law = NoiseOfBatch(*map(torch.from_numpy, (gain, clean.zero, read, kernel)))
    torch.manual_seed(0)
    noisy = (torch.from_numpy(clean.pixels) + law.draw(torch.from_numpy(clean.pixels))).numpy()
    return replace(clean, pixels=noisy, gain=gain, offset=clean.zero, read_noise=read, correlation=kernel)


@pytest.mark.parametrize("correlation", [0.0, 0.23])
def test_what_is_observed_of_noisy_patches_tells_nothing_of_the_noise_that_is_sought(correlation: float) -> None:
    noisy = noisy_patches(correlation)
    light = float(patches().pixels.mean())
    made = degrade(noisy, Kind("denoise"), np.random.default_rng(0))
    seen, sought = made.observation.image - light, made.truth - light
    scale = (seen.square().mean() * sought.square().mean()).sqrt()
    assert abs(float((seen * sought).mean() / scale)) < 0.02
    assert abs(float(sought.mean())) < 0.01
    expected = made.noise.variance(torch.full_like(made.truth, light)).mean((1, 2, 3))
    assert 0.9 < float((sought.square().mean((1, 2, 3)) / expected).mean()) < 1.1


@pytest.mark.parametrize("task", ["generate", "inpaint"])
def test_noisy_patches_are_their_own_truth_with_the_noise_they_have(task: str) -> None:
    noisy = noisy_patches(0.0)
    made = degrade(noisy, Kind(task), np.random.default_rng(0))
    assert torch.equal(made.truth, torch.from_numpy(noisy.pixels))
    assert not made.noise.absent.any()


def test_correlated_noise_has_the_correlation_and_variance_of_its_law() -> None:
    noisy = noisy_patches(0.23)
    noise = torch.from_numpy(noisy.pixels - patches().pixels.mean())
    variance = noise.square().mean()
    beside = (noise[..., 1:] * noise[..., :-1]).mean() / variance
    assert abs(float(variance) / float((noisy.gain * 0.5 + noisy.read_noise**2).mean()) - 1) < 0.05
    assert abs(float(beside) - 0.23) < 0.03


def test_block_means_are_rounded_to_whole_grey_levels_of_integer_images() -> None:
    textured = patches()
    textured.pixels[...] += np.random.default_rng(0).normal(0, 0.1, textured.pixels.shape).astype(np.float32)
    observation = degrade(textured, Kind("super-resolve", 2), np.random.default_rng(0)).observation
    raw = observation.image * 200 + 20
    torch.testing.assert_close(raw, raw.round(), atol=1e-3, rtol=0)
    torch.testing.assert_close(observation.rounding, torch.full((4, 1), 0.5 / 200))
