"""Restoring in all orientations: what it must keep, and what it is an average of."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import skimage.data
import torch

import napari_vaegan as nv
from napari_vaegan.observation.observation import Observation, observe_block_means, observe_noisy, observe_pixels
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.self_ensemble import ORIENTATIONS, estimate_best

IMAGE = skimage.data.cell()[250:287, 150:195]
"""37 × 45 pixels: no multiple of any stride or factor."""

MASK = np.zeros(IMAGE.shape, bool)
MASK[3:12, 30:44] = True


def test_the_orientations_are_all_different_and_undone_exactly() -> None:
    image = torch.arange(6.0).reshape(1, 1, 2, 3)
    laid = {tuple(map(tuple, orientation.of(image)[0, 0].tolist())) for orientation in ORIENTATIONS}
    assert len(laid) == 8
    for orientation in ORIENTATIONS:
        assert torch.equal(orientation.undo(orientation.of(image)), image)


SCALED = torch.from_numpy(IMAGE.astype(np.float32) / 255)[None, None]


@pytest.mark.parametrize(
    "observation",
    [
        observe_pixels(SCALED, torch.from_numpy(1 - MASK.astype(np.float32))[None, None]),
        observe_block_means(SCALED, 3, 3 * 37, 3 * 45, torch.tensor([[0.5 / 255]])),
        observe_noisy(SCALED),
    ],
    ids=["inpaint", "super-resolve", "denoise"],
)
def test_what_is_observed_turned_or_mirrored_is_restored_to_the_same_turned_or_mirrored(
    tiny_model: nv.Model, observation: Observation
) -> None:
    noise = partial(placed_noise, 0, 0)
    upright = estimate_best(tiny_model.engine, observation, 0, noise).mean
    for orientation in ORIENTATIONS[1::3]:
        laid = estimate_best(tiny_model.engine, orientation.of_observation(observation), 0, noise).mean
        torch.testing.assert_close(orientation.undo(laid), upright, atol=1e-5, rtol=0)
    alone = tiny_model.engine.estimate(observation, 0, noise).mean
    assert (alone - upright).abs().max() > 1e-4


def test_a_turned_image_is_super_resolved_to_the_turned_result(tiny_model: nv.Model) -> None:
    upright, turned = (
        tiny_model.super_resolve(image, 3, samples=0, quality="best").mean for image in (IMAGE, np.rot90(IMAGE))
    )
    np.testing.assert_allclose(turned, np.rot90(upright), atol=0.02)


def test_known_pixels_stay_bit_identical(tiny_model: nv.Model) -> None:
    result = tiny_model.inpaint(IMAGE, MASK, samples=2, quality="best")
    assert np.array_equal(result.image[~MASK], IMAGE[~MASK])
    for estimate in (result.mean, *result.samples):
        np.testing.assert_array_equal(estimate[~MASK], IMAGE[~MASK].astype(np.float32))


@pytest.mark.parametrize("factor", [2, 3])
def test_block_means_equal_the_input(tiny_model: nv.Model, factor: int) -> None:
    result = tiny_model.super_resolve(IMAGE, factor, samples=1, quality="best")
    height, width = IMAGE.shape

    def means(array: np.ndarray) -> np.ndarray:
        return array.astype(np.float64).reshape(height, factor, width, factor).mean((1, 3))

    assert np.array_equal(means(result.image), IMAGE)
    for estimate in (result.mean, result.samples[0]):
        assert np.abs(means(estimate) - IMAGE).max() < 0.51


def test_samples_differ_from_the_better_mean_as_they_did_from_the_fast_one(tiny_model: nv.Model) -> None:
    fast, best = (tiny_model.inpaint(IMAGE, MASK, samples=2, quality=quality) for quality in ("fast", "best"))
    np.testing.assert_allclose(best.samples - best.mean, fast.samples - fast.mean, atol=1e-3)
    np.testing.assert_array_equal(best.std, fast.std)


def test_the_quality_is_reported_and_the_progress_ends_once(tiny_model: nv.Model) -> None:
    shares: list[float] = []
    result = tiny_model.denoise(IMAGE, samples=1, quality="best", on_progress=shares.append)
    assert result.report["quality"] == "best"
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert sum(share > 0.999 for share in shares) < len(shares) / 2


def test_an_unknown_quality_is_refused(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.SettingError, match="'good': choose fast or best"):
        tiny_model.denoise(IMAGE, quality="good")  # type: ignore[arg-type]
