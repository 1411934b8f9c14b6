"""Matching style: what moves, what must not, and what bad input gets."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
import skimage.data
import tifffile
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import napari_vaegan as nv
from napari_vaegan.cli.app import app
from napari_vaegan.restoration.style.density import DensityScale
from napari_vaegan.restoration.style.mixture import Mixture
from napari_vaegan.restoration.style.rising_curve import RisingCurve

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TISSUE = skimage.data.immunohistochemistry()
CELL = skimage.data.cell()


def stained(index: int, side: int = 96) -> np.ndarray:
    """A crop of tissue stained brown and blue."""
    row, column = divmod(index, 5)
    return np.ascontiguousarray(TISSUE[row * side : (row + 1) * side, column * side : (column + 1) * side])


def elsewhere(image: np.ndarray) -> np.ndarray:
    """The same specimen as another laboratory shows it: stronger and other stains, a darker background."""
    density = DensityScale(255.0).density(image)
    mixed = density @ np.array([[1.1, 0.12, 0.0], [0.1, 0.9, 0.1], [-0.1, 0.05, 1.15]]) * 1.2 + [0.05, 0.15, 0.02]
    return np.clip(np.rint(DensityScale(255.0).intensity(mixed)), 0, 255).astype(np.uint8)


def grey(index: int, side: int = 96) -> np.ndarray:
    return np.ascontiguousarray(CELL[200:296, 60 + 40 * index : 60 + 40 * index + side])


def dimmer(image: np.ndarray) -> np.ndarray:
    """The same as another camera shows it."""
    return np.rint(255 * (0.6 * (image / 255.0) ** 1.5 + 0.1)).astype(np.uint8)


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    error = np.mean((image.astype(float) - truth) ** 2)
    return float(10 * np.log10(np.ptp(truth.astype(float)) ** 2 / max(error, 1e-9)))


REFERENCES = [stained(index) for index in (0, 2, 4, 6, 8, 10, 12)]
GREY_REFERENCES = [grey(index) for index in (0, 2, 4, 6, 8)]


@pytest.fixture(scope="module")
def two_channel_model(tmp_path_factory: pytest.TempPathFactory) -> nv.Model:
    config = nv.TrainingConfig(
        preset="tiny", steps=4, patch_size=32, batch_size=2, tasks=("denoise",), device="cpu", axes="CYX"
    )
    images = [np.stack([grey(index), dimmer(grey(8 - index))]) for index in range(8)]
    return nv.train(images, config, checkpoint=tmp_path_factory.mktemp("two") / "a.checkpoint", name="two")


# --- the look


@pytest.mark.parametrize("index", [1, 7])
def test_colours_of_another_laboratory_are_brought_back(tiny_rgb_model: nv.Model, index: int) -> None:
    truth = stained(index)
    result = tiny_rgb_model.match_style(elsewhere(truth), REFERENCES)
    assert psnr(result.image, truth) > psnr(elsewhere(truth), truth) + 5
    assert psnr(result.image, truth) > 25


@pytest.mark.parametrize("index", [1, 5])
def test_brightness_of_another_camera_is_brought_back(tiny_model: nv.Model, index: int) -> None:
    truth = grey(index)
    result = tiny_model.match_style(dimmer(truth), GREY_REFERENCES)
    assert psnr(result.image, truth) > psnr(dimmer(truth), truth) + 5


def test_without_a_style_the_look_is_that_of_the_training_folder(tiny_model: nv.Model, textured_images: Path) -> None:
    own = tiny_model.match_style(dimmer(grey(3)))
    given = tiny_model.match_style(dimmer(grey(3)), textured_images)
    np.testing.assert_array_equal(own.image, given.image)
    assert own.report["style"] == "the training folder of tiny"


def test_all_references_count_in_any_order(tiny_rgb_model: nv.Model) -> None:
    image = elsewhere(stained(1))
    forward, backward = (tiny_rgb_model.match_style(image, refs).mean for refs in (REFERENCES, REFERENCES[::-1]))
    assert np.abs(forward - backward).mean() < 6
    few = tiny_rgb_model.match_style(image, REFERENCES[:1]).mean
    assert not np.array_equal(few, forward)


def test_the_background_stays_background(tiny_rgb_model: nv.Model) -> None:
    truth = stained(1)
    background = truth.mean(-1) > np.quantile(truth.mean(-1), 0.95)
    result = tiny_rgb_model.match_style(elsewhere(truth), REFERENCES).image.mean(-1)
    assert result[background].mean() > np.quantile(result, 0.9)


# --- structure


@few
@given(index=st.integers(0, 14), strength=st.floats(0, 1))
def test_edges_stay_in_place_and_order(tiny_rgb_model: nv.Model, index: int, strength: float) -> None:
    result = tiny_rgb_model.match_style(elsewhere(stained(index)), REFERENCES, strength)
    assert result.report["structure"] >= 0.9
    assert 0 <= result.report["constrained_share"] <= 1


@few
@given(index=st.integers(0, 9), strength=st.floats(0, 1))
def test_what_was_brighter_stays_brighter(tiny_model: nv.Model, index: int, strength: float) -> None:
    image = grey(index).astype(np.float32)
    changed = tiny_model.match_style(dimmer(grey(index)), GREY_REFERENCES, strength).mean.ravel()
    assert (np.diff(changed[np.argsort(dimmer(grey(index)), axis=None, kind="stable")]) >= -1e-3).all()
    assert changed.size == image.size


@few
@given(
    points=st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 2)), min_size=2, max_size=20, unique_by=lambda point: point[0])
)
@example(points=[(0.0, 0.0), (5e-324, 1.0), (1.0, 1.0)])
def test_a_curve_always_rises(points: list[tuple[float, float]]) -> None:
    old, new = np.array(sorted(points)).T
    assume(np.ptp(old) > 1e-6)
    drawn = RisingCurve.through(old, np.sort(new))(np.linspace(-0.5, 1.5, 300))
    assert (np.diff(drawn) >= 0).all()


def test_strength_0_is_the_identity_bit_by_bit(tiny_model: nv.Model, tiny_rgb_model: nv.Model) -> None:
    image = stained(3)
    result = tiny_rgb_model.match_style(elsewhere(image), REFERENCES, strength=0)
    np.testing.assert_array_equal(result.image, elsewhere(image))
    assert result.report["structure"] == 1
    for dtype in (np.uint16, np.float32, np.int16, np.float64):
        raw = (grey(1) * 7.3).astype(dtype)
        unchanged = tiny_model.match_style(raw, GREY_REFERENCES, strength=0).image
        assert unchanged.dtype == dtype
        np.testing.assert_array_equal(unchanged, raw)


def test_half_the_strength_lies_between(tiny_rgb_model: nv.Model) -> None:
    image = elsewhere(stained(3))
    none, half, all_of_it = (tiny_rgb_model.match_style(image, REFERENCES, strength).mean for strength in (0, 0.5, 1))
    moved = np.abs(all_of_it - none) > 4
    assert (np.minimum(none, all_of_it) - 1 <= half)[moved].all()
    assert (half <= np.maximum(none, all_of_it) + 1)[moved].all()


# --- one change for all


def test_a_tile_of_an_image_is_changed_as_the_image_is(tiny_rgb_model: nv.Model) -> None:
    """The change depends on a pixel's values alone: equal pixels stay equal anywhere."""
    image = np.tile(elsewhere(stained(1)), (12, 12, 1))
    result = tiny_rgb_model.match_style(image, REFERENCES).image
    np.testing.assert_array_equal(result[:96, :96], result[-96:, -96:])
    np.testing.assert_array_equal(result, np.tile(result[:96, :96], (12, 12, 1)))


