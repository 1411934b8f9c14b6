"""The dock Restore folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton

from napari_vaegan.errors import VaeganError
from napari_vaegan.images.axes import check_axes
from napari_vaegan.images.image import Image
from napari_vaegan.images.reading import read_image
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.dock import Dock
from napari_vaegan.widgets.file_at_hand import FileAtHand, FileStarted
from napari_vaegan.widgets.file_layer import add_image_file
from napari_vaegan.widgets.files_table import FilesTable
from napari_vaegan.widgets.image_count import ImageCount
from napari_vaegan.widgets.known_models import known_models
from napari_vaegan.widgets.model_chooser import ModelChooser
from napari_vaegan.widgets.path_field import PathField
from napari_vaegan.widgets.python_call import call, load_line, script
from napari_vaegan.widgets.quality_chooser import QualityChooser
from napari_vaegan.widgets.realism_slider import RealismSlider
from napari_vaegan.widgets.remembered import recall_list, remember
from napari_vaegan.widgets.runner import Runner
from napari_vaegan.widgets.spin_box import spin_box
from napari_vaegan.widgets.strength_slider import StrengthSlider

if TYPE_CHECKING:
    import napari

    from napari_vaegan.batch import FileDone, FolderSummary

_TASKS = ("denoise", "super-resolve", "inpaint", "match-style")
_REMEMBERED = "restored folders"


class RestoreFolder(Dock):
    """Restores every image of a folder into another folder, and says what became of each."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "Restore folder")
        self._add_folders()
        self._add_task()
        self._add_outputs()
        self._add_below()
        self.found = ImageCount(self)
        self.found.changed.connect(self.refresh)
        self.opener = Runner(self, shown=False, computes=False)
        self.opener.returned.connect(self._add_layer)
        self.opener.failed.connect(self.message.fail)
        self.runner.told.connect(self._take)
        self.runner.progressed.connect(self.at_hand.show_progress)
        self.runner.returned.connect(self._show)
        self.runner.changed.connect(self._show_end)
        self.runner.failed.connect(lambda failure: self.found.again())
        self.model.chosen_changed.connect(self._model_changed)
        self.task.currentIndexChanged.connect(self._task_changed)
        for field in (self.source, self.destination, self.masks):
            field.changed.connect(self._folders_changed)
        self.style_path.changed.connect(self.refresh)
        self.axes.textChanged.connect(self.refresh)
        self._model_changed()
        self._recall()
        self._folders_changed()

    @property
    def output(self) -> Path | None:
        """Where the results go: the folder that is given, or else one beside the input."""
        source = self.source.path
        return self.destination.path or (default_output(source) if source else None)

    @property
    def chosen_task(self) -> str:
        """As the library calls it; empty if there is no model."""
        return str(self.task.currentData() or "")

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that the library's call takes by name."""
        settings: dict[str, Any] = {"task": self.chosen_task}
        if self.chosen_task == "super-resolve":
            settings["factor"] = self.factor.currentData()
        if self.chosen_task == "inpaint":
            settings["mask"] = str(self.masks.path)
        if self.chosen_task == "match-style":
            settings["style"] = str(self.style_path.path) if self.style_path.path else None
            settings["strength"] = self.strength.strength
            if self.one_change.isChecked():
                settings["one_change"] = True
        settings["seed"] = self.seed.value()
        if self.axes.text().strip():
            settings["axes"] = self.axes.text().strip().upper()
        if self.overwrite.isChecked():
            settings["overwrite"] = True
        return settings if self.chosen_task == "match-style" else settings | self._settings_of_estimates()

    def _settings_of_estimates(self) -> dict[str, Any]:
        """Return what only tasks take that estimate what is not known."""
        settings: dict[str, Any] = dict(self.quality.settings)
        if self.dial.realism > 0:
            settings["realism"] = self.dial.realism
        if self.write_std.isChecked():
            settings["write_std"] = True
        if self.write_samples.isChecked():
            settings |= {"samples": self.samples.value(), "write_samples": True}
        return settings

    def hindrance(self) -> str:
        """Return why the folder cannot be restored now."""
        model = self.model.chosen
        if model is None:
            return "There is no model: train one in the dock Train, or open a file."
        if self.source.path is None:
            return "There is no input folder: choose one."
        if self.chosen_task == "inpaint" and self.masks.path is None:
            return "Inpainting needs masks: choose a mask file, or a folder of masks of the images' names."
        if self.chosen_task == "match-style" and self.style_path.path is not None and not self.style_path.path.exists():
            return f"There is nothing at {self.style_path.path}: choose images or a model whose look is wanted."
        return self._fault_of_images() or self._fault_of_axes()

    def refresh(self) -> None:
        """Bring up to date what is possible, and how many images were found."""
        super().refresh()
        self.count_label.setText("" if self.found.count is None else f"{_images(self.found.count)} found.")

    def run(self) -> None:
        """Restore the folder."""
        known, source, destination, settings = self.model.chosen, self.source.path, self.output, self.settings
        assert known is not None
        assert source is not None
        assert destination is not None  # or it would have been a hindrance
        remember(_REMEMBERED, [str(source), str(self.destination.path or "")])
        self.table.clear(source)

        def work(control: Control) -> FolderSummary:
            from napari_vaegan.batch import restore_folder

            return restore_folder(
                known_models.open(known),
                source,
                destination,
                **settings,
                on_file_started=lambda *started: control.tell(FileStarted(*started)),
                on_file=control.tell,
                on_progress=control.tell,
                stop=control.stopping,
            )

        self.runner.start(f"Restoring {source.name}", work)

    def copy_as_python(self) -> None:
        """Put the same as a Python call into the clipboard."""
        hindrance = self.hindrance()
        if hindrance:
            self.message.warn(hindrance)
            return
        folders = (repr(str(self.source.path)), repr(str(self.output)))
        restored = f"summary = {call('nv.restore_folder', ('model', *folders), self.settings)}"
        QGuiApplication.clipboard().setText(script(load_line(self.model.chosen.path), restored, "print(summary)"))
        self.message.say("Copied: paste it into napari's console or a script.")

    def open_result(self, file: FileDone) -> None:
        """Open what a file was restored to, in the viewer."""
        if file.status == "failed":
            self.message.warn(file.reason)
            return
        self.opener.start(f"Opening {file.output.name}", lambda control: read_image(file.output))

    def close_dock(self) -> None:
        """Leave the run, the counting and the opening."""
        super().close_dock()
        self.found.leave()
        self.opener.leave()

    def _add_folders(self) -> None:
        images = "The images to restore, with those in sub-folders; they stay as they are."
        self.source = PathField(images, "input folder", self)
        results = "Where the restored images go, under the same names; a folder beside the input if left empty."
        self.destination = PathField(results, "output folder", self)
        self.count_label = QLabel(self)
        self.form.addRow("Input", self.source)
        self.form.addRow("", self.count_label)
        self.form.addRow("Output", self.destination)

    def _add_task(self) -> None:
        self.model = ModelChooser(self.message, self)
        self.task = QComboBox(self)
        self.task.setToolTip("What to do with every image: the tasks that the model was trained for.")
        self.factor = QComboBox(self)
        for factor in (2, 3, 4):
            self.factor.addItem(f"× {factor}", factor)
        self.factor.setToolTip("How many times finer Y and X become.")
        self.masks = PathField(
            "Above 0 where a pixel is missing: a file for all images, or a folder with a mask of the same name for each.",
            "mask folder",
            self,
            files=True,
        )
        self.style_path = PathField(
            "Whose look the images get: an image, a folder of images, a model; the model's training folder if left empty.",
            "style folder",
            self,
            files=True,
        )
        self.style_path.line.setPlaceholderText("the training folder")
        self.strength = StrengthSlider(self)
        self.one_change = QCheckBox("one for all images", self)
        self.one_change.setToolTip("Images of one slide or laboratory: one change, found from all of them; or one each.")
        self.axes = QLineEdit(self)
        self.axes.setPlaceholderText("as the files say")
        self.axes.setToolTip("Axes of every image, such as TYX, where the files do not say; guessed if left empty.")
        self.form.addRow("Model", self.model)
        self.form.addRow("Task", self.task)
        self.form.addRow("Factor", self.factor)
        self.form.addRow("Masks", self.masks)
        self.form.addRow("Look of", self.style_path)
        self.form.addRow("Strength", self.strength)
        self.form.addRow("Change", self.one_change)
        self.form.addRow("Axes", self.axes)
        self.quality = QualityChooser(self)
        self.form.addRow("Quality", self.quality)

    def _add_outputs(self) -> None:
        self.write_std = QCheckBox("standard deviation", self)
        self.write_std.setToolTip("Also write the calibrated standard deviation, as name.std.tif.")
        self.write_samples = QCheckBox("samples", self)
        self.write_samples.setToolTip("Also write possible truths as one stack, name.samples.tif.")
        self.samples = spin_box(1, 8, 64, "How many possible truths to draw for each image.")
        self.samples.setEnabled(False)
        self.write_samples.toggled.connect(self.samples.setEnabled)
        self.drawn = QHBoxLayout()
        self.drawn.addWidget(self.write_samples)
        self.drawn.addWidget(self.samples, 1)
        self.overwrite = QCheckBox("replace what is there", self)
        self.overwrite.setToolTip(
            "Restore every image anew. If not, images that are done already are skipped: a run goes on where it stopped."
        )
        self.seed = spin_box(0, 0, 2**31 - 1, "The same seed draws the same samples.")
        self.dial = RealismSlider(self)
        self.form.addRow("Realism", self.dial)
        self.form.addRow("Also write", self.write_std)
        self.form.addRow("", self.drawn)
        self.form.addRow("Seed", self.seed)
        self.form.addRow("Overwrite", self.overwrite)

    def _add_below(self) -> None:
        self.table = FilesTable(self)
        self.table.opened.connect(self.open_result)
        self.at_hand = FileAtHand(self)
        self.copy_button = QPushButton("Copy as Python", self)
        self.copy_button.setToolTip("Copy the call that does the same, for napari's console or a script.")
        self.copy_button.clicked.connect(self.copy_as_python)
        self.below_form.addWidget(self.at_hand)
        self.below_form.addWidget(self.table)
        self.below_form.addWidget(self.copy_button)

    def _recall(self) -> None:
        """Fill in the folders of the last run, so that it can go on."""
        folders = recall_list(_REMEMBERED)
        self._recalled = tuple(Path(name) if name else None for name in folders) if len(folders) == 2 else (None, None)
        for field, path in zip((self.source, self.destination), self._recalled, strict=True):
            field.give(path)

    def _folders_changed(self) -> None:
        source, destination = self._recalled
        if self.source.path != source and destination is not None:
            # What was written there came from another folder: its files would pass for images that are done.
            self._recalled = (source, None)
            if self.destination.path == destination:
                self.destination.give(None)
        output = default_output(self.source.path).name if self.source.path else "beside the input"
        self.destination.line.setPlaceholderText(output)
        self.found.of(self.source.path, [path for path in (self.output, self.masks.path) if path])
        self.refresh()

    def _model_changed(self) -> None:
        """Offer the tasks of the chosen model, and keep the task if it is among them."""
        before, model = self.chosen_task, self.model.chosen
        self.task.blockSignals(True)
        self.task.clear()
        for task in _TASKS:
            if model is not None and model.does(task):
                self.task.addItem(task.capitalize(), task)
        self.task.setCurrentIndex(max(self.task.findData(before), 0))
        self.task.blockSignals(False)
        self._task_changed()

    def _task_changed(self) -> None:
        self.form.setRowVisible(self.factor, self.chosen_task == "super-resolve")
        self.form.setRowVisible(self.masks, self.chosen_task == "inpaint")
        matching = self.chosen_task == "match-style"
        self.form.setRowVisible(self.style_path, matching)
        self.form.setRowVisible(self.strength, matching)
        self.form.setRowVisible(self.one_change, matching)
        self.form.setRowVisible(self.quality, not matching)
        self.form.setRowVisible(self.dial, not matching)
        self.form.setRowVisible(self.write_std, not matching)
        self.form.setRowVisible(self.drawn, not matching)
        self.refresh()

    def _fault_of_images(self) -> str:
        if self.found.count == 0:
            return f"There are no images in {self.source.path}: put TIFF, PNG or JPEG files there."
        return self.found.fault

    def _fault_of_axes(self) -> str:
        axes = self.axes.text().strip()
        try:
            if axes:
                check_axes(axes, [1] * len(axes))
        except VaeganError as error:
            return str(error)
        return ""

    def _take(self, message: FileStarted | FileDone) -> None:
        if isinstance(message, FileStarted):
            self.at_hand.show_file(message)
        else:
            self.table.add(message)

    def _show_end(self) -> None:
        if not self.runner.busy:
            self.at_hand.show_none()

    def _show(self, summary: FolderSummary) -> None:
        self.found.again()
        said = describe(summary)
        if summary.failed or summary.stopped:
            self.message.warn(said)
        else:
            self.message.say(said)

    def _add_layer(self, image: Image) -> None:
        add_image_file(self.viewer, image)


def default_output(source: Path) -> Path:
    """Return the folder beside the input that is proposed for its results."""
    return source.parent / f"{source.name}-restored"


def describe(summary: FolderSummary) -> str:
    """Say in one sentence what became of a folder."""
    parts = [f"{_images(len(summary.restored))} restored"]
    if summary.skipped:
        parts.append(f"{len(summary.skipped)} skipped, as they were done already")
    if summary.failed:
        parts.append(f"{len(summary.failed)} failed, for the reasons in the table")
    said = ", ".join(parts)
    return f"Stopped: {said}; run it again to go on with the rest." if summary.stopped else f"{said}."


def _images(number: int) -> str:
    return f"{number} image{'' if number == 1 else 's'}"
