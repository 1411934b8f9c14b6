from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import tifffile
from qtpy.QtCore import QThreadPool
from qtpy.QtGui import QGuiApplication

import napari_vaegan as nv

CELL = skimage.data.cell()[200:264, 100:172]


class Driver:
    """Opens the dock in a real viewer, presses its buttons, and waits."""

    def __init__(self, viewer: Any, qtbot: Any, model: Path) -> None:
        self.viewer, self.qtbot, self.model = viewer, qtbot, model

    def open(self, source: Path | None = None) -> Any:
        _, dock = self.viewer.window.add_plugin_dock_widget("napari-vaegan", "Restore folder")
        dock.model.choose(self.model)
        if source:
            dock.source.give(source)
        return dock

    def run(self, dock: Any) -> str:
        """Press Restore folder, wait for the end, and return what the dock says."""
        dock.press_run()
        assert dock.runner.busy, dock.message.text
        self.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
        assert not dock.message.details, dock.message.details
        return str(dock.message.text)

    def choose_task(self, dock: Any, task: str) -> None:
        dock.task.setCurrentIndex(dock.task.findData(task))


@pytest.fixture
def driver(make_napari_viewer_proxy: Callable[..., Any], qtbot: Any, tiny_model_file: Path) -> Driver:
    return Driver(make_napari_viewer_proxy(), qtbot, tiny_model_file)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A folder with an image, a stack with a pixel size in a sub-folder, and a file that is no image."""
    folder = tmp_path / "cells"
    (folder / "more").mkdir(parents=True)
    tifffile.imwrite(folder / "a.tif", CELL)
    (folder / "broken.tif").write_bytes(b"not an image")
    stack = np.stack([CELL, CELL[::-1]])
    calibration = {"axes": "ZYX", "unit": "um", "spacing": 2.0}
    tifffile.imwrite(folder / "more" / "z.tif", stack, imagej=True, resolution=(2, 2), metadata=calibration)
    return folder


def test_a_folder_is_restored_and_the_table_says_what_became_of_each_file(
    driver: Driver, cells: Path, tiny_model: nv.Model
) -> None:
    dock = driver.open(cells)
    said = driver.run(dock)
    assert said == "2 images restored, 1 failed, for the reasons in the table."
    assert [row[:2] for row in dock.table.rows] == [
        ("a.tif", "restored"),
        ("broken.tif", "failed"),
        ("more/z.tif", "restored"),
    ]
    _, broken, _ = dock.table.rows
    assert broken[3].startswith("broken.tif is not a TIFF")
    restored = tifffile.imread(cells.with_name("cells-restored") / "a.tif")
    np.testing.assert_array_equal(restored, tiny_model.denoise(CELL, samples=0).image)


def test_failed_rows_stand_out_and_tell_the_whole_file(driver: Driver, cells: Path) -> None:
    from qtpy.QtCore import Qt

    dock = driver.open(cells)
    driver.run(dock)
    model = dock.table.model()
    good, bad = model.index(0, 0), model.index(1, 0)
    assert bad.data(Qt.ItemDataRole.ForegroundRole) is not None
    assert good.data(Qt.ItemDataRole.ForegroundRole) is None
    assert str(cells / "broken.tif") in bad.data(Qt.ItemDataRole.ToolTipRole)
    assert "not a TIFF" in bad.data(Qt.ItemDataRole.ToolTipRole)


def test_running_again_skips_what_is_done(driver: Driver, cells: Path) -> None:
    (cells / "broken.tif").unlink()
    dock = driver.open(cells)
    driver.run(dock)
    tifffile.imwrite(cells / "new.tif", CELL)
    assert driver.run(dock) == "1 image restored, 2 skipped, as they were done already."
    assert [row[1] for row in dock.table.rows] == ["skipped", "skipped", "restored"]
    dock.overwrite.setChecked(True)
    assert driver.run(dock) == "3 images restored."


def test_a_double_click_opens_the_result_in_its_size(driver: Driver, cells: Path) -> None:
    dock = driver.open(cells)
    driver.run(dock)
    dock.table.doubleClicked.emit(dock.table.model().index(2, 0))
    driver.qtbot.waitUntil(lambda: len(driver.viewer.layers) == 1, timeout=20_000)
    layer = driver.viewer.layers[0]
    assert layer.name == "z.tif"
    np.testing.assert_allclose(layer.scale, (2.0, 0.5, 0.5))
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    dock.table.doubleClicked.emit(dock.table.model().index(1, 0))
    assert "broken.tif is not a TIFF" in dock.message.text
    assert len(driver.viewer.layers) == 1


def test_a_result_that_is_gone_is_said_to_be(driver: Driver, cells: Path) -> None:
    dock = driver.open(cells)
    driver.run(dock)
    shutil.rmtree(cells.with_name("cells-restored"))
    dock.table.doubleClicked.emit(dock.table.model().index(0, 0))
    driver.qtbot.waitUntil(lambda: "does not exist" in dock.message.text, timeout=20_000)


def test_the_images_are_counted_before_the_start(driver: Driver, cells: Path, tmp_path: Path) -> None:
    dock = driver.open(cells)
    driver.qtbot.waitUntil(lambda: dock.count_label.text() == "3 images found.", timeout=10_000)
    (tmp_path / "empty").mkdir()
    dock.source.give(tmp_path / "empty")
    driver.qtbot.waitUntil(lambda: "There are no images in" in dock.reason.text(), timeout=10_000)
    assert not dock.run_button.isEnabled()
    dock.source.give(tmp_path / "nowhere")
    driver.qtbot.waitUntil(lambda: "does not exist" in dock.reason.text(), timeout=10_000)
    dock.source.give(cells)
    driver.qtbot.waitUntil(lambda: dock.run_button.isEnabled() and dock.found.count == 3, timeout=10_000)


def test_results_inside_the_input_are_not_counted(driver: Driver, cells: Path) -> None:
    dock = driver.open(cells)
    dock.destination.give(cells / "more")
    driver.qtbot.waitUntil(lambda: dock.count_label.text() == "2 images found.", timeout=10_000)


def test_super_resolving_takes_a_factor_and_writes_beside(driver: Driver, cells: Path, tmp_path: Path) -> None:
    dock = driver.open(cells)
    driver.choose_task(dock, "super-resolve")
    dock.factor.setCurrentIndex(1)
    dock.destination.give(tmp_path / "finer")
    dock.write_std.setChecked(True)
    dock.write_samples.setChecked(True)
    dock.samples.setValue(2)
    driver.run(dock)
    height, width = CELL.shape
    assert tifffile.imread(tmp_path / "finer" / "a.tif").shape == (3 * height, 3 * width)
    assert tifffile.imread(tmp_path / "finer" / "a.std.tif").dtype == np.float32
    assert tifffile.imread(tmp_path / "finer" / "a.samples.tif").shape == (2, 3 * height, 3 * width)


def test_inpainting_asks_for_masks(driver: Driver, cells: Path, tmp_path: Path) -> None:
    dock = driver.open(cells)
    driver.choose_task(dock, "inpaint")
    assert "Inpainting needs masks" in dock.reason.text()
    mask = np.zeros(CELL.shape, np.uint8)
    mask[10:20, 10:20] = 1
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    dock.masks.give(tmp_path / "mask.tif")
    driver.run(dock)
    filled = tifffile.imread(cells.with_name("cells-restored") / "a.tif")
    np.testing.assert_array_equal(filled[mask == 0], CELL[mask == 0])


def test_only_the_tasks_of_the_model_are_offered(driver: Driver, tiny_rgb_model: nv.Model, tmp_path: Path) -> None:
    dock = driver.open()
    every = ["denoise", "super-resolve", "inpaint", "match-style"]
    assert [dock.task.itemData(index) for index in range(dock.task.count())] == every
    dock.model.choose(tiny_rgb_model.save(tmp_path / "other.vaegan"))
    assert [dock.task.itemData(index) for index in range(dock.task.count())] == ["denoise", "super-resolve", "match-style"]
    assert "There is no input folder" in dock.reason.text()


def test_a_folder_gets_another_look(driver: Driver, cells: Path, textured_images: Path, tiny_model: nv.Model) -> None:
    dock = driver.open(cells)
    driver.choose_task(dock, "match-style")
    dock.style_path.give(textured_images / "nowhere")
    assert "There is nothing at" in dock.reason.text()
    dock.style_path.give(textured_images)
    dock.strength.slider.setValue(70)
    assert driver.run(dock).startswith("2 images restored")
    matched = tifffile.imread(cells.with_name("cells-restored") / "a.tif")
    np.testing.assert_array_equal(matched, tiny_model.match_style(CELL, textured_images, 0.7).image)


def test_a_folder_gets_one_change_of_look(driver: Driver, cells: Path, tiny_model: nv.Model) -> None:
    dock = driver.open(cells)
    driver.choose_task(dock, "match-style")
    dock.one_change.setChecked(True)
    assert driver.run(dock).startswith("2 images restored")
    matched = tifffile.imread(cells.with_name("cells-restored") / "a.tif")
    np.testing.assert_array_equal(matched, tiny_model.match_style(CELL, source=cells).image)


def test_wrong_axes_are_refused_before_the_start(driver: Driver, cells: Path) -> None:
    dock = driver.open(cells)
    dock.axes.setText("TQX")
    assert '"Q"' in dock.reason.text()
    dock.axes.setText("yx")
    assert dock.settings["axes"] == "YX"
    assert not dock.reason.text()


def test_an_output_that_is_the_input_is_refused(driver: Driver, cells: Path) -> None:
    dock = driver.open(cells)
    dock.destination.give(cells)
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert "choose another folder" in dock.message.text
    np.testing.assert_array_equal(tifffile.imread(cells / "a.tif"), CELL)


def test_the_folders_of_the_last_run_are_remembered(driver: Driver, cells: Path, tmp_path: Path) -> None:
    dock = driver.open(cells)
    dock.destination.give(tmp_path / "there")
    driver.run(dock)
    driver.viewer.window.remove_dock_widget(dock)
    again = driver.open()
    assert (again.source.path, again.destination.path) == (cells, tmp_path / "there")
    # What was written there came from another folder: its files would pass for images that are done.
    again.source.give(tmp_path)
    assert again.destination.path is None
    again.source.give(cells)
    driver.run(again)
    driver.viewer.window.remove_dock_widget(again)
    last = driver.open()
    assert (last.source.path, last.destination.path) == (cells, None)


def test_the_same_can_be_copied_as_python(driver: Driver, cells: Path) -> None:
    dock = driver.open(cells)
    dock.write_std.setChecked(True)
    dock.quality.setChecked(True)
    dock.copy_as_python()
    names: dict[str, Any] = {}
    text = QGuiApplication.clipboard().text()
    assert "quality='best'" in text
    exec(text, names)
    assert len(names["summary"].restored) == 2
    assert (cells.with_name("cells-restored") / "a.std.tif").exists()


def test_deleting_the_model_before_the_run_is_said(driver: Driver, cells: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(driver.model, tmp_path / "gone.vaegan"))
    dock = driver.open(cells)
    dock.model.choose(file)
    file.unlink()
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert "There is no model file at" in dock.message.text
    assert dock.run_button.isEnabled()


def start_a_long_run(driver: Driver, folder: Path) -> Any:
    """Start on a small image and a very large one."""
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", CELL)
    tifffile.imwrite(folder / "b.tif", np.tile(CELL, (40, 40)))
    dock = driver.open(folder)
    dock.write_samples.setChecked(True)
    dock.samples.setValue(60)
    dock.press_run()
    dock.press_run()  # starting twice changes nothing
    driver.qtbot.waitUntil(lambda: len(dock.table.files) == 1, timeout=60_000)
    return dock


def test_stop_leaves_the_image_at_hand_and_says_that_the_run_can_go_on(driver: Driver, tmp_path: Path) -> None:
    dock = start_a_long_run(driver, tmp_path / "large")
    assert dock.progress_bar.isVisibleTo(dock)
    dock.stop_button.click()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=20_000)
    assert dock.message.text == "Stopped: 1 image restored; run it again to go on with the rest."
    assert [row[:2] for row in dock.table.rows] == [("a.tif", "restored")]
    assert not (tmp_path / "large-restored" / "b.tif").exists()
    assert dock.run_button.isEnabled()


def test_progress_is_shown_of_the_run_and_of_the_file_at_hand(driver: Driver, tmp_path: Path) -> None:
    dock = start_a_long_run(driver, tmp_path / "large")
    driver.qtbot.waitUntil(lambda: dock.progress_bar.value() >= 500, timeout=20_000)
    driver.qtbot.waitUntil(lambda: "b.tif" in dock.at_hand.text, timeout=20_000)
    assert "2 of 2" in dock.at_hand.text
    dock.stop_button.click()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=20_000)
    assert not dock.at_hand.isVisibleTo(dock)


def test_closing_the_dock_in_the_middle_leaves_the_run(driver: Driver, tmp_path: Path) -> None:
    dock = start_a_long_run(driver, tmp_path / "large")
    driver.viewer.window.remove_dock_widget(dock)
    assert not dock.runner.busy
    wait_for_threads(driver.qtbot)
    assert not (tmp_path / "large-restored" / "b.tif").exists()


def test_closing_the_viewer_in_the_middle_leaves_the_run(driver: Driver, tmp_path: Path) -> None:
    start_a_long_run(driver, tmp_path / "large")
    driver.viewer.close()
    wait_for_threads(driver.qtbot)


def wait_for_threads(qtbot: Any) -> None:
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=20_000)


def test_the_realism_of_the_slider_is_a_setting_only_if_it_was_moved(driver: Driver) -> None:
    dock = driver.open()
    assert "realism" not in dock.settings
    dock.dial.slider.setValue(10)
    assert dock.settings["realism"] == 0.5
