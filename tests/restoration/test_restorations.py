"""Every task through the public API: what it must never do, and what it must always give."""

from __future__ import annotations

from typing import Any

import dask.array
import numpy as np
import pytest
import skimage.data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import napari_vaegan as nv

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
sides = st.integers(8, 75)
dtypes = st.sampled_from([np.uint8, np.uint16, np.uint32, np.int16, np.float32, np.float64])


def picture(height: int = 48, width: int = 40, dtype: Any = np.uint8, gain: float = 1.0) -> np.ndarray:
    crop = skimage.data.cell()[250 : 250 + height, 150 : 150 + width]
    return (crop * gain).astype(dtype)


def hole(shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[..., 2:6, 3:7] = True
    return mask


# --- shapes, dtypes, axes


@few
@given(height=sides, width=sides, dtype=dtypes)
def test_inpaint_leaves_known_pixels_bit_identical(tiny_model: nv.Model, height: int, width: int, dtype: Any) -> None:
    image, mask = picture(height, width, dtype), hole((height, width))
    result = tiny_model.inpaint(image, mask, samples=2)
    assert result.image.dtype == image.dtype
    assert np.array_equal(result.image[~mask], image[~mask])
    for estimate in (result.mean, *result.samples):
        np.testing.assert_array_equal(estimate[~mask], image[~mask].astype(np.float32))
    assert (result.std[~mask] == 0).all()
    assert (result.std[mask] > 0).all()


@few
@given(height=sides, width=sides, factor=st.sampled_from([2, 3, 4]), dtype=dtypes)
def test_super_resolution_keeps_block_means(tiny_model: nv.Model, height: int, width: int, factor: int, dtype: Any) -> None:
    image = picture(height, width, dtype)
    result = tiny_model.super_resolve(image, factor, samples=1)
    assert result.image.shape == (height * factor, width * factor)
    assert result.image.dtype == image.dtype

    def means(array: np.ndarray) -> np.ndarray:
        return array.astype(np.float64).reshape(height, factor, width, factor).mean((1, 3))

    if np.issubdtype(dtype, np.integer):
        assert np.array_equal(means(result.image), image)
    for estimate in (result.mean, result.samples[0]):
        assert np.abs(means(estimate) - image).max() < 0.51


@few
@given(height=sides, width=sides, dtype=dtypes)
def test_denoise_keeps_shape_and_dtype(tiny_model: nv.Model, height: int, width: int, dtype: Any) -> None:
    result = tiny_model.denoise(picture(height, width, dtype), samples=2)
    assert result.image.shape == result.mean.shape == result.std.shape == (height, width)
    assert result.image.dtype == dtype
    assert result.samples.shape == (2, height, width)
    assert result.mean.dtype == result.std.dtype == result.samples.dtype == np.float32


def test_stacks_are_restored_plane_by_plane(tiny_model: nv.Model) -> None:
    stack = np.stack([picture(gain=gain) for gain in (0.5, 1.0, 0.8)])
    together = tiny_model.inpaint(stack, hole(stack.shape[1:]), samples=0)
    assert together.image.shape == stack.shape
    turned = tiny_model.inpaint(np.moveaxis(stack, 0, -1), hole(stack.shape[1:]), samples=0, axes="YXT")
    assert np.array_equal(np.moveaxis(turned.image, -1, 0), together.image)


def test_a_mask_may_differ_from_plane_to_plane(tiny_model: nv.Model) -> None:
    stack = np.stack([picture(), picture()])
    mask = np.zeros(stack.shape, np.int32)
    mask[1, 5:9, 5:9] = 7
    result = tiny_model.inpaint(stack, mask, samples=0)
    assert np.array_equal(result.image[0], stack[0])
    assert np.array_equal(result.image[1][mask[1] == 0], stack[1][mask[1] == 0])


def test_a_mask_has_the_image_s_order_of_axes(tiny_model: nv.Model) -> None:
    image, mask = picture(40, 40), hole((40, 40))
    mask[20:30, 3] = True
    turned = tiny_model.inpaint(image.T, mask.T, samples=0, axes="XY")
    assert np.array_equal(turned.image.T, tiny_model.inpaint(image, mask, samples=0).image)


def test_a_boolean_image_is_restored_as_zeros_and_ones(tiny_model: nv.Model) -> None:
    image, mask = picture() > 100, hole((48, 40))
    filled = tiny_model.inpaint(image, mask, samples=1).image
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~mask], image[~mask])
    assert tiny_model.denoise(image, samples=0).image.max() <= 2
    assert tiny_model.super_resolve(image, 2, samples=0).report["consistency_residual"] == 0


