"""Between the best estimate and a possible truth."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import skimage.data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import napari_vaegan as nv

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
realisms = st.floats(0, 1)
dtypes = st.sampled_from([np.uint8, np.uint16, np.uint32, np.int16, np.float32, np.float64])


def picture(dtype: Any = np.uint8, shape: tuple[int, int] = (32, 40)) -> np.ndarray:
    return (skimage.data.cell()[250 : 250 + shape[0], 150 : 150 + shape[1]] * 1.7).astype(dtype)


@few
@given(realism=realisms, sample=st.integers(0, 1), dtype=dtypes)
def test_known_pixels_stay_bit_identical_all_the_way(tiny_model: nv.Model, realism: float, sample: int, dtype: Any) -> None:
    image = picture(dtype)
    mask = np.zeros(image.shape, bool)
    mask[4:20, 5:30] = True
    blended = tiny_model.inpaint(image, mask, samples=2).blend(realism, sample)
    assert blended.dtype == image.dtype
    assert np.array_equal(blended[~mask], image[~mask])


@few
@given(realism=realisms, factor=st.sampled_from([2, 3, 4]), dtype=st.sampled_from([np.uint8, np.uint16, np.int16]))
def test_block_means_of_integers_equal_the_input_all_the_way(
    tiny_model: nv.Model, realism: float, factor: int, dtype: Any
) -> None:
    image = picture(dtype)
    blended = tiny_model.super_resolve(image, factor, samples=1).blend(realism)
    blocks = blended.astype(np.float64).reshape(image.shape[0], factor, image.shape[1], factor)
    assert blended.dtype == image.dtype
    assert np.array_equal(blocks.mean((1, 3)), image)


@few
@given(realism=realisms, dtype=dtypes)
def test_a_denoised_image_lies_between_its_ends(tiny_model: nv.Model, realism: float, dtype: Any) -> None:
    result = tiny_model.denoise(picture(dtype), samples=1)
    best, middle, truth = (result.blend(share).astype(np.float64) for share in (0, realism, 1))
    step = 1e-3 if np.dtype(dtype).kind == "f" else 1
    assert (np.minimum(best, truth) - step <= middle).all()
    assert (middle <= np.maximum(best, truth) + step).all()


def test_no_realism_is_the_image_and_full_realism_the_sample(tiny_model: nv.Model) -> None:
    result = tiny_model.denoise(picture(), samples=3)
    assert np.array_equal(result.blend(0, 1), result.image)
    for number, sample in enumerate(result.samples):
        assert np.array_equal(result.blend(1, number), np.clip(np.rint(sample), 0, 255).astype(np.uint8))
    assert not np.array_equal(result.blend(1, 0), result.blend(1, 1))


def test_what_is_done_to_a_blend_or_to_the_input_does_not_change_the_next_blend(tiny_model: nv.Model) -> None:
    image, mask = picture(), np.zeros((32, 40), bool)
    mask[4:20, 5:30] = True
    original = image.copy()
    result = tiny_model.inpaint(image, mask, samples=1)
    result.blend(0)[:] = 0
    image[:], mask[:] = 0, True
    for realism in (0, 0.5):
        assert np.array_equal(result.blend(realism)[:4], original[:4])


@pytest.mark.parametrize("axes", ["TYX", "YXT", "XTY"])
def test_a_blend_has_the_image_s_order_of_axes(tiny_model: nv.Model, axes: str) -> None:
    stack = np.stack([picture(), picture() // 2])
    turned = stack.transpose(["TYX".index(axis) for axis in axes])
    result = tiny_model.denoise(turned, samples=1, axes=axes)
    expected = tiny_model.denoise(stack, samples=1, axes="TYX").blend(0.7)
    assert result.samples.shape == (1, *turned.shape)
    assert np.array_equal(result.blend(0.7), expected.transpose(["TYX".index(axis) for axis in axes]))


def test_colour_is_blended(tiny_rgb_model: nv.Model) -> None:
    image = skimage.data.immunohistochemistry()[:24, :32]
    blended = tiny_rgb_model.super_resolve(image, 2, samples=1).blend(0.5)
    assert np.array_equal(blended.reshape(24, 2, 32, 2, 3).mean((1, 3)), image)


def test_a_restoration_can_be_sent_to_another_process_and_blended_there(tiny_model: nv.Model) -> None:
    result = tiny_model.super_resolve(picture(), 2, samples=1)
    assert np.array_equal(pickle.loads(pickle.dumps(result)).blend(0.4), result.blend(0.4))


@pytest.mark.parametrize("realism", [-0.1, 1.1, float("nan")])
def test_a_realism_that_is_no_share_is_refused(tiny_model: nv.Model, realism: float) -> None:
    with pytest.raises(nv.SettingError, match=str(realism)):
        tiny_model.denoise(picture(), samples=1).blend(realism)


@pytest.mark.parametrize("sample", [-1, 2])
def test_a_sample_that_was_not_drawn_is_refused(tiny_model: nv.Model, sample: int) -> None:
    with pytest.raises(nv.SettingError, match=f"no sample {sample}"):
        tiny_model.denoise(picture(), samples=2).blend(0.5, sample)


def test_without_samples_only_the_best_estimate_can_be_had(tiny_model: nv.Model) -> None:
    result = tiny_model.denoise(picture(), samples=0)
    assert np.array_equal(result.blend(0), result.image)
    with pytest.raises(nv.SettingError, match="No samples were drawn"):
        result.blend(0.1)
