"""Images from nothing, and the walk between two of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import napari_vaegan as nv
from napari_vaegan.restoration.latent_noise import between, placed_noise


@pytest.fixture(scope="module")
def float_model(tiny_model: nv.Model) -> nv.Model:
    """The tiny model, with images that are not rounded: what differs in the last bit shows."""
    return nv.Model(tiny_model.engine.networks, tiny_model.header.model_copy(update={"dtype": "float32"}), "cpu", "float32")


@pytest.mark.parametrize("shape", [(8, 8), (33, 70)])
def test_generated_images_have_the_dtype_and_range_of_the_training_s(tiny_model: nv.Model, shape: tuple[int, int]) -> None:
    images = tiny_model.generate(3, shape, seed=1)
    assert images.shape == (3, *shape)
    assert images.dtype == np.uint8
    assert 20 < images.mean() < 200
    assert np.array_equal(images, tiny_model.generate(3, shape, seed=1))


def test_an_image_does_not_depend_on_how_many_are_generated(float_model: nv.Model) -> None:
    assert np.array_equal(float_model.generate(5, (40, 40))[:2], float_model.generate(2, (40, 40)))


@pytest.mark.parametrize(("count", "shape"), [(0, (32, 32)), (1, (7, 32)), (1, (32,))])
def test_generating_nothing_or_next_to_nothing_is_refused(tiny_model: nv.Model, count: int, shape: Any) -> None:
    with pytest.raises(nv.VaeganError):
        tiny_model.generate(count, shape)


def test_a_walk_leads_exactly_from_one_generated_image_to_the_other(float_model: nv.Model) -> None:
    images = float_model.generate(4, (40, 64), seed=3)
    start, middle, end = (float_model.interpolate(1, 3, share, (40, 64), seed=3) for share in (0, 0.5, 1))
    assert np.array_equal(start, images[1])
    assert np.array_equal(end, images[3])
    assert middle.shape == (40, 64)
    assert np.abs(middle - start).max() > 0
    assert np.abs(middle - end).max() > 0


def test_a_walk_from_an_image_to_itself_stays_there(tiny_model: nv.Model) -> None:
    assert np.array_equal(tiny_model.interpolate(2, 2, 0.5, (32, 32)), tiny_model.generate(3, (32, 32))[2])


@given(share=st.floats(0, 1))
def test_noise_on_the_way_keeps_its_variance(share: float) -> None:
    first, second = partial(placed_noise, 0, 0), partial(placed_noise, 1, 0)
    noise = between(first, second, share)(range(1), [32], 0, 0)(0, torch.empty(1, 8, 64, 64))
    assert abs(noise.mean()) < 0.03
    assert abs(noise.std() - 1) < 0.03


@pytest.mark.parametrize(
    ("first", "second", "share", "words"), [(-1, 0, 0.5, "-1"), (0, -2, 0.5, "-2"), (0, 1, 1.5, "1.5"), (0, 1, -1, "-1")]
)
def test_ends_and_shares_that_do_not_exist_are_refused(
    tiny_model: nv.Model, first: int, second: int, share: float, words: str
) -> None:
    with pytest.raises(nv.SettingError, match=words):
        tiny_model.interpolate(first, second, share)


def test_a_model_that_does_not_generate_does_not_interpolate(tiny_rgb_model: nv.Model) -> None:
    with pytest.raises(nv.SettingError, match="not to generate"):
        tiny_rgb_model.interpolate(0, 1, 0.5)


def test_more_images_than_memory_holds_are_refused_at_once(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.SettingError, match=r"Generating 10000000 images .* GB are available: generate fewer"):
        tiny_model.generate(10_000_000, (4096, 4096))
