from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vaegan.images.collection import Plane
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.images.scaling import Scaling, robust_scaling


def plane(pixels: np.ndarray, source: int = 0) -> Plane:
    return Plane("plane", pixels, robust_scaling(pixels), source)


def raw(pixels: np.ndarray) -> Plane:
    channels = pixels.shape[-1]
    return Plane("plane", pixels, Scaling(np.zeros(channels), np.ones(channels)), 0)


def test_patches_hold_scaled_pixels_of_the_planes() -> None:
    pixels = np.arange(40 * 50).reshape(40, 50, 1).astype(np.uint16)
    chosen = plane(pixels)
    patches = PatchSampler([chosen], seed=0).draw(20, 16)
    assert patches.pixels.dtype == np.float32
    assert patches.pixels.shape == (20, 1, 16, 16)
    back = chosen.scaling.inverse(patches.pixels.transpose(0, 2, 3, 1)).round()[..., 0]
    for patch in back:
        top, left = divmod(int(patch.min()), 50)
        assert set(patch.ravel()) == set(pixels[top : top + 16, left : left + 16].ravel())


def test_zero_and_step_say_where_raw_intensities_lie() -> None:
    pixels = np.random.default_rng(0).integers(100, 200, (40, 50, 2)).astype(np.uint8)
    chosen = plane(pixels)
    patches = PatchSampler([chosen], seed=0).draw(3, 16)
    np.testing.assert_allclose(patches.zero, np.tile(-chosen.scaling.low / chosen.scaling.span, (3, 1)), rtol=1e-6)
    np.testing.assert_allclose(patches.step, np.tile(1 / chosen.scaling.span, (3, 1)), rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(1, 3),
    size=st.sampled_from([8, 16, 64]),
)
def test_planes_of_any_size_give_patches_of_their_own_pixels(height: int, width: int, channels: int, size: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, channels)).astype(np.uint8)
    patches = PatchSampler([raw(pixels)], seed=0).draw(4, size)
    assert patches.pixels.shape == (4, channels, size, size)
    assert set(np.unique(patches.pixels)) <= set(np.unique(pixels))


@pytest.mark.parametrize("length", [20, 21])
def test_every_pixel_can_be_drawn(length: int) -> None:
    pixels = np.arange(length * 20).reshape(length, 20, 1).astype(np.uint16)
    patches = PatchSampler([raw(pixels)], seed=0).draw(600, 8)
    assert len(np.unique(patches.pixels)) == length * 20


def test_patches_come_flipped_and_turned_in_all_eight_ways() -> None:
    pixels = np.arange(256).reshape(16, 16, 1).astype(np.uint16)
    patches = PatchSampler([raw(pixels)], seed=0).draw(200, 16)
    assert len({patch.tobytes() for patch in patches.pixels}) == 8


def test_small_bright_objects_on_a_large_dark_background_are_seen() -> None:
    pixels = np.random.default_rng(0).normal(100, 1, (1024, 1024, 1))
    pixels[500:512, 700:712] = 1000
    patches = PatchSampler([plane(pixels.astype(np.uint16))], seed=0).draw(1000, 64)
    seen = (patches.pixels.max(axis=(1, 2, 3)) > 4).mean()
    assert seen > 5 * 76**2 / 1024**2


def test_small_planes_are_seen_beside_large_ones() -> None:
    large, small = np.zeros((1000, 1000, 1), np.uint8), np.ones((20, 20, 1), np.uint8)
    patches = PatchSampler([raw(large), raw(small)], seed=0).draw(2000, 8)
    assert (patches.pixels.mean(axis=(1, 2, 3)) == 1).mean() == pytest.approx(20 / 1020, abs=0.01)


def test_the_same_seed_draws_the_same_patches() -> None:
    planes = [plane(np.random.default_rng(0).random((40, 40, 1)))]
    first, again, other = (PatchSampler(planes, seed).draw(8, 16).pixels for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_drawing_goes_on_from_a_stored_state() -> None:
    planes = [plane(np.random.default_rng(0).random((40, 40, 1)))]
    sampler = PatchSampler(planes, seed=0)
    sampler.draw(5, 16)
    state = json.loads(json.dumps(sampler.state()))
    expected = sampler.draw(5, 16).pixels
    resumed = PatchSampler(planes, seed=9)
    resumed.set_state(state)
    np.testing.assert_array_equal(resumed.draw(5, 16).pixels, expected)