def test_a_time_lapse_gets_one_change(tiny_model: nv.Model) -> None:
    film = np.stack([dimmer(grey(index)) for index in range(5)])
    result = tiny_model.match_style(film, GREY_REFERENCES, axes="TYX").image
    level = film[0, 3, 4]
    assert len(np.unique(result[film == level])) == 1
    turned = tiny_model.match_style(np.moveaxis(film, 0, -1), GREY_REFERENCES, axes="YXT").image
    np.testing.assert_array_equal(np.moveaxis(turned, -1, 0), result)


def test_the_same_call_gives_the_same_pixels(tiny_rgb_model: nv.Model, tmp_path: Path) -> None:
    image = elsewhere(stained(1))
    first = tiny_rgb_model.match_style(image, REFERENCES, seed=3).image
    other = nv.load(tiny_rgb_model.save(tmp_path / "again.vaegan"), device="cpu")
    np.testing.assert_array_equal(other.match_style(image, list(REFERENCES), seed=3).image, first)


def test_dtype_and_kind_of_image_are_kept(tiny_model: nv.Model) -> None:
    for dtype, gain in ((np.uint16, 200), (np.float32, 1 / 255), (np.int32, 1)):
        result = tiny_model.match_style((dimmer(grey(1)) * gain).astype(dtype), GREY_REFERENCES)
        assert result.image.dtype == dtype
        assert result.mean.dtype == np.float32
        assert result.samples.shape == (0, 96, 96)
        assert (result.std == 0).all()
        low, high = result.interval(0.9)
        np.testing.assert_array_equal(low, high)


