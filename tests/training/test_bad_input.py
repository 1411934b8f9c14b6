"""Folders and settings of which nothing good can come: a repaired training or a sentence, and never a silent nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.training import losses, training
from napari_vaegan.training.diagnosis.findings import LEAST_DISTANCE, Failure
from napari_vaegan.training.events import Diagnosed, Started, Warned

SEVERAL = {"min_size": 1, "max_size": 4}


def write(folder: Path, images: list[np.ndarray]) -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        tifffile.imwrite(folder / f"{number}.tif", image)
    return folder


def pattern(random: np.random.Generator, side: int = 96) -> np.ndarray:
    """An image of 8 bits with blobs of all sizes."""
    levels = sum(np.kron(random.normal(0, 1, (side // size,) * 2), np.ones((size, size))) for size in (2, 8, 32))
    return np.clip(128 + 30 * levels, 0, 255).astype(np.uint8)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def train(source: Any, path: Path, steps: int = 3, **settings: Any) -> tuple[nv.Model, Listener]:
    """Train for a few steps; what comes out draws images, restores one, and can be saved and opened."""
    listener = Listener()
    config = nv.TrainingConfig(**TINY | settings, steps=steps)
    model = nv.train(source, config, on_event=listener, checkpoint=path / "bad.checkpoint")
    model = nv.load(model.save(path / "bad.vaegan"))
    assert np.isfinite(list(model.header.psnr.values())).all()
    images = model.generate(2, (32, 32))
    restored = model.denoise(images[0], samples=1)
    for made in (images, restored.mean, restored.std, restored.samples):
        assert np.isfinite(made).all()
    return model, listener


def said(listener: Listener) -> list[str]:
    return [event.message for event in listener.of(Warned)]


def test_a_folder_of_one_image_is_divided_and_that_is_said(random: np.random.Generator, tmp_path: Path) -> None:
    _, listener = train(write(tmp_path / "one", [pattern(random)]), tmp_path)
    assert "There is one image, so the last quarter of its longer side is held apart for validation." in said(listener)


def test_a_folder_of_one_image_too_small_to_be_divided_says_both(random: np.random.Generator, tmp_path: Path) -> None:
    _, listener = train(write(tmp_path / "one", [pattern(random)[:20, :24]]), tmp_path)
    assert any("validation is done on the training pixels" in message for message in said(listener))
    assert any("1 plane of 1 is smaller than the patches of 32 pixels" in message for message in said(listener))


def test_near_duplicates_are_said_to_be_no_test_of_the_model(random: np.random.Generator, tmp_path: Path) -> None:
    image = pattern(random).astype(int)
    copies = [np.clip(image + random.integers(-2, 3, image.shape), 0, 255).astype(np.uint8) for _ in range(5)]
    model, listener = train(write(tmp_path / "copies", copies), tmp_path)
    (message,) = said(listener)
    assert message.startswith("The images are nearly the same")
    assert message in model.header.warnings


def test_images_of_different_places_are_not_taken_for_near_duplicates(textured_images: Path, tmp_path: Path) -> None:
    assert said(train(textured_images, tmp_path)[1]) == []


@hypothesis_settings(max_examples=30)
@given(
    st.lists(
        st.sampled_from([np.uint8, np.uint16, np.int16, np.float32]).flatmap(
            lambda dtype: st.tuples(arrays.array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=80), st.just(dtype))
        ),
        **SEVERAL,
    ),
    st.integers(0, 255),
)
def test_constant_images_are_refused_in_a_sentence(kinds: list[tuple[tuple[int, ...], type]], value: int) -> None:
    images = [np.full(shape, value, dtype) for shape, dtype in kinds]
    with pytest.raises(
        nv.DataError, match=r"can be used \(.*is constant: every pixel is .*\): give other images"
    ) as refused:
        nv.train(images, nv.TrainingConfig(**TINY, steps=1))
    assert "\n" not in str(refused.value)


def test_constant_images_among_others_are_left_out_by_name(random: np.random.Generator, tmp_path: Path) -> None:
    images = [np.full((96, 96), 7, np.uint8), pattern(random), pattern(random)]
    _, listener = train(write(tmp_path / "some", images), tmp_path)
    (started,) = listener.of(Started)
    assert started.images == 2
    assert started.skipped == ("0.tif: is constant: every pixel is 7",)


@pytest.mark.parametrize("noise", ["clean", "noisy"])
def test_images_of_little_but_black_make_a_model_that_can_be_opened(
    random: np.random.Generator, tmp_path: Path, noise: str
) -> None:
    images = [np.zeros((256, 256), np.uint8) for _ in range(4)]
    for image in images:
        image[20:40, 20:40] = random.integers(100, 200, (20, 20))
    _, listener = train(write(tmp_path / "black", images), tmp_path, steps=12, noise=noise, tasks=("generate", "denoise"))
    assert not any("diverged" in message for message in said(listener))


def test_images_of_one_bright_pixel_are_not_taken_for_a_divergence(tmp_path: Path) -> None:
    images = [np.zeros((96, 96), np.uint8) for _ in range(4)]
    for number, image in enumerate(images):
        image[9 * number, 5] = 200
    _, listener = train(write(tmp_path / "dark", images), tmp_path, steps=24, noise="clean")
    assert not any("diverged" in message for message in said(listener))


@pytest.mark.parametrize("shape", [(8, 8), (20, 31), (8, 200)])
def test_images_smaller_than_the_patches_are_continued_and_said(
    random: np.random.Generator, tmp_path: Path, shape: tuple[int, int]
) -> None:
    images = [pattern(random, 256)[: shape[0], : shape[1]] for _ in range(4)]
    _, listener = train(write(tmp_path / "small", images), tmp_path)
    assert "4 planes of 4 are smaller than the patches of 32 pixels and continued by reflection: give larger images if " in (
        " ".join(said(listener))
    )


def test_a_training_whose_first_weights_are_not_even_numbers_recovers(textured_images: Path, tmp_path: Path) -> None:
    model, listener = train(textured_images, tmp_path, steps=24, learning_rate=1e4)
    assert sum("a tenth of the learning rate" in message for message in said(listener)) >= 2
    assert model.header.psnr["super-resolve ×2"] > 20


@pytest.mark.parametrize("steps", [5, 24])
def test_a_training_that_never_recovers_ends_in_a_sentence(textured_images: Path, tmp_path: Path, steps: int) -> None:
    with pytest.raises(nv.SettingError, match=r"learning rate 1e\+30 .* there is no model: set learning_rate lower"):
        train(textured_images, tmp_path, steps=steps, learning_rate=1e30)


def test_a_training_in_which_no_step_can_be_made_ends_in_a_sentence(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "ranked_probability_score", lambda first, *_: first.sum() * float("nan"))
    with pytest.raises(nv.SettingError, match="there is no model"):
        train(textured_images, tmp_path)


def test_a_training_that_is_stopped_before_anything_was_learned_says_how_to_go_on(
    textured_images: Path, tmp_path: Path
) -> None:
    listener, path = Listener(stop_after=1), tmp_path / "stopped.checkpoint"
    config = nv.TrainingConfig(**TINY, steps=200, variational=False)
    with pytest.raises(nv.Stopped, match="before there was a model: go on from its checkpoint"):
        nv.train(textured_images, config, on_event=listener, stop=listener.stop, checkpoint=path)
    assert path.exists()


def test_fifty_small_images_are_not_learned_by_heart(
    random: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 20)
    _, listener = train([pattern(random, 64) for _ in range(50)], tmp_path, steps=48, tasks=("generate", "denoise"))
    distances = [event.diagnosis.distance for event in listener.of(Diagnosed) if event.diagnosis.distance is not None]
    assert len(distances) > 5
    assert min(distances) > LEAST_DISTANCE
    findings = [finding.failure for event in listener.of(Diagnosed) for finding in event.diagnosis.findings]
    assert Failure.MEMORISATION not in findings


def test_a_training_without_time_for_a_step_says_so(textured_images: Path, tmp_path: Path) -> None:
    with pytest.raises(nv.SettingError, match="used up before the first step, and there is no model: set minutes higher"):
        nv.train(textured_images, nv.TrainingConfig(**TINY, minutes=0.0001), checkpoint=tmp_path / "bad.checkpoint")
