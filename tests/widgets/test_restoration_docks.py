from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import skimage.data
from napari.layers import Image
from qtpy.QtGui import QGuiApplication

import napari_vaegan as nv
from napari_vaegan.widgets.denoise import Denoise
from napari_vaegan.widgets.inpaint import Inpaint
from napari_vaegan.widgets.restoration_dock import RestorationDock
from napari_vaegan.widgets.super_resolve import SuperResolve

CELL = skimage.data.cell()[200:264, 100:172]
TITLES = {Denoise: "Denoise", SuperResolve: "Super-resolve", Inpaint: "Inpaint"}


class Driver:
    """Opens docks in a real viewer, presses their buttons, and waits."""

    def __init__(self, viewer: Any, qtbot: Any, model_file: Path) -> None:
        self.viewer, self.qtbot, self.model_file = viewer, qtbot, model_file

    def open(self, kind: type[RestorationDock], samples: int = 1) -> Any:
        _, dock = self.viewer.window.add_plugin_dock_widget("napari-vaegan", TITLES[kind])
        dock.model.choose(self.model_file)
        dock.samples.setValue(samples)
        return dock

    def run(self, dock: Any) -> Any:
        """Press Run, wait for the end, and return the topmost layer."""
        dock.press_run()
        assert dock.runner.busy, dock.message.text
        self.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
        assert not dock.message.details, dock.message.details
        return self.viewer.layers[-1]


@pytest.fixture
def driver(make_napari_viewer_proxy: Callable[..., Any], qtbot: Any, tiny_model_file: Path) -> Driver:
    return Driver(make_napari_viewer_proxy(), qtbot, tiny_model_file)


def test_the_result_is_what_the_library_returns(driver: Driver, tiny_model: nv.Model) -> None:
    driver.viewer.add_image(CELL, name="cell")
    dock = driver.open(Denoise, samples=2)
    mean = driver.run(dock)
    expected = tiny_model.denoise(CELL, samples=2, seed=0)
    names = [layer.name for layer in driver.viewer.layers]
    assert names == ["cell", "cell denoised samples", "cell denoised error (std)", "cell denoised"]
    np.testing.assert_array_equal(mean.data, expected.image)
    assert mean.data.dtype == CELL.dtype
    np.testing.assert_array_equal(driver.viewer.layers["cell denoised error (std)"].data, expected.std)
    np.testing.assert_array_equal(driver.viewer.layers["cell denoised samples"].data, expected.samples)
    assert not driver.viewer.layers["cell denoised samples"].visible
    assert driver.viewer.layers["cell denoised error (std)"].colormap.name == "inferno"


def test_a_result_says_how_it_was_made(driver: Driver) -> None:
    driver.viewer.add_image(CELL, name="cell", metadata={"microscope": "mine"})
    dock = driver.open(SuperResolve, samples=0)
    dock.seed.setValue(7)
    metadata = driver.run(dock).metadata
    assert metadata["microscope"] == "mine"
    made = metadata["napari-vaegan"]
    assert (made["task"], made["source"], made["model"]) == ("super-resolve", "cell", "tiny")
    assert made["settings"] == {"factor": 2, "samples": 0, "seed": 7, "axes": "YX"}
    assert made["report"]["task"] == "super-resolve"


PLACES: dict[str, dict[str, Any]] = {
    "scaled": {"scale": (0.5, 0.25), "units": ("um", "um"), "axis_labels": ("y", "x")},
    "translated": {"translate": (10.0, -4.0)},
    "rotated": {"rotate": 30, "scale": (2.0, 2.0), "translate": (1.0, 2.0)},
    "sheared": {"shear": [0.3], "scale": (2.0, 1.0)},
    "affine": {"affine": np.array([[1.0, 0.2, 5.0], [-0.1, 0.9, 3.0], [0, 0, 1]]), "scale": (0.5, 0.5)},
}