@pytest.fixture(scope="module")
def slide() -> np.ndarray:
    """A slide of 2048², no two parts of which are alike."""
    light = np.linspace(0.85, 1, 2048)
    tissue = np.tile(elsewhere(TISSUE), (4, 4, 1)) * (light[:, None] * light[::-1])[..., None]
    return np.rint(tissue).astype(np.uint8)


def test_tiles_of_a_slide_of_2048_by_2048_do_not_show(tiny_rgb_model: nv.Model, slide: np.ndarray) -> None:
    """In separate files, with the slide as their source, they get the pixels of the slide as one image."""
    whole = tiny_rgb_model.match_style(slide, REFERENCES)
    tiles = {(row, column): slide[row : row + 640, column : column + 640] for row in (0, 700, 1408) for column in (3, 1408)}
    for (row, column), tile in tiles.items():
        alone = tiny_rgb_model.match_style(tile, REFERENCES, source=slide)
        np.testing.assert_array_equal(alone.image, whole.image[row : row + 640, column : column + 640])
        np.testing.assert_array_equal(alone.mean, whole.mean[row : row + 640, column : column + 640])
    assert whole.report["structure"] >= 0.95


@few
@given(
    kind=st.sampled_from(["grey", "two channels", "colour"]),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
    members=st.lists(st.integers(0, 8), min_size=2, max_size=5, unique=True),
)
def test_every_image_of_a_source_gets_one_change(
    tiny_model: nv.Model, tiny_rgb_model: nv.Model, two_channel_model: nv.Model, kind: str, dtype: type, members: list[int]
) -> None:
    model, make, axes = {
        "grey": (tiny_model, lambda index: dimmer(grey(index)), "YX"),
        "two channels": (two_channel_model, lambda index: np.stack([grey(index), dimmer(grey(8 - index))]), "CYX"),
        "colour": (tiny_rgb_model, lambda index: elsewhere(stained(index)), "YXC"),
    }[kind]
    source = [make(index).astype(dtype) for index in members]
    style = [make(index) for index in (1, 3, 5, 7)]
    series = model.match_style(np.stack(source), style, source=source, axes=f"T{axes}")
    for image, changed in zip(source, series.image, strict=True):
        np.testing.assert_array_equal(model.match_style(image, style, source=source, axes=axes).image, changed)
        np.testing.assert_array_equal(model.match_style(image, style, 0, source=source, axes=axes).image, image)


def test_an_image_is_its_own_source(tiny_model: nv.Model, tiny_rgb_model: nv.Model) -> None:
    for model, image, references in (
        (tiny_rgb_model, elsewhere(stained(1)), REFERENCES),
        (tiny_model, dimmer(grey(1)), GREY_REFERENCES),
    ):
        alone, given_it = (model.match_style(image, references, source=source) for source in (None, image))
        np.testing.assert_array_equal(alone.mean, given_it.mean)
        assert (alone.report["source"], given_it.report["source"]) == ("the image", "1 image")


