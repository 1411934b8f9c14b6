"""Images as latents: encoding, decoding, variations, and the way between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

import napari_vaegan as nv
from napari_vaegan.images.scaling import Scaling
from napari_vaegan.networks.latent_flow import LatentFlow
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.latents import Canvas

CELL = skimage.data.cell()[300:364, 200:272]


def latents(*levels: np.ndarray, shape: tuple[int, int] = (64, 64)) -> nv.Latents:
    canvas = Canvas(shape, Scaling(np.zeros(1), np.ones(1)), np.dtype(np.float32))
    return nv.Latents(tuple(level.astype(np.float32) for level in levels), canvas)


@pytest.mark.parametrize("shape", [(40, 64), (33, 47)])
def test_the_latents_of_a_generated_image_decode_to_it(float_model: nv.Model, shape: tuple[int, int]) -> None:
    images = float_model.generate(3, shape, seed=3, temperature=0.8)
    decoded = float_model.decode(float_model.latents(2, shape, seed=3, temperature=0.8))
    assert np.array_equal(decoded, images[2])


@pytest.fixture(scope="module")
def generator(tiny_model: nv.Model, textured_images: Path, tmp_path_factory: pytest.TempPathFactory) -> nv.Model:
    """A model that learned to generate alone, for long enough that its latents tell of the image."""
    longer = {"steps": 200, "tasks": ("generate",), "adversarial": False}
    config = tiny_model.header.config.model_copy(update=longer)
    return nv.train(textured_images, config, checkpoint=tmp_path_factory.mktemp("training") / "generator.checkpoint")


def test_a_decoded_image_is_near_to_the_encoded_one_and_to_no_other(generator: nv.Model) -> None:
    crops = [np.ascontiguousarray(skimage.data.cell()[row : row + 64, 200:272]) for row in (100, 200, 300, 400)]
    decoded = [generator.decode(generator.encode(crop)).astype(float) for crop in crops]
    for number, crop in enumerate(crops):
        errors = [np.square(image - crop).mean() for image in decoded]
        assert np.argmin(errors) == number
        assert errors[number] < 0.6 * crop.var()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("shape", [(8, 8), (50, 41)])
def test_a_decoded_image_has_the_size_dtype_and_intensities_of_the_encoded_one(
    tiny_model: nv.Model, dtype: Any, shape: tuple[int, int]
) -> None:
    image = (CELL[: shape[0], : shape[1]] / 2).astype(dtype)
    encoded = tiny_model.encode(image)
    decoded = tiny_model.decode(encoded)
    assert encoded.shape == shape
    assert (decoded.shape, decoded.dtype) == (shape, dtype)
    assert abs(decoded.mean() - image.mean()) <= max(2, 0.5 * np.ptp(image))


def test_encoding_and_decoding_in_tiles_is_encoding_and_decoding_the_whole(tiny_model: nv.Model) -> None:
    image = skimage.data.cell()[:400, :360]
    whole = tiny_model.encode(image)
    engine = tiny_model.engine
    try:
        engine.tile, engine.halo = 96, 96
        tiled = tiny_model.encode(image)
        decoded = tiny_model.decode(whole)
    finally:
        engine.tile, engine.halo = 960, 192
    for one, other in zip(whole.levels, tiled.levels, strict=True):
        np.testing.assert_allclose(one, other, atol=0.02)
    assert np.abs(decoded.astype(int) - tiny_model.decode(whole)).max() <= 1


def test_latents_of_a_generated_image_are_the_same_in_tiles(float_model: nv.Model) -> None:
    whole = float_model.latents(1, (640, 416), seed=5)
    engine = float_model.engine
    try:
        engine.tile, engine.halo = 96, 96
        tiled = float_model.latents(1, (640, 416), seed=5)
    finally:
        engine.tile, engine.halo = 960, 192
    for one, other in zip(whole.levels, tiled.levels, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_a_learned_prior_moves_the_noise_that_images_are_drawn_from(float_model: nv.Model) -> None:
    latents = float_model.latents(0, (64, 64))
    plain = placed_noise(0, 0, range(1), float_model.engine.networks.generator.strides, 0, 0)
    moved = [not np.array_equal(level, plain(i, torch.from_numpy(level[None]))[0]) for i, level in enumerate(latents.levels)]
    assert moved == [True, True, True, False]  # texture is none of the prior


def test_without_a_learned_prior_images_are_drawn_from_plain_noise_and_no_flow_is_computed(
    float_model: nv.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: Any) -> Any:
        raise AssertionError("the flow was computed")

    monkeypatch.setattr(LatentFlow, "learned", property(lambda _: False))
    monkeypatch.setattr(LatentFlow, "forward", compute)
    plain = placed_noise(0, 0, range(1), float_model.engine.networks.generator.strides, 0, 0)
    for index, level in enumerate(float_model.latents(0, (64, 64)).levels):
        assert np.array_equal(level, plain(index, torch.from_numpy(level[None]))[0])
    assert float_model.variations(float_model.generate(1, (64, 64))[0], 2, detail=8).shape == (2, 64, 64)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros((3, 32, 32)), "has 3 planes: encode one of them"),
        (np.zeros((7, 32)), "too small: give at least 8 × 8"),
        (np.full((32, 32), np.nan), "NaN or infinite"),
    ],
)
def test_what_cannot_be_encoded_is_refused_in_a_sentence(tiny_model: nv.Model, image: np.ndarray, sentence: str) -> None:
    with pytest.raises(nv.VaeganError, match=sentence):
        tiny_model.encode(image)


def test_a_model_that_does_not_generate_has_no_latents(tiny_rgb_model: nv.Model) -> None:
    for call in (lambda: tiny_rgb_model.latents(0, (32, 32)), lambda: tiny_rgb_model.encode(np.zeros((32, 32, 3)))):
        with pytest.raises(nv.SettingError, match="not to generate"):
            call()


def test_latents_of_another_model_are_refused(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.ShapeError, match="of another model"):
        tiny_model.decode(latents(np.zeros((4, 4, 4))))


def test_variations_share_the_structure_that_is_coarser_than_the_detail_drawn_anew(generator: nv.Model) -> None:
    image = generator.decode(generator.encode(CELL)).astype(float)
    finest, *_, coarsest = sorted(generator.details)
    changes = []
    for detail in (finest, coarsest):
        first, second = generator.variations(CELL, 2, detail, seed=1).astype(float)
        assert np.abs(first - second).max() > 0
        changes.append(np.square(gaussian_filter(first - image, 8)).mean())
    assert changes[0] < 0.8 * changes[1]


def test_variations_are_the_seed_s(tiny_model: nv.Model) -> None:
    one, again, other = (tiny_model.variations(CELL, 2, 4, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_generated_image_has_variations_of_its_own_seed(tiny_model: nv.Model) -> None:
    generated = tiny_model.generate(1, (32, 32))
    varied = tiny_model.variations(tiny_model.latents(0, (32, 32)), 1, max(tiny_model.details))
    assert not np.array_equal(generated, varied)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"detail": 5}, "detail to draw anew cannot be 5: choose 2, 4, 8 or 16, in pixels"),
        ({"count": 0}, "cannot be 0"),
        ({"seed": -1}, "seed cannot be -1"),
    ],
)
def test_variations_that_make_no_sense_are_refused_in_a_sentence(
    tiny_model: nv.Model, settings: dict[str, int], sentence: str
) -> None:
    with pytest.raises(nv.SettingError, match=sentence):
        tiny_model.variations(CELL, **settings)


def test_a_walk_leads_exactly_from_one_generated_image_to_the_other(float_model: nv.Model) -> None:
    images = float_model.generate(4, (40, 64), seed=3)
    start, middle, end = float_model.interpolate(*(float_model.latents(number, (40, 64), seed=3) for number in (1, 3)), 3)
    assert np.array_equal(start, images[1])
    assert np.array_equal(end, images[3])
    assert np.abs(middle - start).max() > 0
    assert np.abs(middle - end).max() > 0


def test_a_walk_between_images_takes_their_intensities_along(tiny_model: nv.Model) -> None:
    dark = (CELL // 4).astype(np.uint16)
    bright = (CELL[:, ::-1] * 100.0).astype(np.uint16)
    steps = tiny_model.interpolate(dark, bright, 4)
    assert (steps.dtype, steps.shape) == (np.uint16, (4, *CELL.shape))
    assert np.array_equal(steps[0], tiny_model.decode(tiny_model.encode(dark)))
    assert np.array_equal(steps[-1], tiny_model.decode(tiny_model.encode(bright)))
    assert sorted(steps.mean((1, 2))) == list(steps.mean((1, 2)))


def test_a_walk_from_an_image_to_itself_stays_there(tiny_model: nv.Model) -> None:
    steps = tiny_model.interpolate(CELL, CELL.copy(), 3)
    assert np.abs(np.diff(steps.astype(int), axis=0)).max() <= 1


@pytest.mark.parametrize(
    ("second", "count", "sentence"),
    [
        (CELL, 1, "cannot have 1 steps: give at least 2"),
        (CELL[:48], 3, "between images of 64 × 72 and 48 × 72 pixels: crop them to the same size"),
    ],
)
def test_a_way_that_does_not_exist_is_refused_in_a_sentence(
    tiny_model: nv.Model, second: np.ndarray, count: int, sentence: str
) -> None:
    with pytest.raises(nv.VaeganError, match=sentence):
        tiny_model.interpolate(CELL, second, count)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_of_the_way_outside_of_it_is_refused(share: float) -> None:
    here = latents(np.ones((1, 4, 4)))
    with pytest.raises(nv.SettingError, match=f"not {share}"):
        here.towards(here, share)


def test_there_is_no_way_between_two_models(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.ShapeError, match="latents of two models"):
        latents(np.ones((1, 4, 4))).towards(latents(np.ones((2, 4, 4))), 0.5)


@given(share=st.floats(0, 1), likeness=st.floats(-0.9, 1))
def test_latents_on_the_way_keep_their_variance(share: float, likeness: float) -> None:
    first, other = np.random.default_rng(0).normal(size=(2, 8, 64, 64))
    second = likeness * first + np.sqrt(1 - likeness**2) * other
    (level,) = latents(first).towards(latents(second), share).levels
    assert abs(level.std() - 1) < 0.03
