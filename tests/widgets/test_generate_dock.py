from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtGui import QGuiApplication

import napari_vaegan as nv
from napari_vaegan.widgets.gallery import GAP, columns_for


class Driver:
    """Opens the dock in a real viewer, presses its buttons, and waits."""

    def __init__(self, viewer: Any, qtbot: Any) -> None:
        self.viewer, self.qtbot = viewer, qtbot

    def open(self, model: Path | None, count: int = 4, height: int = 32, width: int = 40) -> Any:
        _, dock = self.viewer.window.add_plugin_dock_widget("napari-vaegan", "Generate")
        if model:
            dock.model.choose(model)
        for box, value in ((dock.count, count), (dock.height_box, height), (dock.width_box, width)):
            box.setValue(value)
        return dock

    def run(self, dock: Any) -> Any:
        """Press Generate, wait for the end, and return the gallery's layer."""
        dock.press_run()
        assert dock.runner.busy, dock.message.text
        self.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
        assert not dock.message.details, dock.message.details
        return dock.layer

    def draw(self, dock: Any, value: int) -> Any:
        """Move the slider, wait, and return the layer between two images."""
        dock.between.slider.setValue(value)
        self.qtbot.waitUntil(lambda: dock.between.drawn == dock.between.place, timeout=60_000)
        return dock.between.layer


@pytest.fixture
def driver(make_napari_viewer_proxy: Callable[..., Any], qtbot: Any) -> Driver:
    return Driver(make_napari_viewer_proxy(), qtbot)


def test_a_gallery_shows_what_the_library_generates_side_by_side(
    driver: Driver, tiny_model_file: Path, tiny_model: nv.Model
) -> None:
    dock = driver.open(tiny_model_file, count=3)
    dock.seed.setValue(5)
    layer = driver.run(dock)
    expected = tiny_model.generate(3, (32, 40), seed=5)
    assert layer.name == "tiny generated"
    assert layer.data.dtype == expected.dtype
    layout = layer.metadata["napari-vaegan"]["layout"]
    assert layout == {"tile shape": (32, 40), "gap": GAP, "columns": 2, "count": 3}
    assert layer.data.shape == (2 * 32 + GAP, 2 * 40 + GAP)
    for number, image in enumerate(expected):
        row, column = divmod(number, 2)
        tile = layer.data[row * (32 + GAP) :, column * (40 + GAP) :][:32, :40]
        np.testing.assert_array_equal(tile, image)
    assert layer.data.min() == expected.min()
    assert list(layer.contrast_limits) == [*np.percentile(expected, (0.1, 99.9))]


def test_a_gallery_says_that_it_was_generated_and_how(driver: Driver, tiny_model_file: Path) -> None:
    dock = driver.open(tiny_model_file, count=2)
    made = driver.run(dock).metadata["napari-vaegan"]
    assert (made["task"], made["model"], made["model file"]) == ("generate", "tiny", str(tiny_model_file))
    assert made["settings"] == {"count": 2, "shape": (32, 40), "seed": 0}
    assert "not measured" in dock.message.text


def test_a_gallery_can_be_laid_out_as_a_stack_and_back(driver: Driver, tiny_model_file: Path, tiny_model: nv.Model) -> None:
    dock = driver.open(tiny_model_file)
    driver.run(dock).colormap = "green"
    driver.viewer.add_image(np.zeros((4, 4)), name="above")
    dock.layout_chooser.setCurrentText("stack")
    np.testing.assert_array_equal(dock.layer.data, tiny_model.generate(4, (32, 40)))
    assert dock.layer.axis_labels == ("image", "y", "x")
    assert dock.layer.colormap.name == "green"
    assert [layer.name for layer in driver.viewer.layers] == ["tiny generated", "above"]
    dock.layout_chooser.setCurrentText("side by side")
    assert dock.layer.ndim == 2
    driver.viewer.layers.remove(dock.layer)
    dock.layout_chooser.setCurrentText("stack")  # of a layer that the user removed
    assert [layer.name for layer in driver.viewer.layers] == ["above"]


@pytest.mark.parametrize("colour", [True, False])
def test_channels_are_shown_as_colours_or_before_the_rows(
    driver: Driver, tiny_colour_generator: Callable[[bool], Path], colour: bool
) -> None:
    dock = driver.open(tiny_colour_generator(colour), count=2)
    layer = driver.run(dock)
    assert layer.rgb == colour
    side_by_side = (32, 2 * 40 + GAP)
    assert layer.data.shape == ((*side_by_side, 3) if colour else (3, *side_by_side))
    between = driver.draw(dock, 10)
    assert between.rgb == colour
    assert between.data.shape == ((32, 40, 3) if colour else (3, 32, 40))


@pytest.fixture(scope="session")
def tiny_colour_generator(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """Trains models that generate three channels, which are colours or not."""
    folder = tmp_path_factory.mktemp("three channels")
    images = np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), np.uint8)

    def train(colour: bool) -> Path:
        path = folder / f"colour-{colour}.vaegan"
        if not path.exists():
            channels = list(images if colour else np.moveaxis(images, -1, 1))
            axes = "YXC" if colour else "CYX"
            config = nv.TrainingConfig(
                preset="tiny", steps=4, patch_size=32, batch_size=2, tasks=("generate",), axes=axes, device="cpu"
            )
            nv.train(channels, config, checkpoint=folder / f"{colour}.checkpoint").save(path)
        return path

    return train