# --- what is said


def test_the_report_says_what_it_is_for(tiny_rgb_model: nv.Model) -> None:
    report = tiny_rgb_model.match_style(elsewhere(stained(1)), REFERENCES).report
    assert "not for measuring intensities" in report["purpose"]
    assert report["out_of_distribution"] < 1.5
    assert (report["task"], report["style"]) == ("match-style", "7 images")


@pytest.mark.parametrize("name", ["astronaut", "noise"])
def test_an_image_of_another_kind_is_said_to_be_and_left_as_it_is(tiny_rgb_model: nv.Model, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    image = {"astronaut": skimage.data.astronaut()[::2, ::2], "noise": noise}[name]
    result = tiny_rgb_model.match_style(image, REFERENCES)
    assert result.report["out_of_distribution"] > 1.5
    assert any("another kind" in warning for warning in result.report["warnings"])
    assert np.abs(result.image.astype(float) - image).mean() < 12


def test_an_image_without_tissue_is_left_as_it_is(tiny_rgb_model: nv.Model, tiny_model: nv.Model) -> None:
    glass = np.random.default_rng(0).normal(230, 1.5, (64, 64, 3)).astype(np.uint8)
    for model, image, references in (
        (tiny_rgb_model, glass, REFERENCES),
        (tiny_model, np.full((64, 64), 7, np.uint8), GREY_REFERENCES),
    ):
        result = model.match_style(image, references)
        np.testing.assert_array_equal(result.image, image)
        assert any("no tissue" in warning for warning in result.report["warnings"])


# --- bad input


def test_a_style_of_other_channels_is_refused(tiny_model: nv.Model, tiny_rgb_model: nv.Model, tmp_path: Path) -> None:
    with pytest.raises(nv.DataError, match="3 channels, not 1"):
        tiny_model.match_style(grey(1), REFERENCES)
    with pytest.raises(nv.DataError, match="1 channel, not 3"):
        tiny_rgb_model.match_style(stained(1), GREY_REFERENCES)
    with pytest.raises(nv.ShapeError, match=r"1 channel, the image has red, green and blue"):
        tiny_rgb_model.match_style(stained(1), tiny_model.save(tmp_path / "grey.vaegan"))


def test_one_tiny_reference_is_enough(tiny_model: nv.Model, tiny_rgb_model: nv.Model) -> None:
    assert tiny_rgb_model.match_style(elsewhere(stained(1)), stained(0)[:9, :9]).report["structure"] > 0.9
    assert tiny_model.match_style(dimmer(grey(1)), grey(0)[:8, :8]).image.shape == (96, 96)


def test_references_without_tissue_are_refused(tiny_rgb_model: nv.Model) -> None:
    glass = np.random.default_rng(0).normal(230, 1, (64, 64, 3)).astype(np.uint8)
    with pytest.raises(nv.DataError, match="no tissue in the references"):
        tiny_rgb_model.match_style(stained(1), [glass, glass])
    with pytest.raises(nv.DataError, match="constant"):
        tiny_rgb_model.match_style(stained(1), np.full((64, 64, 3), 200, np.uint8))


def test_an_empty_or_missing_style_folder_is_refused(tiny_model: nv.Model, tmp_path: Path) -> None:
    with pytest.raises(nv.DataError, match="is empty"):
        tiny_model.match_style(grey(1), tmp_path)
    with pytest.raises(nv.DataError, match="does not exist"):
        tiny_model.match_style(grey(1), tmp_path / "nowhere")
    with pytest.raises(nv.DataError, match="list of images is empty"):
        tiny_model.match_style(grey(1), [])
    with pytest.raises(nv.DataError):
        tiny_model.match_style(grey(1), ["no", "image"])


def test_a_style_that_is_no_image_is_refused(tiny_model: nv.Model) -> None:
    for style in (np.full((16, 16), "a"), {"a": 1}, 7):
        with pytest.raises(nv.DataError):
            tiny_model.match_style(grey(1), style)


@pytest.mark.parametrize("strength", [-1, 2, float("nan")])
def test_a_strength_that_is_no_share_is_refused(tiny_model: nv.Model, strength: float) -> None:
    with pytest.raises(nv.SettingError, match="between 0"):
        tiny_model.match_style(grey(1), GREY_REFERENCES, strength)


def test_a_saturated_image_is_changed_without_a_crash(tiny_rgb_model: nv.Model, tiny_model: nv.Model) -> None:
    burnt = np.clip(stained(1).astype(int) + 120, 0, 255).astype(np.uint8)
    assert np.isfinite(tiny_rgb_model.match_style(burnt, REFERENCES).mean).all()
    burnt = np.clip(grey(1).astype(int) * 4, 0, 255).astype(np.uint8)
    assert np.isfinite(tiny_model.match_style(burnt, GREY_REFERENCES).mean).all()


def test_pixels_that_are_not_finite_are_refused(tiny_model: nv.Model) -> None:
    image = grey(1).astype(np.float32)
    image[3, 4] = np.nan
    with pytest.raises(nv.DataError, match="1 pixel"):
        tiny_model.match_style(image, GREY_REFERENCES)


def test_a_model_without_a_look_says_so_and_still_takes_a_style(tiny_model: nv.Model, tmp_path: Path) -> None:
    older = nv.load(tiny_model.save(tmp_path / "older.vaegan"), device="cpu")
    older.header.look = None
    older = nv.load(older.save(tmp_path / "no-look.vaegan"), device="cpu")
    with pytest.raises(nv.SettingError, match=r"has no look recorded.*give style="):
        older.match_style(grey(1))
    assert older.match_style(grey(1), GREY_REFERENCES).image.shape == (96, 96)


def test_a_source_that_cannot_be_used_is_refused(tiny_model: nv.Model, tiny_rgb_model: nv.Model, tmp_path: Path) -> None:
    for source, sentence in (
        (tmp_path, "is empty"),
        (tmp_path / "nowhere", "does not exist"),
        ([], "list of images is empty"),
        (stained(1), "3 channels, not 1"),
        (np.full((32, 32), 7, np.uint8), "constant"),
        (grey(1).astype(np.uint16), "image is of uint8, but the source of uint16"),
        (tiny_model, "cannot be taken from a Model"),
    ):
        with pytest.raises(nv.DataError, match=sentence):
            tiny_model.match_style(grey(1), GREY_REFERENCES, source=source)
    with pytest.raises(nv.DataError, match="1 channel, not 3"):
        tiny_rgb_model.match_style(stained(1), REFERENCES, source=grey(1))


def test_a_source_without_tissue_or_of_another_kind_is_said_to_be(tiny_rgb_model: nv.Model) -> None:
    random, image = np.random.default_rng(0), elsewhere(stained(1))
    glass = [random.normal(230, 1.5, (64, 64, 3)).astype(np.uint8) for _ in range(3)]
    noise = random.integers(0, 255, (96, 96, 3), dtype=np.uint8)
    for source, sentence in ((glass, "no tissue or structure in the source"), (noise, "The source is of another kind")):
        result = tiny_rgb_model.match_style(image, REFERENCES, source=source)
        assert any(sentence in warning for warning in result.report["warnings"])
        np.testing.assert_array_equal(result.image, image)


# --- all faces do the same


def test_python_terminal_and_folder_give_the_same_pixels(tiny_model: nv.Model, tmp_path: Path) -> None:
    model = tiny_model.save(tmp_path / "model.vaegan")
    (tmp_path / "raw").mkdir()
    (tmp_path / "look").mkdir()
    tifffile.imwrite(tmp_path / "raw" / "image.tif", dimmer(grey(1)))
    for number, reference in enumerate(GREY_REFERENCES):
        imageio.imwrite(tmp_path / "look" / f"{number}.png", reference)
    expected = tiny_model.match_style(dimmer(grey(1)), tmp_path / "look", 0.8).image
    summary = nv.restore_folder(
        model, tmp_path / "raw", tmp_path / "out", "match-style", style=tmp_path / "look", strength=0.8
    )
    assert len(summary.restored) == 1
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "image.tif"), expected)
    words: list[Any] = ["match-style", tmp_path / "raw" / "image.tif", "--model", model, "--style", tmp_path / "look"]
    words += ["--strength", 0.8, "--out", tmp_path / "alone.tif"]
    run = CliRunner().invoke(app, [str(word) for word in words])
    assert run.exit_code == 0, run.output
    assert "not for measuring intensities" in run.output
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "alone.tif"), expected)


