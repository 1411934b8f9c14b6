"""The dock Generate: temperature, variations, and folders of generated images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from qtpy.QtGui import QGuiApplication

import napari_vaegan as nv
from napari_vaegan.widgets.gallery import GAP

CELL = skimage.data.cell()[300:332, 200:240]


class Driver:
    """The dock in a real viewer, with a small gallery's settings."""

    def __init__(self, viewer: Any, qtbot: Any, model: Path) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        _, self.dock = viewer.window.add_plugin_dock_widget("napari-vaegan", "Generate")
        self.dock.model.choose(model)
        for box, value in ((self.dock.count, 3), (self.dock.height_box, 32), (self.dock.width_box, 40)):
            box.setValue(value)

    def wait(self) -> None:
        assert self.dock.runner.busy, self.dock.message.text
        self.qtbot.waitUntil(lambda: not self.dock.runner.busy, timeout=60_000)
        assert not self.dock.message.details, self.dock.message.details

    def vary(self) -> Any:
        """Press the button, wait for the end, and return the new layer."""
        self.dock.variations.button.click()
        self.wait()
        return self.viewer.layers[-1]


@pytest.fixture
def driver(make_napari_viewer_proxy: Callable[..., Any], qtbot: Any, tiny_model_file: Path) -> Driver:
    return Driver(make_napari_viewer_proxy(), qtbot, tiny_model_file)


def test_the_slider_sets_the_temperature_of_images_and_of_the_copied_python(driver: Driver, tiny_model: nv.Model) -> None:
    dock = driver.dock
    assert dock.temperature.label.text() == "1.00, as learned"
    dock.temperature.slider.setValue(10)
    assert dock.temperature.label.text() == "0.50, calmer"
    dock.press_run()
    driver.wait()
    expected = tiny_model.generate(3, (32, 40), temperature=0.5)
    np.testing.assert_array_equal(dock.layer.data[:32, :40], expected[0])
    assert dock.layer.metadata["napari-vaegan"]["settings"]["temperature"] == 0.5
    dock.between.slider.setValue(20)
    driver.qtbot.waitUntil(lambda: dock.between.drawn == dock.between.place, timeout=60_000)
    np.testing.assert_array_equal(dock.between.layer.data, expected[1])
    dock.copy_as_python()
    assert "temperature=0.5" in QGuiApplication.clipboard().text()


def test_variations_of_a_layer_lie_beside_what_the_model_sees_of_it(driver: Driver, tiny_model: nv.Model) -> None:
    dock = driver.dock
    driver.viewer.add_image(CELL, name="cell")
    dock.variations.count.setValue(3)
    dock.variations.detail.setCurrentText("structures up to 4 pixels")
    layer = driver.vary()
    assert layer.name == "tiny generated: variations of cell"
    latents = tiny_model.encode(CELL)
    expected = [tiny_model.decode(latents), *tiny_model.variations(latents, 3, detail=4)]
    for number, image in enumerate(expected):
        row, column = divmod(number, 2)
        np.testing.assert_array_equal(layer.data[row * (32 + GAP) :, column * (40 + GAP) :][:32, :40], image)
    made = layer.metadata["napari-vaegan"]
    assert (made["task"], made["variations of"]) == ("variations", "cell")
    assert made["settings"] == {"count": 3, "detail": 4, "seed": 0}
    assert "not measured" in dock.message.text
    dock.copy_as_python()
    names: dict[str, Any] = {"viewer": driver.viewer}
    exec(QGuiApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["variations"], expected[1:])


def test_after_a_gallery_one_of_its_images_is_varied(driver: Driver, tiny_model: nv.Model) -> None:
    dock = driver.dock
    dock.press_run()
    driver.wait()
    assert dock.variations.layer.chosen == dock.layer
    dock.variations.number.setValue(2)
    layer = driver.vary()
    assert layer.name == "tiny generated: variations of image 2"
    np.testing.assert_array_equal(layer.data[:32, :40], tiny_model.generate(2, (32, 40))[1])
    dock.copy_as_python()
    names: dict[str, Any] = {}
    exec(QGuiApplication.clipboard().text(), names)
    np.testing.assert_array_equal(layer.data[:32, 40 + GAP :][:, :40], names["variations"][0])
    np.testing.assert_array_equal(dock.between.gallery.images, tiny_model.generate(3, (32, 40)))


def test_the_plane_that_is_shown_of_a_stack_is_varied(driver: Driver, tiny_model: nv.Model) -> None:
    driver.viewer.add_image(np.stack([CELL, CELL[::-1]]), name="stack", axis_labels=("z", "y", "x"))
    driver.viewer.dims.set_point(0, 1)
    layer = driver.vary()
    np.testing.assert_array_equal(layer.data[:32, :40], tiny_model.decode(tiny_model.encode(CELL[::-1])))


def test_a_gallery_and_a_walk_can_be_shown_beside_a_stack(driver: Driver) -> None:
    driver.viewer.add_image(np.stack([CELL, CELL[::-1]]), name="stack")
    driver.dock.press_run()
    driver.wait()
    driver.dock.between.slider.setValue(10)
    driver.qtbot.waitUntil(lambda: driver.dock.between.layer is not None, timeout=60_000)


def test_without_an_image_there_is_nothing_to_vary(driver: Driver) -> None:
    driver.dock.variations.button.click()
    assert "no image to vary" in driver.dock.message.text


def test_images_are_written_to_a_folder_and_a_second_time_they_are_there(
    driver: Driver, tiny_model: nv.Model, tmp_path: Path
) -> None:
    for said in ("3 images generated", "0 images generated, 3 there already"):
        driver.dock.write(tmp_path / "set")
        driver.wait()
        assert said in driver.dock.message.text
    assert len(list((tmp_path / "set").glob("*.tif"))) == 3
    driver.dock.seed.setValue(1)
    driver.dock.write(tmp_path / "set")
    driver.qtbot.waitUntil(lambda: not driver.dock.runner.busy, timeout=60_000)
    assert "choose another folder" in driver.dock.message.text


def test_more_images_than_are_shown_can_still_be_written(driver: Driver) -> None:
    driver.dock.count.setValue(2000)
    assert not driver.dock.run_button.isEnabled()
    assert "write them to a folder" in driver.dock.reason.text()
    assert driver.dock.write_button.isEnabled()