@pytest.mark.parametrize("kind", [Denoise, SuperResolve])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_result_lies_exactly_over_its_source(driver: Driver, kind: type[RestorationDock], place: dict[str, Any]) -> None:
    source = driver.viewer.add_image(CELL, name="cell", contrast_limits=(10, 200), colormap="green", gamma=0.8, **place)
    mean = driver.run(driver.open(kind, samples=1))
    factor = mean.data.shape[0] // CELL.shape[0]
    # The corners of the image are half a pixel outside the centres of the corner pixels.
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        of_source = np.array(corner) * CELL.shape - 0.5
        of_result = np.array(corner) * mean.data.shape - 0.5
        np.testing.assert_allclose(mean.data_to_world(of_result), source.data_to_world(of_source), atol=1e-6)
    assert factor == (2 if kind is SuperResolve else 1)
    assert mean.units == source.units
    assert mean.axis_labels == source.axis_labels
    assert (mean.contrast_limits, mean.colormap.name, mean.gamma) == ([10, 200], "green", 0.8)
    samples = driver.viewer.layers[f"{mean.name} samples"]
    np.testing.assert_allclose(samples.data_to_world((0, 3, 5))[1:], mean.data_to_world((3, 5)), atol=1e-6)


def test_the_current_plane_of_a_stack_stays_in_its_place(driver: Driver, tiny_model: nv.Model) -> None:
    stack = np.stack([CELL, CELL[::-1], CELL[:, ::-1]])
    source = driver.viewer.add_image(stack, name="stack", scale=(2, 0.5, 0.5), axis_labels=("z", "y", "x"))
    driver.viewer.dims.set_point(0, 4.0)
    mean = driver.run(driver.open(Denoise))
    assert mean.data.shape == (1, *CELL.shape)
    np.testing.assert_array_equal(mean.data[0], tiny_model.denoise(stack[2], samples=0).image)
    np.testing.assert_allclose(mean.data_to_world((0, 0, 0)), source.data_to_world((2, 0, 0)))


def test_all_planes_of_a_time_lapse_are_restored(driver: Driver, tiny_model: nv.Model) -> None:
    stack = np.stack([CELL, CELL[::-1], CELL[:, ::-1]])
    driver.viewer.add_image(stack, name="film", axis_labels=("t", "y", "x"))
    dock = driver.open(SuperResolve)
    assert dock.axes.text() == "TYX"
    dock.planes.setCurrentText("all planes")
    mean = driver.run(dock)
    np.testing.assert_array_equal(mean.data, tiny_model.super_resolve(stack, 2, samples=0, axes="TYX").image)


def test_colour_layers_give_colour_layers(driver: Driver, tiny_rgb_model: nv.Model, tmp_path: Path) -> None:
    tissue = np.ascontiguousarray(skimage.data.immunohistochemistry()[:64, :64])
    opaque = np.dstack([tissue, np.full(tissue.shape[:2], 255, np.uint8)])
    source = driver.viewer.add_image(opaque, name="tissue", rgb=True, scale=(0.5, 0.5))
    driver.model_file = tiny_rgb_model.save(tmp_path / "colour.vaegan")
    mean = driver.run(driver.open(Denoise, samples=1))
    assert mean.rgb
    assert mean.data.shape == (64, 64, 3)
    assert mean.data.dtype == np.uint8
    np.testing.assert_array_equal(mean.data, tiny_rgb_model.denoise(tissue, samples=1).image)
    np.testing.assert_allclose(mean.scale, source.scale)
    assert driver.viewer.layers["tissue denoised error (std)"].data.shape == (64, 64)
    assert driver.viewer.layers["tissue denoised samples"].data.dtype == np.uint8