def test_one_change_for_a_folder_is_the_same_in_python_terminal_and_folder_run(tiny_model: nv.Model, tmp_path: Path) -> None:
    model, raw, out = tiny_model.save(tmp_path / "model.vaegan"), tmp_path / "raw", tmp_path / "raw" / "out"
    raw.mkdir()
    images = {f"{index}.tif": dimmer(grey(index)) for index in (1, 3, 8)}
    for name, image in images.items():
        tifffile.imwrite(raw / name, image)
    alone = tiny_model.match_style(images["8.tif"]).image
    expected = {name: tiny_model.match_style(image, source=raw).image for name, image in images.items()}
    words = ["match-style", raw / "8.tif", "--model", model, "--source", raw, "--out", tmp_path / "terminal.tif"]
    run = CliRunner().invoke(app, [str(word) for word in words])
    assert run.exit_code == 0, run.output
    words = ["restore-folder", raw, tmp_path / "terminal", "--model", model, "--task", "match-style", "--one-change"]
    run = CliRunner().invoke(app, [str(word) for word in words])
    assert run.exit_code == 0, run.output
    summary = nv.restore_folder(model, raw, out, "match-style", one_change=True)
    assert len(summary.restored) == 3
    assert '"one_change": true' in (out / "restore-folder.json").read_text()
    for name in images:
        np.testing.assert_array_equal(tifffile.imread(out / name), expected[name])
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "terminal" / name), expected[name])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "terminal.tif"), expected["8.tif"])
    assert not np.array_equal(alone, expected["8.tif"])