def test_the_ends_between_two_images_are_those_images(driver: Driver, tiny_model_file: Path, tiny_model: nv.Model) -> None:
    dock = driver.open(tiny_model_file)
    assert not dock.between.slider.isEnabled()
    driver.run(dock)
    images = tiny_model.generate(4, (32, 40))
    dock.between.first.setValue(2)
    dock.between.second.setValue(4)
    middle = driver.draw(dock, 10)
    assert middle.name == "tiny generated between 2 and 4"
    second, fourth = (tiny_model.latents(number, (32, 40)) for number in (1, 3))
    np.testing.assert_array_equal(middle.data, tiny_model.decode(second.towards(fourth, 0.5)))
    np.testing.assert_array_equal(driver.draw(dock, 20).data, images[3])
    np.testing.assert_array_equal(driver.draw(dock, 0).data, images[1])
    assert middle is dock.between.layer
    assert middle.data.dtype == images.dtype
    assert middle.metadata["napari-vaegan"]["between"]["first"]["number"] == 1
    left = middle.extent.world[0, -1]
    assert left > dock.layer.extent.world[1, -1]


def test_another_number_is_drawn_at_once_and_the_latest_wish_counts(driver: Driver, tiny_model_file: Path) -> None:
    dock = driver.open(tiny_model_file)
    driver.run(dock)
    for value in (3, 8, 12, 17):
        dock.between.slider.setValue(value)
    layer = driver.draw(dock, 5)
    dock.between.second.setValue(3)
    driver.qtbot.waitUntil(lambda: layer.name.endswith("between 1 and 3"), timeout=60_000)
    assert dock.between.drawn == dock.between.place
    assert len(driver.viewer.layers) == 2


def test_the_walk_goes_on_when_the_model_file_is_gone(driver: Driver, tiny_model_file: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(tiny_model_file, tmp_path / "gone.vaegan"))
    dock = driver.open(file)
    driver.run(dock)
    file.unlink()
    assert driver.draw(dock, 10).name == "gone generated between 1 and 2"
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert "gone.vaegan" in dock.message.text
    assert len(driver.viewer.layers) == 2


def test_one_image_has_nothing_to_go_to(driver: Driver, tiny_model_file: Path) -> None:
    dock = driver.open(tiny_model_file, count=1)
    assert driver.run(dock).data.shape == (32, 40)
    assert not dock.between.slider.isEnabled()


def test_the_reason_stands_beside_a_disabled_button(driver: Driver, tiny_rgb_model: nv.Model, tmp_path: Path) -> None:
    dock = driver.open(None)
    assert not dock.run_button.isEnabled()
    assert "There is no model" in dock.reason.text()
    dock.model.choose(tiny_rgb_model.save(tmp_path / "other.vaegan"))
    assert "not to generate" in dock.reason.text()
    dock.press_run()
    assert not dock.runner.busy
    assert "not to generate" in dock.message.text


@pytest.mark.parametrize(("wish", "had"), [(0, 8), (7, 8), (100_000, 8192)])
def test_a_size_that_cannot_be_generated_cannot_be_chosen(
    driver: Driver, tiny_model_file: Path, wish: int, had: int
) -> None:
    dock = driver.open(tiny_model_file, count=0, height=wish, width=wish)
    dock.seed.setValue(-1)
    assert dock.settings == {"count": 1, "shape": (had, had), "seed": 0}


def test_more_than_memory_holds_is_refused_in_a_sentence(driver: Driver, tiny_model_file: Path) -> None:
    dock = driver.open(tiny_model_file, count=1024, height=8192, width=8192)
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert "Generating 1024 images of 8192 × 8192 pixels needs about" in dock.message.text
    assert not driver.viewer.layers


def test_the_same_can_be_copied_as_python(driver: Driver, tiny_model_file: Path) -> None:
    dock = driver.open(tiny_model_file)
    layer = driver.run(dock)
    middle = driver.draw(dock, 10)
    dock.copy_as_python()
    names: dict[str, Any] = {}
    exec(QGuiApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["images"][0], layer.data[:32, :40])
    np.testing.assert_array_equal(names["between"], middle.data)
    dock.seed.setValue(1)
    dock.copy_as_python()
    assert "towards" not in QGuiApplication.clipboard().text()


def start_a_long_run(driver: Driver, model: Path) -> Any:
    dock = driver.open(model, count=200, height=512, width=512)
    dock.press_run()
    dock.press_run()  # starting twice changes nothing
    driver.qtbot.waitUntil(lambda: dock.progress_bar.value() > 0, timeout=60_000)
    return dock


def test_stop_ends_a_run_and_another_can_begin(driver: Driver, tiny_model_file: Path) -> None:
    dock = start_a_long_run(driver, tiny_model_file)
    assert dock.progress_bar.isVisibleTo(dock)
    dock.stop_button.click()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=20_000)
    assert dock.message.text == "Stopped."
    assert not driver.viewer.layers
    dock.count.setValue(1)
    dock.height_box.setValue(32)
    dock.width_box.setValue(32)
    driver.run(dock)


def test_closing_the_dock_in_the_middle_leaves_the_run(driver: Driver, tiny_model_file: Path) -> None:
    dock = start_a_long_run(driver, tiny_model_file)
    driver.viewer.window.remove_dock_widget(dock)
    assert not dock.runner.busy
    wait_for_threads(driver.qtbot)
    assert not driver.viewer.layers


def test_closing_the_viewer_in_the_middle_leaves_the_run(driver: Driver, tiny_model_file: Path) -> None:
    start_a_long_run(driver, tiny_model_file)
    driver.viewer.close()
    wait_for_threads(driver.qtbot)


def wait_for_threads(qtbot: Any) -> None:
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=20_000)


@pytest.mark.parametrize(
    ("count", "height", "width", "columns"),
    [(16, 256, 256, 4), (1, 8, 8, 1), (5, 10, 10, 3), (4, 100, 10, 4), (4, 10, 100, 1)],
)
def test_a_gallery_is_about_as_wide_as_high(count: int, height: int, width: int, columns: int) -> None:
    assert columns_for(count, height, width) == columns