@pytest.mark.parametrize(
    ("image_place", "mask_place", "expected"),
    [
        ({}, {}, (slice(20, 30), slice(30, 45))),
        ({}, {"translate": (10, -5)}, (slice(30, 40), slice(25, 40))),
        ({"scale": (0.5, 0.5)}, {"scale": (0.5, 0.5), "translate": (5, 0)}, (slice(30, 40), slice(30, 45))),
        ({}, {"scale": (2, 2), "translate": (0.5, 0.5)}, (slice(40, 60), slice(60, 90))),
    ],
    ids=["same grid", "offset", "offset in the world", "coarser mask"],
)
def test_labels_count_at_their_place_in_the_world(
    driver: Driver, image_place: dict[str, Any], mask_place: dict[str, Any], expected: tuple[slice, slice]
) -> None:
    image = driver.viewer.add_image(CELL, name="cell", **image_place)
    labels = np.zeros((50, 60), int)
    labels[20:30, 30:45] = 3
    driver.viewer.add_labels(labels, **mask_place)
    dock = driver.open(Inpaint, samples=1)
    dock.layer.choose(image)
    mean = driver.run(dock)
    missing = np.zeros(CELL.shape, bool)
    missing[expected] = True
    np.testing.assert_array_equal(mean.data[~missing], CELL[~missing])
    std = driver.viewer.layers["cell inpainted error (std)"].data
    np.testing.assert_array_equal(std > 0, missing)


def test_shapes_count_at_their_place_in_the_world(driver: Driver) -> None:
    driver.viewer.add_image(CELL, name="cell", scale=(0.5, 0.5))
    driver.viewer.add_shapes(
        [np.array([[5, 10], [5, 20], [15, 20], [15, 10]])], shape_type="rectangle", translate=(0.0, 1.0)
    )
    driver.run(driver.open(Inpaint, samples=0))
    rows, columns = np.nonzero(driver.viewer.layers["cell inpainted error (std)"].data)
    # In the world 5…15 and 11…21, in pixels twice that.
    assert (rows.min(), rows.max()) == (10, 30)
    assert (columns.min(), columns.max()) == (22, 42)


def test_a_flat_mask_holds_for_every_plane_of_a_stack(driver: Driver) -> None:
    stack = np.stack([CELL, CELL[::-1]])
    driver.viewer.add_image(stack, name="stack")
    labels = np.zeros(CELL.shape, int)
    labels[5:10, 6:12] = 1
    driver.viewer.add_labels(labels)
    dock = driver.open(Inpaint, samples=0)
    dock.planes.setCurrentText("all planes")
    driver.run(dock)
    std = driver.viewer.layers["stack inpainted error (std)"].data
    np.testing.assert_array_equal(std > 0, np.broadcast_to(labels > 0, stack.shape))


def test_a_stack_of_masks_gives_a_flat_image_its_current_plane(driver: Driver) -> None:
    driver.viewer.add_image(CELL, name="cell")
    labels = np.zeros((3, *CELL.shape), int)
    labels[1, 5:10, 6:12] = 1
    driver.viewer.add_labels(labels)
    dock = driver.open(Inpaint, samples=0)
    driver.viewer.dims.set_point(0, 0)
    dock.press_run()
    assert "covers no pixel" in dock.message.text
    driver.viewer.dims.set_point(0, 1)
    driver.run(dock)
    np.testing.assert_array_equal(driver.viewer.layers["cell inpainted error (std)"].data > 0, labels[1] > 0)


def test_paint_a_mask_makes_labels_over_the_image_and_takes_the_brush(driver: Driver) -> None:
    image = driver.viewer.add_image(CELL, name="cell", scale=(0.5, 0.5), translate=(3, 4), rotate=20)
    dock = driver.open(Inpaint)
    assert "no mask" in dock.hindrance()
    dock.paint_button.click()
    mask = driver.viewer.layers["cell mask"]
    assert mask.mode == "paint"
    assert dock.hindrance() == ""
    np.testing.assert_allclose(mask.data_to_world((7, 9)), image.data_to_world((7, 9)))
    dock.press_run()
    assert "covers no pixel" in dock.message.text


