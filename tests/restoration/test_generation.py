"""Images from nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_vaegan as nv


@pytest.mark.parametrize("shape", [(8, 8), (33, 70)])
def test_generated_images_have_the_dtype_and_range_of_the_training_s(tiny_model: nv.Model, shape: tuple[int, int]) -> None:
    images = tiny_model.generate(3, shape, seed=1)
    assert images.shape == (3, *shape)
    assert images.dtype == np.uint8
    assert 20 < images.mean() < 200
    assert np.array_equal(images, tiny_model.generate(3, shape, seed=1))


def test_an_image_does_not_depend_on_how_many_are_generated(float_model: nv.Model) -> None:
    assert np.array_equal(float_model.generate(5, (40, 40))[:2], float_model.generate(2, (40, 40)))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"count": 0}, "number of images to generate cannot be 0: give at least 1"),
        ({"shape": (0, 0)}, r"shape \(0, 0\) cannot be generated: give height and width of at least 8"),
        ({"shape": (7, 32)}, r"shape \(7, 32\) cannot be generated: give height and width of at least 8"),
        ({"shape": (32,)}, r"shape \(32,\) cannot be generated"),
        ({"shape": 0}, "shape 0 cannot be generated: give height and width"),
        ({"shape": 7}, "shape 7 cannot be generated: give height and width"),
        ({"shape": 100_000}, "shape 100000 cannot be generated: give height and width"),
        (
            {"shape": (100_000, 100_000)},
            "100000 × 100000 pixels needs about .* GB of memory.*: generate smaller ones",
        ),
        ({"seed": -1}, "seed cannot be -1: give a whole number from 0 on"),
        ({"temperature": -0.5}, "temperature cannot be -0.5: give a number from 0"),
        ({"temperature": float("nan")}, "temperature cannot be nan: give a number from 0"),
        ({"temperature": 50}, "temperature cannot be 50: give a number from 0 .* to 2"),
    ],
)
def test_what_cannot_be_generated_is_refused_in_a_sentence(
    tiny_model: nv.Model, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(nv.VaeganError, match=sentence):
        tiny_model.generate(**settings)


def test_temperature_one_is_as_learned_and_zero_leaves_no_difference(float_model: nv.Model) -> None:
    assert np.array_equal(float_model.generate(2, (32, 32), temperature=1), float_model.generate(2, (32, 32)))
    first, second = float_model.generate(2, (32, 32), temperature=0)
    assert np.array_equal(first, second)


def test_images_stray_the_further_the_higher_the_temperature(float_model: nv.Model) -> None:
    typical = float_model.generate(1, (64, 64), temperature=0)[0]
    distances = [np.std(float_model.generate(4, (64, 64), temperature=t) - typical) for t in (0.3, 0.7, 1, 1.5)]
    assert distances == sorted(distances)


def test_more_images_than_memory_holds_are_refused_at_once(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.SettingError, match=r"Generating 10000000 images .* GB are available: generate fewer"):
        tiny_model.generate(10_000_000, (4096, 4096))


def test_generated_images_are_cut_out_of_a_larger_field(float_model: nv.Model) -> None:
    images = float_model.generate(48, (64, 64), seed=5).astype(float)
    at_edges = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]])
    inside = images[:, 24:40, 24:40]
    assert abs(at_edges.mean() - inside.mean()) < 0.3 * inside.std()
    assert 0.95 < at_edges.std() / inside.std() < 1.1
