from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut

from napari_vaegan import library
from napari_vaegan.config import TASKS, TrainingConfig
from napari_vaegan.training.checkpoint import describe_checkpoint
from napari_vaegan.training.diagnosis.findings import Diagnosis
from napari_vaegan.training.events import Diagnosed, Finished, Previewed, Warned
from napari_vaegan.widgets.known_models import known_models
from napari_vaegan.widgets.message import WARNING
from napari_vaegan.widgets.train.dock import Train
from napari_vaegan.widgets.train.model_file import checkpoint_of, free_name

LONG = 100_000
SETTINGS = {"preset": "tiny", "patch_size": 32, "batch_size": 4, "device": "cpu", "precision": "float32"}
STAGES = ("vae", "warm-up", "adversarial", "prior")


class Driver:
    """Opens the dock in a real viewer, presses its buttons, and waits."""

    def __init__(self, viewer: Any, qtbot: Any, images: Path, model: Path) -> None:
        self.viewer, self.qtbot, self.images, self.model = viewer, qtbot, images, model
        self.dock: Any = None

    def open(self) -> Train:
        _, dock = self.viewer.window.add_plugin_dock_widget("napari-vaegan", "Train")
        self.dock = dock
        return dock

    def prepare(self, steps: int | None, **settings: Any) -> Train:
        """Open the dock on the folder of images."""
        dock = self.open()
        dock.settings.set_value(TrainingConfig(**SETTINGS | {"steps": steps} | settings))
        dock.source.kind.setCurrentIndex(0)
        dock.source.folder.give(self.images)
        dock.model_file.give(self.model)
        dock.check.stop()
        return dock

    def begin(self, steps: int, **settings: Any) -> Train:
        """Press Train, and wait for the first step."""
        dock = self.prepare(steps, **settings)
        dock.press_run()
        assert dock.runner.busy, dock.message.text
        self.until(lambda: bool(dock.curves.series))
        return dock

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=90_000)

    def finish(self) -> None:
        self.until(lambda: not self.dock.runner.busy)
        assert not self.dock.message.details, self.dock.message.details


@pytest.fixture
def driver(
    make_napari_viewer_proxy: Callable[..., Any], qtbot: Any, textured_images: Path, tmp_path: Path
) -> Iterator[Driver]:
    driver = Driver(make_napari_viewer_proxy(), qtbot, textured_images, tmp_path / "cell.vaegan")
    yield driver
    if driver.dock is not None and isalive(driver.dock):
        driver.dock.close_dock()


def press(dock: Train, key: Qt.Key) -> None:
    """Press a key of the dock, which has no focus in a window that is not shown."""
    (shortcut,) = [one for one in dock.findChildren(QShortcut) if one.key() == QKeySequence(key)]
    shortcut.activated.emit()


def pictures(size: int = 64, channels: int = 1, generated: int = 4) -> Previewed:
    random = np.random.default_rng(0)
    return Previewed(
        1,
        "vae",
        ("denoise",),
        random.random((1, 4, size, size, channels), np.float32),
        random.random((generated, size, size, channels), np.float32),
    )


def test_opening_the_dock_does_not_import_torch() -> None:
    code = "import sys, napari_vaegan.widgets.train.dock; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_form_has_a_field_with_the_description_of_every_setting(driver: Driver) -> None:
    form = driver.open().settings
    assert list(form.fields) == list(TrainingConfig.model_fields)
    for name, info in TrainingConfig.model_fields.items():
        assert form.fields[name].toolTip() == info.description


@pytest.mark.parametrize(
    "config",
    [
        TrainingConfig(),
        TrainingConfig(minutes=12.5, tasks=("denoise",), axes="TYX", channels=3, progressive=False),
        TrainingConfig(steps=1, seed=2**32 - 1, learning_rate=0.00015, device="cuda:1", validation_fraction=0.125),
    ],
)
def test_the_form_returns_what_was_filled_in(driver: Driver, config: TrainingConfig) -> None:
    form = driver.open().settings
    form.set_value(config)
    assert form.value() == config


def test_settings_that_exclude_each_other_hinder_with_their_own_sentence(driver: Driver) -> None:
    dock = driver.prepare(5)
    dock.settings.fields["minutes"].set_value(3.0)
    assert dock.hindrance() == "The settings minutes and steps exclude each other: give one of them."
    assert not dock.run_button.isEnabled()
    assert dock.run_button.toolTip() == dock.hindrance()