def test_guessed_axes_are_stated(tiny_model: nv.Model) -> None:
    result = tiny_model.denoise(np.stack([picture(), picture()]), samples=0)
    assert any("TYX" in warning for warning in result.report["warnings"])
    assert not tiny_model.denoise(picture(), samples=0).report["warnings"] or "axes" not in str(
        tiny_model.denoise(picture(), samples=0).report["warnings"]
    )


def test_colour_images_keep_their_channels(tiny_rgb_model: nv.Model) -> None:
    image = skimage.data.immunohistochemistry()[:32, :40]
    assert tiny_rgb_model.denoise(image, samples=1).samples.shape == (1, 32, 40, 3)
    assert tiny_rgb_model.super_resolve(image, 2, samples=0).image.shape == (64, 80, 3)


def test_a_lazy_image_gives_the_same_result(tiny_model: nv.Model) -> None:
    stack = np.stack([picture(), picture(gain=0.7)])
    lazy = dask.array.from_array(stack, chunks=(1, 20, 20))
    assert np.array_equal(tiny_model.denoise(lazy, samples=0).image, tiny_model.denoise(stack, samples=0).image)


def test_other_units_give_the_same_picture(tiny_model: nv.Model) -> None:
    plain = tiny_model.denoise(picture(dtype=np.float64), samples=0).mean
    shifted = tiny_model.denoise(picture(dtype=np.float64) * 1e-3 + 5, samples=0).mean
    np.testing.assert_allclose((shifted - 5) * 1e3, plain, atol=0.05)


# --- seeds, samples, intervals


def test_the_same_seed_draws_the_same_samples_and_another_does_not(tiny_model: nv.Model) -> None:
    one, same, other = (tiny_model.denoise(picture(), samples=2, seed=seed).samples for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])


def test_the_first_samples_do_not_depend_on_how_many_are_drawn(tiny_model: nv.Model) -> None:
    two, three = (tiny_model.inpaint(picture(), hole((48, 40)), samples=count).samples for count in (2, 3))
    np.testing.assert_allclose(two, three[:2], atol=1e-3)


def test_without_samples_there_is_the_mean_alone(tiny_model: nv.Model) -> None:
    result = tiny_model.denoise(picture(), samples=0)
    assert result.samples.shape == (0, 48, 40)
    np.testing.assert_allclose(result.mean, tiny_model.denoise(picture(), samples=1).mean, atol=1e-4)


@few
@given(level=st.floats(0.01, 0.99), more=st.floats(0.001, 0.009))
def test_intervals_hold_the_mean_and_grow_with_their_level(tiny_model: nv.Model, level: float, more: float) -> None:
    result = tiny_model.denoise(picture(), samples=0)
    low, high = result.interval(level)
    wider_low, wider_high = result.interval(level + more)
    assert (low <= result.mean).all()
    assert (result.mean <= high).all()
    assert (wider_low <= low).all()
    assert (high <= wider_high).all()


@pytest.mark.parametrize("level", [0, 1, -1, 90])
def test_a_level_that_is_no_share_is_refused(tiny_model: nv.Model, level: float) -> None:
    with pytest.raises(nv.SettingError, match=str(level)):
        tiny_model.denoise(picture(), samples=0).interval(level)


def test_intervals_cover_about_what_they_say_on_images_like_the_training_s(tiny_model: nv.Model) -> None:
    truth = skimage.data.cell()[392:488, 100:484]
    mask = np.zeros(truth.shape, bool)
    mask[::7, ::5] = True
    low, high = tiny_model.inpaint(truth, mask, samples=0).interval(0.9)
    assert 0.6 < ((truth >= low) & (truth <= high))[mask].mean() <= 1


