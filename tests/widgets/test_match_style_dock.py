"""The dock Match style: the same pixels as the library, a live preview, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import tifffile
from qtpy.QtGui import QGuiApplication

import napari_vaegan as nv
from napari_vaegan.widgets.source_chooser import LIKE_IT
from napari_vaegan.widgets.style_chooser import DISK, LAYER

CELL = skimage.data.cell()
DIM = np.rint(255 * (0.6 * (CELL[200:264, 100:172] / 255.0) ** 1.5 + 0.1)).astype(np.uint8)
OTHER = np.ascontiguousarray(CELL[300:396, 200:296])


class Driver:
    """Opens the dock in a real viewer, presses its buttons, and waits."""

    def __init__(self, viewer: Any, qtbot: Any, model_file: Path) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.source = viewer.add_image(DIM, name="dim", scale=(0.5, 0.5), translate=(3, 4), contrast_limits=(10, 200))
        _, self.dock = viewer.window.add_plugin_dock_widget("napari-vaegan", "Match style")
        self.dock.model.choose(model_file)

    def run(self) -> Any:
        self.dock.press_run()
        assert self.dock.runner.busy, self.dock.message.text
        self.qtbot.waitUntil(lambda: not self.dock.runner.busy, timeout=60_000)
        assert not self.dock.message.details, self.dock.message.details
        return self.viewer.layers[-1]

    def preview(self, strength: float) -> Any:
        """Move the slider, and wait for the preview."""
        self.dock.strength.slider.setValue(round(100 * strength))
        preview = self.dock.preview
        self.qtbot.waitUntil(lambda: not preview.runner.busy and preview._drawn is not None, timeout=60_000)
        self.qtbot.waitUntil(lambda: preview._drawn.strength == strength and not preview.runner.busy, timeout=60_000)
        self.qtbot.waitUntil(lambda: preview.layer is not None, timeout=60_000)
        assert not self.dock.message.details, self.dock.message.details
        return preview.layer


@pytest.fixture
def driver(make_napari_viewer_proxy: Callable[..., Any], qtbot: Any, tiny_model_file: Path) -> Driver:
    return Driver(make_napari_viewer_proxy(), qtbot, tiny_model_file)


def test_the_result_is_what_the_library_returns_and_says_what_it_is_for(driver: Driver, tiny_model: nv.Model) -> None:
    driver.dock.strength.slider.setValue(80)
    layer = driver.run()
    np.testing.assert_array_equal(layer.data, tiny_model.match_style(DIM, strength=0.8).image)
    assert [other.name for other in driver.viewer.layers] == ["dim", "dim style matched"]
    made = layer.metadata["napari-vaegan"]
    assert made["settings"] == {"style": None, "source": None, "strength": 0.8, "seed": 0, "axes": "YX"}
    assert "not for measuring intensities" in made["report"]["purpose"]
    assert "not for measuring intensities" in driver.dock.message.text
    np.testing.assert_allclose(layer.data_to_world((5, 7)), driver.source.data_to_world((5, 7)))
    assert layer.contrast_limits == [10, 200]


def test_the_look_of_a_layer_or_of_a_folder_is_taken(driver: Driver, tiny_model: nv.Model, textured_images: Path) -> None:
    driver.viewer.add_image(OTHER, name="other")
    driver.dock.layer.setCurrentText("dim")
    driver.dock.references.kind.setCurrentText(LAYER)
    driver.dock.references.layer.setCurrentText("other")
    np.testing.assert_array_equal(driver.run().data, tiny_model.match_style(DIM, OTHER).image)
    driver.dock.layer.setCurrentText("dim")
    driver.dock.references.kind.setCurrentText(DISK)
    assert "no references" in driver.dock.reason.text()
    driver.dock.references.path.give(textured_images)
    np.testing.assert_array_equal(driver.run().data, tiny_model.match_style(DIM, textured_images).image)


def test_one_change_for_images_like_it_is_previewed_and_made(
    driver: Driver, tiny_model: nv.Model, textured_images: Path, tmp_path: Path
) -> None:
    for number, image in enumerate([DIM, DIM // 2, DIM[::-1] // 3]):
        tifffile.imwrite(tmp_path / f"{number}.tif", image)
    driver.dock.source.kind.setCurrentText(LIKE_IT)
    assert "no images like it" in driver.dock.reason.text()
    driver.dock.source.path.give(tmp_path)
    expected = tiny_model.match_style(DIM, source=tmp_path).image
    assert not np.array_equal(expected, tiny_model.match_style(DIM).image)
    preview = driver.preview(0.99)
    row, column = (round(float(place)) for place in driver.source.world_to_data(preview.data_to_world((0, 0))))
    nearly = tiny_model.match_style(DIM, strength=0.99, source=tmp_path).image
    np.testing.assert_array_equal(preview.data, nearly[row:, column:][: preview.data.shape[0], : preview.data.shape[1]])
    driver.dock.strength.slider.setValue(100)
    driver.dock.copy_button.click()
    names: dict[str, Any] = {"viewer": driver.viewer}
    exec(QGuiApplication.clipboard().text(), names)  # it is the point of the text
    np.testing.assert_array_equal(names["restoration"].image, expected)
    np.testing.assert_array_equal(driver.run().data, expected)


def test_the_slider_previews_what_running_gives_and_the_preview_makes_way(driver: Driver) -> None:
    preview = driver.preview(0.6)
    shown = preview.data.copy()
    row, column = (round(float(place)) for place in driver.source.world_to_data(preview.data_to_world((0, 0))))
    np.testing.assert_array_equal(driver.preview(0.0).data, DIM[row:, column:][: shown.shape[0], : shown.shape[1]])
    driver.preview(0.6)
    layer = driver.run()
    assert preview not in driver.viewer.layers
    np.testing.assert_array_equal(shown, layer.data[row:, column:][: shown.shape[0], : shown.shape[1]])


def test_the_preview_is_of_the_visible_part_and_goes_with_its_box_and_the_dock(driver: Driver) -> None:
    driver.preview(0.5)
    assert driver.dock.layer.findText("preview of dim") < 0
    driver.dock.previews.setChecked(False)
    driver.qtbot.waitUntil(lambda: driver.dock.preview.layer is None, timeout=10_000)
    driver.dock.previews.setChecked(True)
    driver.qtbot.waitUntil(lambda: driver.dock.preview.layer is not None, timeout=60_000)
    driver.viewer.window.remove_dock_widget(driver.dock)
    assert [layer.name for layer in driver.viewer.layers] == ["dim"]


@pytest.mark.parametrize("kind", ["training", "layer"])
def test_the_copied_python_gives_the_same_pixels(driver: Driver, kind: str) -> None:
    if kind == "layer":
        driver.viewer.add_image(OTHER, name="other")
        driver.dock.layer.setCurrentText("dim")
        driver.dock.references.kind.setCurrentText(LAYER)
        driver.dock.references.layer.setCurrentText("other")
    driver.dock.copy_button.click()
    names: dict[str, Any] = {"viewer": driver.viewer}
    exec(QGuiApplication.clipboard().text(), names)  # it is the point of the text
    np.testing.assert_array_equal(driver.run().data, names["restoration"].image)


def test_a_time_lapse_gets_one_change_for_all_planes(driver: Driver, tiny_model: nv.Model) -> None:
    film = np.stack([DIM, DIM[::-1], DIM // 2])
    driver.viewer.add_image(film, name="film", axis_labels=("t", "y", "x"))
    driver.dock.layer.setCurrentText("film")
    assert driver.dock.planes.currentText() == "all planes"
    np.testing.assert_array_equal(driver.run().data, tiny_model.match_style(film, axes="TYX").image)


def test_every_control_has_a_tooltip(driver: Driver) -> None:
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider

    for widget_class in (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider):
        for widget in driver.dock.findChildren(widget_class):
            assert widget.toolTip(), (widget_class, widget.objectName())