def test_without_a_source_enter_does_not_start(driver: Driver) -> None:
    dock = driver.open()
    driver.qtbot.keyClick(dock, Qt.Key.Key_Return)
    dock.press_run()
    assert not dock.runner.busy
    assert "no folder" in dock.message.text


def test_training_finishes_and_the_model_is_chosen_in_all_docks(driver: Driver) -> None:
    dock = driver.begin(24)
    assert dock.status.text().startswith("<b>Stage 1 of 4, vae:")
    driver.finish()
    assert known_models.chosen is not None
    assert known_models.chosen.path == driver.model
    assert not checkpoint_of(driver.model).exists()
    assert dock.summary.text().startswith("<b>Trained 24 steps")
    assert "super-resolve ×2" in dock.summary.text()
    assert dock.curves.stages == list(STAGES)
    assert dock.curves.series["adversarial"].steps[-1] == 20  # the prior comes after
    assert not dock.status.isVisible()
    # The name of the model is taken now: the next one gets its own.
    assert dock.hindrance() == ""
    assert dock.model_file.path != driver.model


def test_the_quality_report_of_the_trained_model_is_opened_by_its_button(driver: Driver, monkeypatch: Any) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(
        "napari_vaegan.widgets.train.report_button.QDesktopServices.openUrl",
        lambda url: opened.append(Path(url.toLocalFile())),
    )
    dock = driver.begin(12)
    assert not dock.report_button.isEnabled()
    assert "No model is chosen" in dock.report_button.toolTip()
    driver.finish()
    dock.report_button.click()
    assert opened == [driver.model.with_suffix(".html")]
    assert opened[0].is_file()


def test_a_report_that_cannot_be_written_is_said_in_the_summary(driver: Driver) -> None:
    driver.model.with_suffix(".html").write_text("mine")
    dock = driver.begin(12)
    driver.finish()
    assert "quality report was not written" in dock.summary.text()
    assert driver.model.with_suffix(".html").read_text() == "mine"


def test_a_folder_is_checked_before_the_start(driver: Driver, textured_images: Path) -> None:
    (textured_images / "notes.txt").write_text("no image")
    try:
        dock = driver.prepare(5)
        dock.settings.fields["seed"].set_value(1)
        driver.until(lambda: dock.check.result is not None or bool(dock.check.warnings.text()))
    finally:
        (textured_images / "notes.txt").unlink()
    assert dock.check.result is not None, dock.check.warnings.text()
    assert dock.check.found.text().startswith("<b>8 images, 8 planes</b>, 1 channel")
    assert "notes.txt" in dock.check.skipped_names.text()
    assert dock.check.skipped.text() == "▸ 1 skipped"