def test_the_slider_leads_from_the_best_estimate_to_a_sample(driver: Driver, tiny_model: nv.Model) -> None:
    driver.viewer.add_image(CELL, name="cell")
    dock = driver.open(Denoise, samples=2)
    mean = driver.run(dock)
    expected = tiny_model.denoise(CELL, samples=2)
    truth = dock.truth
    truth.dial.go_to_truth()
    driver.qtbot.waitUntil(lambda: truth.layer is not None and not truth.runner.busy, timeout=20_000)
    np.testing.assert_array_equal(truth.layer.data, expected.blend(1.0, 0))
    np.testing.assert_array_equal(mean.data, expected.image)
    truth.dice_button.click()
    driver.qtbot.waitUntil(lambda: truth.layer.metadata["napari-vaegan"]["sample"] == 1, timeout=20_000)
    np.testing.assert_array_equal(truth.layer.data, expected.blend(1.0, 1))
    truth.dial.slider.setValue(0)
    driver.qtbot.waitUntil(lambda: truth.layer.metadata["napari-vaegan"]["realism"] == 0, timeout=20_000)
    np.testing.assert_array_equal(truth.layer.data, expected.image)


def test_the_copied_python_gives_what_the_slider_shows_and_says_what_it_is(driver: Driver) -> None:
    driver.viewer.add_image(CELL, name="cell")
    dock = driver.open(Denoise, samples=2)
    driver.run(dock)
    dock.truth.dial.slider.setValue(7)
    driver.qtbot.waitUntil(lambda: dock.truth.drawn == (0.35, 0) and not dock.truth.runner.busy, timeout=20_000)
    assert "partly invented" in dock.truth.label.text()
    assert "partly invented" in dock.truth.layer.metadata["napari-vaegan"]["image"]
    dock.copy_button.click()
    text, names = QGuiApplication.clipboard().text(), {"viewer": driver.viewer}
    exec(text, names)
    assert "# 35% of the way from the best estimate (least error)" in text
    np.testing.assert_array_equal(names["shown"], dock.truth.layer.data)
    dock.seed.setValue(1)  # another restoration, of which nothing is shown yet
    dock.copy_button.click()
    assert "shown" not in QGuiApplication.clipboard().text()


@pytest.mark.parametrize("kind", [Denoise, SuperResolve, Inpaint])
def test_the_copied_python_gives_the_same_pixels(driver: Driver, kind: type[RestorationDock]) -> None:
    stack = np.stack([CELL, CELL[::-1]])
    driver.viewer.add_image(stack, name="my stack", axis_labels=("z", "y", "x"))
    labels = np.zeros(CELL.shape, int)
    labels[5:10, 6:12] = 1
    driver.viewer.add_labels(labels, translate=(2, 1))
    driver.viewer.dims.set_point(0, 1)
    dock = driver.open(kind, samples=1)
    dock.quality.setChecked(True)
    dock.copy_button.click()
    names: dict[str, Any] = {"viewer": driver.viewer}
    exec(QGuiApplication.clipboard().text(), names)  # it is the point of the text
    layer = driver.run(dock)
    np.testing.assert_array_equal(layer.data, names["restoration"].image)
    made = layer.metadata["napari-vaegan"]
    assert made["settings"]["quality"] == made["report"]["quality"] == "best"


def test_stop_ends_a_restoration_and_another_can_begin(driver: Driver) -> None:
    driver.viewer.add_image(np.tile(CELL, (40, 40)), name="large")
    dock = driver.open(Denoise, samples=60)
    dock.press_run()
    dock.press_run()  # starting twice changes nothing
    assert dock.runner.busy
    driver.qtbot.waitUntil(lambda: dock.progress_bar.value() > 0, timeout=60_000)
    dock.stop_button.click()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=10_000)
    assert dock.message.text == "Stopped."
    assert [layer.name for layer in driver.viewer.layers] == ["large"]
    assert dock.run_button.isEnabled()


def test_closing_the_dock_in_the_middle_leaves_the_restoration(driver: Driver) -> None:
    driver.viewer.add_image(np.tile(CELL, (40, 40)), name="large")
    dock = driver.open(Denoise, samples=60)
    dock.press_run()
    driver.qtbot.wait(300)
    driver.viewer.window.remove_dock_widget(dock)
    assert not dock.runner.busy
    wait_for_threads(driver.qtbot)
    assert [layer.name for layer in driver.viewer.layers] == ["large"]


