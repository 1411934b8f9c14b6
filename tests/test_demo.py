import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_vaegan import OutputError, TrainingConfig, load
from napari_vaegan.demo import observe
from napari_vaegan.demo.data import nuclei_layers, read_nuclei, training_stacks, unseen_images
from napari_vaegan.demo.folder import DemoFolder
from napari_vaegan.demo.run import run
from napari_vaegan.images.collection import collect_images, split
from napari_vaegan.quality.panels import MISSING, Contrast, inferno

OUTPUTS = ("model.vaegan", "contact_sheet.png", "results.md", "results.json")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("run") / "demo"
    lines: list[str] = []
    run(folder, say=lines.append, config=TrainingConfig(preset="tiny", steps=30, axes="ZYX"))
    return folder, lines


def test_demo_writes_what_it_says(demo: tuple[Path, list[str]]) -> None:
    folder, lines = demo
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == set(OUTPUTS)
    assert str(folder / "contact_sheet.png") in "\n".join(lines[-3:])


def test_demo_tells_of_every_stage(demo: tuple[Path, list[str]]) -> None:
    stages = [line for line in demo[1] if line.startswith("Stage")]
    assert len(stages) == 4


def test_demo_model_can_be_loaded(demo: tuple[Path, list[str]]) -> None:
    assert load(demo[0] / "model.vaegan").dtype == np.uint16


def test_contact_sheet_has_room_for_all_panels(demo: tuple[Path, list[str]]) -> None:
    with Image.open(demo[0] / "contact_sheet.png") as sheet:
        sheet.load()
        assert sheet.width >= 7 * 240
        assert sheet.height >= 5 * 180
        assert len(sheet.getcolors(maxcolors=2**24)) > 256


def test_results_are_finite_for_every_task(demo: tuple[Path, list[str]]) -> None:
    record = json.loads((demo[0] / "results.json").read_text(encoding="utf-8"))
    assert [row["task"] for row in record["rows"]] == ["inpaint", "super-resolve x2", "super-resolve x4", "denoise"]
    numbers = [value for row in record["rows"] for value in row.values() if not isinstance(value, str)]
    assert np.isfinite(numbers).all()
    assert record["machine"]
    assert "| inpaint | biharmonic |" in (demo[0] / "results.md").read_text(encoding="utf-8")


def test_demo_may_replace_what_it_wrote(demo: tuple[Path, list[str]]) -> None:
    DemoFolder(demo[0]).claim(OUTPUTS)


def test_demo_refuses_to_replace_a_file_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "model.vaegan").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"model\.vaegan was not written by the demonstration"):
        run(tmp_path)
    assert (tmp_path / "model.vaegan").read_bytes() == b"mine"


def test_demo_refuses_to_replace_its_own_file_once_it_was_changed(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.write_text("results.md", "measured")
    (tmp_path / "results.md").write_text("measured, with the user's notes")
    with pytest.raises(OutputError, match=r"results\.md"):
        folder.claim(("results.md",))


def test_training_holds_the_small_stack_apart() -> None:
    large, small = training_stacks()
    division = split(collect_images([large, small], "ZYX"))
    assert {plane.pixels.shape[:2] for plane in division.training} == {large.shape[1:]}
    assert {plane.pixels.shape[:2] for plane in division.validation} == {small.shape[1:]}


def test_unseen_images_share_no_pixel_with_the_training_stacks() -> None:
    numbered = np.arange(read_nuclei()[0].size).reshape(256, 256)
    seen = [numbered[:152], numbered[160:, :128]]
    assert [stack.shape[1:] for stack in training_stacks()] == [part.shape for part in seen]
    np.testing.assert_array_equal(training_stacks()[1][0], read_nuclei()[0, 160:, :128])
    for image, plane in zip(unseen_images(), (4, 8, 12, 16, 20), strict=True):
        np.testing.assert_array_equal(image, read_nuclei()[plane, 160:, 136:])


def test_sample_layer_carries_the_voxel_size() -> None:
    [(stack, settings, kind)] = nuclei_layers()
    assert kind == "image"
    assert stack.ndim == len(settings["scale"]) == len(settings["units"]) == len(settings["axis_labels"])


def test_block_means_are_rounded_to_the_dtype() -> None:
    low = observe.block_means(np.array([[1, 2], [2, 2]], np.uint16), 2)
    assert low.dtype == np.uint16
    assert low.tolist() == [[2]]


def test_noise_has_the_variance_of_its_photons() -> None:
    truth = np.full((200, 200), 10_000, np.uint16)
    noise = observe.noisy(truth, 100, np.random.default_rng(0)) - 10_000.0
    assert noise.std() == pytest.approx(100 * np.sqrt(100 + observe.READ_NOISE_PHOTONS**2), rel=0.03)


def test_holes_are_about_a_fifth() -> None:
    mask = observe.holes((96, 120), np.random.default_rng(0))
    assert 0.2 <= mask.mean() < 0.35


def test_grey_panel_shows_missing_pixels_in_colour() -> None:
    picture = Contrast(0, 10).grey(np.array([[0, 10, 5]]), np.array([[False, False, True]]))
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (255, 255, 255), MISSING]


def test_inferno_runs_from_dark_to_bright() -> None:
    picture = np.asarray(inferno(np.linspace(0, 1, 50)[None], 1.0)).astype(int)
    assert (np.diff(picture.sum(axis=-1)[0]) > 0).all()