def test_a_folder_without_images_hinders(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    dock = driver.prepare(5)
    dock.source.folder.give(tmp_path / "empty")
    driver.until(lambda: bool(dock.check.problem))
    assert "empty" in dock.hindrance()
    assert not dock.run_button.isEnabled()


def test_stop_saves_the_model_and_the_checkpoint_and_resume_goes_on(driver: Driver) -> None:
    dock = driver.begin(LONG)
    press(dock, Qt.Key.Key_Escape)
    assert not dock.stop_button.isEnabled()
    driver.finish()
    assert driver.model.exists()
    assert not driver.model.with_suffix(".html").exists()
    stopped = describe_checkpoint(checkpoint_of(driver.model))
    assert dock.summary.text().startswith(f"<b>Stopped after {stopped.step} steps")
    driver.until(lambda: not dock.resume.isHidden())
    assert "A training on textured" in dock.resume.sentence.text()
    before = driver.model.read_bytes()
    dock.resume.resume_button.click()
    driver.until(lambda: dock.runner.busy)
    assert dock.model_file.path == driver.model
    driver.until(lambda: bool(dock.curves.series))
    assert dock.curves.series["kl"].steps[0] > stopped.step
    dock.runner.stop()
    driver.finish()
    assert describe_checkpoint(checkpoint_of(driver.model)).step > stopped.step
    assert driver.model.read_bytes() != before


def test_pause_lets_the_training_stand_still_until_it_continues(driver: Driver) -> None:
    dock = driver.begin(LONG)
    dock.pause_button.click()
    assert dock.pause_button.text() == "Continue"
    driver.until(lambda: "Paused at step" in dock.status.text())
    steps = dock.curves.series["kl"].steps[-1]
    share = dock.progress_bar.value()
    driver.qtbot.wait(300)
    assert dock.curves.series["kl"].steps[-1] == steps
    dock.pause_button.click()
    assert dock.progress_bar.value() == share
    driver.until(lambda: dock.curves.series["kl"].steps[-1] > steps)
    assert dock.pause_button.text() == "Pause"


def test_starting_twice_is_impossible(driver: Driver) -> None:
    dock = driver.begin(LONG)
    dock.press_run()
    assert not dock.run_button.isEnabled()
    assert dock.run_button.toolTip() == "It is running."
    assert not dock.form_widget.isVisible()


def test_an_existing_model_is_refused(driver: Driver) -> None:
    driver.model.write_bytes(b"mine")
    dock = driver.prepare(5)
    assert "exists already: choose another name" in dock.hindrance()
    dock.press_run()
    assert not dock.runner.busy
    assert driver.model.read_bytes() == b"mine"


def test_the_checkpoint_of_an_interrupted_training_is_not_overwritten(driver: Driver) -> None:
    checkpoint_of(driver.model).write_bytes(b"mine")
    assert "interrupted training: resume it" in driver.prepare(5).hindrance()


def test_the_model_is_proposed_beside_the_folder_under_a_free_name(driver: Driver, tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    folder.mkdir()
    (tmp_path / "cells.vaegan").touch()
    checkpoint_of(tmp_path / "cells-2.vaegan").touch()
    dock = driver.open()
    dock.source.folder.give(folder)
    assert dock.model_file.path == tmp_path / "cells-3.vaegan"
    assert free_name(tmp_path / "others.vaegan") == tmp_path / "others.vaegan"


def test_any_error_of_the_training_reaches_the_dock(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **settings: Any) -> None:
        raise RuntimeError("the kernel is gone")

    monkeypatch.setattr(library, "train", fail)
    dock = driver.prepare(5)
    dock.press_run()
    driver.until(lambda: not dock.runner.busy)
    assert "RuntimeError: the kernel is gone" in dock.message.text
    assert "Traceback" in dock.message.details
    assert dock.run_button.isEnabled()


def test_selected_layers_are_learned_from_even_if_they_are_deleted_meanwhile(driver: Driver) -> None:
    random = np.random.default_rng(0)
    for name in ("one", "two", "three"):
        driver.viewer.add_image(random.integers(0, 200, (2, 64, 64), np.uint8), name=name)
    driver.viewer.layers.selection = {driver.viewer.layers["one"], driver.viewer.layers["three"]}
    dock = driver.prepare(LONG)
    dock.source.kind.setCurrentIndex(1)
    assert dock.source.selection.text() == "one (TYX, a guess)\nthree (TYX, a guess)"
    dock.press_run()
    driver.until(lambda: bool(dock.curves.series))
    driver.viewer.layers.clear()
    step = dock.curves.series["kl"].steps[-1]
    driver.until(lambda: dock.curves.series["kl"].steps[-1] > step)
    dock.runner.stop()
    driver.finish()
    assert describe_checkpoint(checkpoint_of(driver.model)).source == ("one", "three")


def test_without_a_selected_layer_there_is_nothing_to_learn_from(driver: Driver) -> None:
    dock = driver.open()
    dock.source.kind.setCurrentIndex(1)
    assert "No image layer is selected" in dock.hindrance()


def test_layers_are_taken_where_the_viewer_has_some_and_no_folder_is_remembered(driver: Driver) -> None:
    driver.viewer.add_image(np.zeros((64, 64)), name="cell")
    assert driver.open().source.uses_layers


def leave_by_closing_the_dock(driver: Driver) -> None:
    driver.viewer.window.remove_dock_widget(driver.dock)


def leave_by_closing_the_viewer(driver: Driver) -> None:
    driver.viewer.close()


@pytest.mark.parametrize("leave", [leave_by_closing_the_dock, leave_by_closing_the_viewer])
@pytest.mark.parametrize("stage", STAGES)
def test_leaving_in_any_stage_ends_soon_with_a_resumable_checkpoint(
    driver: Driver, stage: str, leave: Callable[[Driver], None]
) -> None:
    steps = {"vae": LONG, "prior": 24, "warm-up": 24, "adversarial": 24}[stage]
    tasks = {"vae": TASKS, "prior": ("generate", "denoise")}.get(stage, ("denoise",))
    dock = driver.prepare(steps, tasks=tasks)
    dock.press_run()
    driver.until(lambda: stage in dock.curves.stages and bool(dock.curves.series))
    job = dock.runner._worker
    leave(driver)
    begin = time.monotonic()
    driver.until(lambda: not job.is_running)
    assert time.monotonic() - begin < 20  # far more than it takes, on a machine that is busy with other things
    summary = describe_checkpoint(checkpoint_of(driver.model))
    assert summary.step > 0
    assert summary.source == (str(driver.images),)


def test_an_interrupted_training_is_offered_when_the_dock_is_opened_again(driver: Driver) -> None:
    dock = driver.begin(LONG)
    job = dock.runner._worker
    driver.viewer.window.remove_dock_widget(dock)
    driver.until(lambda: not job.is_running)
    again = driver.open()
    driver.until(lambda: not again.resume.isHidden())
    assert "was interrupted at 0%" in again.resume.sentence.text()
    again.resume.dismiss_button.click()
    assert again.resume.isHidden()
    assert checkpoint_of(driver.model).exists()
    third = driver.open()
    assert not third.resume.runner.busy


def test_a_checkpoint_of_layers_that_are_gone_says_what_is_missing(driver: Driver) -> None:
    checkpoint = checkpoint_of(driver.model)
    crops = [np.random.default_rng(0).integers(0, 200, (64, 64), np.uint8) for _ in range(4)]
    library.train(crops, TrainingConfig(**SETTINGS | {"steps": 2}), checkpoint=checkpoint)
    dock = driver.open()
    dock.resume.open(checkpoint)
    driver.until(lambda: dock.resuming)
    assert not dock.runner.busy
    assert "No image layer is selected" in dock.message.text
    assert dock.run_button.text() == "Resume"
    assert dock.settings.value().steps == 2


def test_a_file_that_is_no_checkpoint_is_refused_in_one_sentence(driver: Driver) -> None:
    checkpoint_of(driver.model).write_bytes(b"nothing")
    dock = driver.open()
    dock.resume.open(checkpoint_of(driver.model))
    driver.until(lambda: bool(dock.message.text))
    assert "is damaged or not a checkpoint" in dock.message.text


@pytest.mark.parametrize(("channels", "shape"), [(1, ()), (3, (3,)), (2, (2,))])
def test_the_preview_keeps_selection_zoom_and_sliders(driver: Driver, channels: int, shape: tuple[int, ...]) -> None:
    viewer = driver.viewer
    stack = viewer.add_image(np.zeros((5, 100, 120)), name="stack", scale=(2, 0.5, 0.5))
    other = viewer.add_points(np.zeros((1, 3)), name="places")
    dock = driver.open()
    viewer.layers.selection = {stack, other}
    viewer.scene.camera.zoom, viewer.scene.camera.center = 7.0, (0.0, 20.0, 30.0)
    viewer.dims.set_current_step(0, 3)
    for generated in (4, 4):
        dock.preview.show(pictures(channels=channels, generated=generated))
        assert set(viewer.layers.selection) == {stack, other}
        assert viewer.scene.camera.zoom == 7.0
        assert tuple(viewer.scene.camera.center) == (0.0, 20.0, 30.0)
        assert viewer.dims.current_step[0] == 3
    (layer,) = [layer for layer in viewer.layers if layer.metadata.get("napari-vaegan", {}).get("preview")]
    assert layer.rgb == (channels == 3)
    assert layer.data.shape[:-2] + layer.data.shape[-1:] != layer.data.shape
    assert layer.extent.world[0, -1] > stack.extent.world[1, -1]
    np.testing.assert_allclose(np.ptp(layer.extent.world[:, -2]), np.ptp(stack.extent.world[:, -2]), rtol=0.02)


def test_a_deleted_preview_stays_deleted_until_it_is_asked_for(driver: Driver) -> None:
    dock = driver.open()
    assert not dock.preview_button.isEnabled()
    assert dock.preview_button.toolTip().startswith("There is no preview yet")
    dock.preview.show(pictures())
    layer = driver.viewer.layers["VAE-GAN preview"]
    assert dock.source.layers == ()
    driver.viewer.layers.remove(layer)
    dock.preview.show(pictures())
    assert len(driver.viewer.layers) == 0
    dock.refresh()
    dock.preview_button.click()
    assert [layer.name for layer in driver.viewer.layers] == ["VAE-GAN preview"]


def test_the_preview_shows_every_picture_at_its_place(driver: Driver) -> None:
    dock = driver.open()
    event = pictures(size=128)
    dock.preview.show(event)
    assert dock.preview.layer is not None
    drawn = dock.preview.layer.data
    for image in (*event.previews[0, ..., 0], *event.generated[..., 0]):
        row, column = np.argwhere(drawn == image[0, 0])[0]
        np.testing.assert_array_equal(drawn[row : row + 128, column : column + 128], image)


def test_the_curves_follow_the_theme(driver: Driver) -> None:
    dock = driver.open()
    colours = []
    for theme in ("dark", "light"):
        driver.viewer.theme = theme
        colours.append(dock.curves.plots["kl"].backgroundBrush().color().lightness())
    assert colours[0] < 100 < colours[1]


HEALTHY = Diagnosis(coverage=0.54, floor=0.96, diversity=0.9, distance=1.1, active_units=(0.4, 0.9, 0.9, 1.0))
ILL = Diagnosis(coverage=0.2, floor=0.96, diversity=0.9, best_coverage=0.7, distance=1.0, active_units=(0.0, 0.5))


def test_how_generation_stands_is_said_once_it_was_measured(driver: Driver) -> None:
    dock = driver.open()
    dock.runner.told.emit(Diagnosed(400, "vae", Diagnosis(), ()))
    assert dock.health.text() == ""
    dock.runner.told.emit(Diagnosed(1600, "vae", HEALTHY, ()))
    assert "At step 1,600:</b> Generated images are near to 54% of the unseen real ones" in dock.health.text()
    assert "from coarse to fine: 40%, 90%, 90%, 100%" in dock.health.text()
    assert WARNING not in dock.health.text()
    for words in ("Near to", "Variety", "Distance to training images", "discriminator", "Latents in use", "What is done"):
        assert words in dock.health.toolTip()


def test_what_is_wrong_stands_first_with_its_repair_until_the_summary_tells_it(driver: Driver) -> None:
    dock = driver.open()
    repair = f"{ILL.findings[0].sentence}: training goes back to step 2,800."
    dock.runner.told.emit(Diagnosed(3600, "adversarial", ILL, (repair,)))
    dock.runner.told.emit(Warned(repair))
    watched = "Latent level 1 of 2 tells nothing of the images: this is watched."
    for sentence in (repair, watched):
        assert f"<span style='color: {WARNING}'>⚠ {sentence}</span>" in dock.health.text()
        assert dock.health.text().count(sentence) == 1
        assert dock.health.text().index(sentence) < dock.health.text().index("near to 20%")
    end = Finished(3600, 60.0, False, {})
    dock.runner.told.emit(end)
    dock.summary.show_end(end, driver.model)
    assert (repair in dock.summary.text(), repair in dock.health.text()) == (True, False)
    assert watched in dock.health.text()
    assert "near to 20%" in dock.health.text()


def test_the_place_for_the_diagnosis_is_kept_from_the_start(driver: Driver) -> None:
    dock = driver.begin(LONG)
    before = dock.health.minimumHeight()
    dock.runner.told.emit(Diagnosed(1600, "vae", HEALTHY, ()))
    assert 0 < dock.health.heightForWidth(290) <= before == dock.health.minimumHeight()


def test_a_new_training_forgets_the_diagnosis_of_the_one_before(driver: Driver) -> None:
    dock = driver.prepare(LONG)
    dock.runner.told.emit(Diagnosed(1600, "vae", HEALTHY, ()))
    dock.press_run()
    assert dock.health.text() == ""
    assert not dock.health.isHidden()


def test_every_control_has_a_tooltip(driver: Driver) -> None:
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

    dock = driver.open()
    for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit):
        for control in dock.findChildren(kind):
            parents = (control, control.parent())
            assert any(widget.toolTip() for widget in parents), (control, control.objectName())


def test_what_was_used_last_is_remembered(driver: Driver) -> None:
    dock = driver.prepare(None, minutes=7.5)
    dock.press_run()
    driver.until(lambda: bool(dock.curves.series))
    dock.runner.stop()
    driver.finish()
    again = driver.open()
    assert again.source.folder.path == driver.images
    assert (again.settings.value().preset, again.settings.value().minutes) == ("tiny", 7.5)


def test_the_dock_can_be_as_narrow_as_300_pixels(driver: Driver) -> None:
    dock = driver.prepare(5)
    dock.settings.more.expand(animate=False)
    dock.settings.expert.expand(animate=False)
    assert dock.minimumSizeHint().width() <= 300
    assert dock.form_widget.minimumSizeHint().width() <= 300
