from __future__ import annotations

import json

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_vaegan.images.scaling import Scaling, robust_scaling


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16, np.int16, np.float32]),
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
        elements={"min_value": 0, "max_value": 200},
    )
)
def test_scaling_comes_back_exactly_to_float_rounding(pixels: np.ndarray) -> None:
    scaling = robust_scaling(pixels)
    scaled = scaling.forward(pixels)
    assert scaled.dtype == np.float32
    rounding = 2 * np.finfo(np.float32).eps * np.abs(scaled * scaling.span).max() + 1e-30
    np.testing.assert_allclose(scaling.inverse(scaled), pixels, rtol=0, atol=rounding)


def test_a_real_image_lies_between_0_and_1() -> None:
    pixels = skimage.data.camera()[..., None]
    scaled = robust_scaling(pixels).forward(pixels)
    assert np.percentile(scaled, 0.5) == pytest.approx(0)
    assert np.percentile(scaled, 99.9) == pytest.approx(1)


def test_a_hot_pixel_changes_nothing() -> None:
    pixels = np.random.default_rng(0).normal(200, 20, (128, 128, 1)).astype(np.uint16)
    clean = robust_scaling(pixels)
    pixels[50, 60] = 65535
    assert robust_scaling(pixels).span == pytest.approx(clean.span, rel=0.05)


def test_small_bright_objects_are_not_hundreds_of_units_bright() -> None:
    pixels = np.random.default_rng(0).normal(200, 5, (512, 512, 1)).astype(np.uint16)
    pixels[100:108, 200:208] = 30_000
    assert 4 < robust_scaling(pixels).forward(pixels).max() <= 8.01


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_constant_image_is_scaled_to_zero(value: int) -> None:
    scaling = robust_scaling(np.full((9, 9, 1), value, np.uint16))
    assert (scaling.low, scaling.span) == (value, 1)


def test_a_nearly_constant_image_spans_lowest_to_highest() -> None:
    pixels = np.zeros((100, 100, 1), np.uint8)
    pixels[5, 5] = 40
    assert robust_scaling(pixels).span == 40


def test_nan_and_infinity_are_left_out() -> None:
    pixels = np.random.default_rng(0).random((64, 64, 1)).astype(np.float32)
    clean = robust_scaling(pixels)
    pixels[0, :3, 0] = np.nan, np.inf, -np.inf
    assert robust_scaling(pixels).span == pytest.approx(clean.span, rel=0.01)


def test_missing_pixels_are_left_out() -> None:
    pixels = np.random.default_rng(0).integers(90, 110, (64, 64, 1)).astype(np.uint8)
    known = np.ones((64, 64), bool)
    known[:32] = False
    clean = robust_scaling(pixels[32:])
    pixels[:32] = 255
    hidden = robust_scaling(pixels, known)
    assert (hidden.low, hidden.span) == (clean.low, clean.span)


def test_an_image_of_which_nothing_is_known_keeps_its_units() -> None:
    scaling = robust_scaling(np.ones((8, 8, 2)), np.zeros((8, 8), bool))
    assert scaling.to_dict() == {"low": [0, 0], "span": [1, 1]}


def test_channels_have_their_own_scale_and_colours_share_one() -> None:
    pixels = skimage.data.immunohistochemistry()
    assert len(set(robust_scaling(pixels).span)) > 1
    assert len(set(robust_scaling(pixels, colour=True).span)) == 1


def test_a_long_stack_has_one_scale() -> None:
    stack = np.random.default_rng(0).integers(0, 255, (300, 32, 32, 1)).astype(np.uint8)
    assert robust_scaling(stack).span == pytest.approx(robust_scaling(stack[:64]).span, abs=2)


def test_scaling_survives_json() -> None:
    scaling = robust_scaling(skimage.data.astronaut())
    back = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    np.testing.assert_array_equal(back.low, scaling.low)
    np.testing.assert_array_equal(back.span, scaling.span)