def test_closing_the_viewer_in_the_middle_leaves_the_restoration(driver: Driver) -> None:
    driver.viewer.add_image(np.tile(CELL, (40, 40)), name="large")
    dock = driver.open(Denoise, samples=60)
    dock.press_run()
    driver.qtbot.wait(300)
    driver.viewer.close()
    wait_for_threads(driver.qtbot)


def wait_for_threads(qtbot: Any) -> None:
    """Wait for the worker threads, as napari does when it exits."""
    from qtpy.QtCore import QThreadPool

    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=10_000)


def test_the_source_may_be_removed_in_the_middle(driver: Driver) -> None:
    layer = driver.viewer.add_image(np.tile(CELL, (3, 3)), name="cell", scale=(0.5, 0.5))
    dock = driver.open(Denoise, samples=1)
    dock.press_run()
    driver.viewer.layers.remove(layer)
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    np.testing.assert_allclose(driver.viewer.layers["cell denoised"].scale, (0.5, 0.5))


def test_the_model_file_may_be_deleted_in_the_middle(driver: Driver, tmp_path: Path) -> None:
    driver.viewer.add_image(CELL, name="cell")
    driver.model_file = Path(shutil.copy(driver.model_file, tmp_path / "mine.vaegan"))
    dock = driver.open(Denoise)
    driver.run(dock)
    driver.model_file.unlink()
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert dock.message.text == f"There is no model file at {driver.model_file}: check the path."