def test_another_model_gives_its_training_folder_s_look(tiny_model: nv.Model, textured_images: Path, tmp_path: Path) -> None:
    path = shutil.copy(tiny_model.save(tmp_path / "model.vaegan"), tmp_path / "other.vaegan")
    expected = tiny_model.match_style(dimmer(grey(3))).image
    for style in (path, tiny_model):
        np.testing.assert_array_equal(tiny_model.match_style(dimmer(grey(3)), style).image, expected)


def test_a_folder_run_refuses_what_has_no_meaning(tiny_model: nv.Model, textured_images: Path, tmp_path: Path) -> None:
    with pytest.raises(nv.SettingError, match="takes none"):
        nv.restore_folder(tiny_model, textured_images, tmp_path / "out", "denoise", style=textured_images)
    with pytest.raises(nv.SettingError, match="One change"):
        nv.restore_folder(tiny_model, textured_images, tmp_path / "out", "denoise", one_change=True)
    with pytest.raises(nv.SettingError, match="no standard deviation"):
        nv.restore_folder(tiny_model, textured_images, tmp_path / "out", "match-style", write_std=True)
    with pytest.raises(nv.SettingError, match="between 0"):
        nv.restore_folder(tiny_model, textured_images, tmp_path / "out", "match-style", strength=3)


# --- parts


def test_a_mixture_finds_the_kinds_of_values() -> None:
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(mean, 0.05, (400, 3)) for mean in (0.1, 0.6, 1.2)])
    mixture = Mixture.fit(values, 3, random)
    np.testing.assert_allclose(np.sort(mixture.means.mean(1)), [0.1, 0.6, 1.2], atol=0.02)
    assert mixture.weights.sum() == pytest.approx(1)
    assert mixture.misfit(values) < mixture.misfit(values + 0.3)


@few
@given(white=st.sampled_from([1.0, 255.0, 4095.0, 65535.0]), share=st.floats(0, 1))
def test_density_and_intensity_belong_together(white: float, share: float) -> None:
    scale = DensityScale(white)
    np.testing.assert_allclose(scale.intensity(scale.density(np.array([share * white]))), share * white, atol=1e-9 * white)