def test_the_report_says_how_it_went(tiny_model: nv.Model) -> None:
    report = tiny_model.super_resolve(picture(), 2, samples=0).report
    assert report["device"] == "cpu"
    assert report["tiles"] == 1
    assert report["seconds"] > 0
    assert report["consistency_residual"] == 0
    assert report["out_of_distribution"] > 0


def test_an_image_of_another_kind_is_said_to_be(tiny_model: nv.Model) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    strange, familiar = (tiny_model.super_resolve(image, 4, samples=0) for image in (noise, picture(64, 64)))
    assert strange.report["out_of_distribution"] > familiar.report["out_of_distribution"]


# --- bad input


def test_an_empty_mask_returns_the_image(tiny_model: nv.Model) -> None:
    result = tiny_model.inpaint(picture(), np.zeros((48, 40), bool), samples=1)
    assert np.array_equal(result.image, picture())
    assert np.array_equal(result.samples[0], picture().astype(np.float32))
    assert (result.std == 0).all()


def test_a_mask_of_everything_is_refused(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.DataError, match="generate"):
        tiny_model.inpaint(picture(), np.ones((48, 40), bool))


def test_a_mask_of_another_shape_is_refused_with_both_shapes(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.ShapeError, match=r"\(10, 10\).*\(48, 40\)"):
        tiny_model.inpaint(picture(), np.zeros((10, 10), bool))


def test_three_channels_are_refused_by_a_model_of_one(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.ShapeError, match=r"3 channels.*1 channel"):
        tiny_model.denoise(np.zeros((32, 32, 3), np.uint8), axes="YXC")


@pytest.mark.parametrize("factor", [0, 1, 5, -2, 2.5])
def test_a_factor_that_was_not_trained_is_refused(tiny_model: nv.Model, factor: Any) -> None:
    with pytest.raises(nv.SettingError, match=str(factor)):
        tiny_model.super_resolve(picture(), factor)


@pytest.mark.parametrize("shape", [(1, 1), (7, 40), (40,), ()])
def test_an_image_that_is_too_small_is_refused(tiny_model: nv.Model, shape: tuple[int, ...]) -> None:
    with pytest.raises(nv.ShapeError):
        tiny_model.denoise(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_counted_and_refused(tiny_model: nv.Model, bad: float) -> None:
    image = picture(dtype=np.float32)
    image[3, 4] = bad
    for restore in (tiny_model.denoise, tiny_model.super_resolve):
        with pytest.raises(nv.DataError, match="1 pixel"):
            restore(image)


def test_pixels_that_are_not_finite_can_be_inpainted(tiny_model: nv.Model) -> None:
    image = picture(dtype=np.float32)
    image[3:5, 4:6] = np.nan
    with pytest.raises(nv.DataError, match="4 pixels outside the mask"):
        tiny_model.inpaint(image, hole(image.shape) & False)
    assert np.isfinite(tiny_model.inpaint(image, np.isnan(image), samples=1).image).all()


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_image_stays_next_to_constant(tiny_model: nv.Model, value: int) -> None:
    image = np.full((32, 32), value, np.uint8)
    for result in (tiny_model.denoise(image, samples=0), tiny_model.inpaint(image, hole((32, 32)), samples=0)):
        assert np.abs(result.image.astype(int) - value).max() <= 1
    assert np.array_equal(tiny_model.super_resolve(image, 2, samples=0).image[::2, ::2].shape, image.shape)


def test_an_image_of_text_or_complex_numbers_is_refused(tiny_model: nv.Model) -> None:
    for image in (np.full((16, 16), "a"), np.zeros((16, 16), complex)):
        with pytest.raises(nv.DataError):
            tiny_model.denoise(image)


@pytest.mark.parametrize(("samples", "seed"), [(-1, 0), (1, -1)])
def test_negative_samples_and_seeds_are_refused(tiny_model: nv.Model, samples: int, seed: int) -> None:
    with pytest.raises(nv.SettingError, match="-1"):
        tiny_model.denoise(picture(), samples=samples, seed=seed)