def test_an_unexpected_error_in_the_worker_reaches_the_dock(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a RuntimeError, which torch raises for everything."""

    def broken(*arguments: Any, **settings: Any) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(nv.Model, "denoise", broken)
    driver.viewer.add_image(CELL, name="cell")
    dock = driver.open(Denoise)
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert "unexpected error (RuntimeError: mat1 and mat2 shapes cannot be multiplied)" in dock.message.text
    assert "in broken" in dock.message.details


def test_memory_that_runs_out_is_said_in_a_sentence(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*arguments: Any, **settings: Any) -> None:
        np.empty((2**40, 2**10))

    monkeypatch.setattr(nv.Model, "denoise", hungry)
    driver.viewer.add_image(CELL, name="cell")
    dock = driver.open(Denoise)
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert dock.message.text.startswith("Memory ran out while denoising cell")


def test_a_lazy_layer_larger_than_memory_is_refused_whole_and_restored_by_plane(driver: Driver) -> None:
    plane = np.tile(CELL, (8, 8))
    endless = dask.array.broadcast_to(dask.array.from_array(plane, chunks=plane.shape), (10**6, *plane.shape))
    driver.viewer.add_image(endless, name="endless", contrast_limits=(0, 255))
    dock = driver.open(Denoise, samples=0)
    assert driver.run(dock).data.shape == (1, *plane.shape)
    dock.planes.setCurrentText("all planes")
    dock.press_run()
    driver.qtbot.waitUntil(lambda: not dock.runner.busy, timeout=60_000)
    assert "GB" in dock.message.text
    assert not dock.runner.busy


def test_the_finest_level_of_a_multiscale_layer_is_restored(driver: Driver, tiny_model: nv.Model) -> None:
    source = driver.viewer.add_image([CELL, CELL[::2, ::2]], name="pyramid", multiscale=True, scale=(0.5, 0.5))
    mean = driver.run(driver.open(Denoise))
    np.testing.assert_array_equal(mean.data, tiny_model.denoise(CELL, samples=0).image)
    np.testing.assert_allclose(mean.scale, source.scale)


def test_a_disabled_button_says_why(driver: Driver) -> None:
    _, dock = driver.viewer.window.add_plugin_dock_widget("napari-vaegan", "Denoise")
    assert not dock.run_button.isEnabled()
    assert dock.run_button.toolTip() == dock.reason.text() == "There is no image: open one first."
    layer = driver.viewer.add_image(CELL)
    assert "There is no model" in dock.reason.text()
    dock.model.choose(driver.model_file)
    assert dock.run_button.isEnabled()
    driver.viewer.layers.remove(layer)
    assert not dock.run_button.isEnabled()


def test_axes_that_do_not_fit_are_refused_in_a_sentence(driver: Driver) -> None:
    driver.viewer.add_image(np.stack([CELL, CELL]), name="stack")
    dock = driver.open(Denoise)
    dock.axes.setText("TQX")
    assert 'Axes "TQX" have the letter "Q"' in dock.reason.text()
    assert not dock.run_button.isEnabled()


def test_a_model_of_other_channels_is_refused_before_it_runs(driver: Driver) -> None:
    driver.viewer.add_image(np.dstack([CELL] * 3), name="tissue", rgb=True)
    dock = driver.open(Denoise)
    assert dock.reason.text().startswith("tissue has 3 channels, the model tiny was trained on 1 channel")
    assert not dock.run_button.isEnabled()


def test_a_model_is_chosen_in_all_docks_and_remembered(driver: Driver, tmp_path: Path) -> None:
    driver.viewer.add_image(CELL)
    denoise, inpaint = driver.open(Denoise), driver.open(Inpaint)
    other = Path(shutil.copy(driver.model_file, tmp_path / "other.vaegan"))
    inpaint.model.choose(other)
    assert denoise.model.combo.currentText() == "other"
    assert denoise.model.chosen.path == other
    from napari_vaegan.widgets.known_models import KnownModels

    assert [model.path for model in KnownModels().models] == [other, driver.model_file]


def test_dropping_a_model_on_the_viewer_chooses_it(driver: Driver) -> None:
    driver.viewer.add_image(CELL)
    _, dock = driver.viewer.window.add_plugin_dock_widget("napari-vaegan", "Denoise")
    driver.viewer.open(str(driver.model_file), plugin="napari-vaegan")
    assert dock.model.chosen.path == driver.model_file
    assert len(driver.viewer.layers) == 1


def test_a_file_that_is_no_model_is_refused_in_a_sentence(driver: Driver, tmp_path: Path) -> None:
    driver.viewer.add_image(CELL)
    _, dock = driver.viewer.window.add_plugin_dock_widget("napari-vaegan", "Denoise")
    wrong = tmp_path / "wrong.vaegan"
    wrong.write_text("not a model")
    dock.model.choose(wrong)
    assert str(wrong) in dock.message.text
    assert dock.model.chosen is None


def test_layers_follow_the_viewer(driver: Driver) -> None:
    first = driver.viewer.add_image(CELL, name="first")
    dock = driver.open(Denoise)
    second = driver.viewer.add_image(CELL, name="second")
    assert dock.layer.chosen is first or dock.layer.chosen.name == "first"
    second.name = "renamed"
    assert [dock.layer.itemText(index) for index in range(dock.layer.count())] == ["renamed", "first"]
    driver.viewer.layers.remove(first)
    assert dock.layer.currentText() == "renamed"


def test_every_control_has_a_tooltip(driver: Driver) -> None:
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QSlider

    driver.viewer.add_image(CELL)
    for kind in TITLES:
        dock = driver.open(kind)
        for widget_class in (QAbstractButton, QAbstractSpinBox, QComboBox, QSlider):
            for widget in dock.findChildren(widget_class):
                assert widget.toolTip(), (kind, widget_class, widget.text() if hasattr(widget, "text") else widget)


def test_all_layers_are_images_of_the_viewer(driver: Driver) -> None:
    """Labels are no image to restore."""
    driver.viewer.add_labels(np.zeros(CELL.shape, int))
    dock = driver.open(Denoise)
    assert dock.layer.chosen is None
    assert isinstance(driver.viewer.add_image(CELL), Image) or dock.layer.count() == 1
