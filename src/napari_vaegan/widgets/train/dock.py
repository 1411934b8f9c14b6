"""The dock Train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEventLoop, QSize
from qtpy.QtWidgets import QApplication, QHBoxLayout, QPushButton

from napari_vaegan.config import TrainingConfig
from napari_vaegan.durations import in_words
from napari_vaegan.errors import SettingError, VaeganError
from napari_vaegan.training.events import Event, Finished, Previewed, Stepped
from napari_vaegan.widgets.dock import WIDTH, Dock
from napari_vaegan.widgets.failure import Failure
from napari_vaegan.widgets.known_models import known_models
from napari_vaegan.widgets.remembered import recall, remember
from napari_vaegan.widgets.train.check_panel import CheckPanel
from napari_vaegan.widgets.train.curves import Curves
from napari_vaegan.widgets.train.health import Health
from napari_vaegan.widgets.train.job import LATEST_WINS, TrainingJob
from napari_vaegan.widgets.train.model_file import ModelFile, checkpoint_of, model_of
from napari_vaegan.widgets.train.preview import Preview
from napari_vaegan.widgets.train.report_button import ReportButton
from napari_vaegan.widgets.train.resume import Resume, note_begin, note_end
from napari_vaegan.widgets.train.settings_form import SettingsForm
from napari_vaegan.widgets.train.source import SourceChooser
from napari_vaegan.widgets.train.status import Status
from napari_vaegan.widgets.train.summary import Summary

if TYPE_CHECKING:
    import napari

    from napari_vaegan.training.checkpoint import CheckpointSummary


class Train(Dock):
    """Learns from a folder or layers; shows how it goes, and chooses the model in all docks when it has finished.

    Parameters
    ----------
    napari_viewer
        Whose layers can be learned from, and where the preview is shown.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "Train")
        self._job: TrainingJob | None = None
        self._resumed: CheckpointSummary | None = None
        self._step: Stepped | None = None
        self._add_form()
        self._add_results()
        self._add_buttons()
        self._recall()
        self.source.changed.connect(self._changed)
        self.settings.changed.connect(self._changed)
        self.model_file.changed.connect(self.refresh)
        self.check.checked.connect(self.refresh)
        self.resume.chosen.connect(self.go_on_with)
        self.resume.failed.connect(self.message.fail)
        self.resume.runner.changed.connect(self.refresh)
        self.runner.told.connect(self._told)
        self.runner.returned.connect(self._finished)
        self.runner.failed.connect(self._interrupted)
        self.runner.stopped.connect(self._interrupted)
        self._changed()
        self.resume.recall()

    def hindrance(self) -> str:
        """Return why training cannot start now."""
        hindrance = self.source.hindrance()
        if hindrance:
            return hindrance
        try:
            self.source.take(self.settings.value())
        except VaeganError as error:
            return str(error)
        return self.model_file.hindrance(self.resuming) or self.check.problem

    @property
    def resuming(self) -> bool:
        """Whether the training would go on from a checkpoint: one was opened, and the model's file is still the same."""
        return self._resumed is not None and self.model_file.path == model_of(self._resumed.path)

    def run(self) -> None:
        """Train."""
        config, model = self.settings.value(), self.model_file.path
        assert model is not None  # or it would have been a hindrance
        self.check.stop()
        self._remember(config)
        self._job = TrainingJob(self.source.take(config), config, model, self.resuming)
        note_begin(checkpoint_of(model))
        self._step = None
        for part in self.parts:
            part.begin()
        self.preview.begin(self.check.result.channels if self.check.result else 1)
        self._draw_first()
        self.runner.start(f"Training on {self.source.name}", self._job, LATEST_WINS)

    def _draw_first(self) -> None:
        """Draw the empty curves and the empty preview before the training begins, not in its first moments."""
        self._show_parts(busy=True)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)

    def go_on_with(self, checkpoint: CheckpointSummary) -> None:
        """Resume an interrupted training, if its images are there; say what is missing if not."""
        if self.runner.busy:
            return
        self._resumed = checkpoint
        self.model_file.give(model_of(checkpoint.path))
        self.source.give(checkpoint.source)
        self.settings.set_value(checkpoint.config)
        self.press_run()

    def toggle_pause(self) -> None:
        """Let the training wait, or go on."""
        self.runner.pause(not self.runner.paused)

    def refresh(self) -> None:
        """Bring buttons up to date, and show the form or how the training goes."""
        super().refresh()
        busy, paused = self.runner.busy, self.runner.paused
        self.run_button.setText("Resume" if self.resuming and not busy else "Train")
        if busy:
            self.stop_button.setToolTip("Stop within a second (Esc): the model so far is saved, and Resume goes on later.")
        self.pause_button.setText("Continue" if paused else "Pause")
        self.pause_button.setEnabled(busy and not self.runner.stopping)
        self.pause_button.setToolTip(
            "Nothing is running."
            if not busy
            else "Go on with the training."
            if paused
            else "Let the training wait: its time stands still, and the computer is free."
        )
        self.resume_button.setEnabled(not busy)
        self.resume_button.setToolTip("A training is running." if busy else "Open a checkpoint and go on with its training.")
        self.preview_button.setEnabled(self.preview.available)
        self.preview_button.setToolTip(
            "Look at the preview in the viewer; brings it back if it was deleted."
            if self.preview.available
            else "There is no preview yet: the first comes some seconds after training began."
        )
        self.report_button.refresh()
        self.resume.setEnabled(not busy)
        self._show_parts(busy)

    def _show_parts(self, busy: bool) -> None:
        """Show the form, or how the training goes."""
        for part in (self.form_widget, self.check):
            part.setVisible(not busy)
        self.status.setVisible(busy)
        for part in (self.curves, self.health):
            part.setVisible(busy or self._step is not None)

    def show_progress(self, share: float) -> None:
        """Show the share that is done, and the time left as the training itself estimates it."""
        super().show_progress(share)
        if self._step is not None:
            self.progress_bar.setFormat(f"{share:.0%}, {in_words(self._step.seconds_left)} left")

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that napari gives the dock at first."""
        return QSize(WIDTH + 40, 720)

    def close_dock(self) -> None:
        """Leave the training, which writes its checkpoint, and everything else."""
        super().close_dock()
        self.check.leave()
        self.resume.runner.leave()

    def _add_form(self) -> None:
        self.resume = Resume(self)
        self.source = SourceChooser(self.viewer, self)
        self.settings = SettingsForm(self)
        self.model_file = ModelFile(self)
        self.check = CheckPanel(self)
        self.form.addRow("Learn from", self.source)
        self.form.addRow(self.settings)
        self.form.addRow("Model", self.model_file)

    def _add_results(self) -> None:
        self.status = Status(self)
        self.summary = Summary(self)
        self.curves = Curves(self.viewer, self)
        self.health = Health(self)
        self.parts = (self.status, self.summary, self.curves, self.health)
        self.preview = Preview(self.viewer)
        for index, part in enumerate((self.resume, *self.parts)):
            self.above_form.insertWidget(index, part)
        self.below_form.addWidget(self.check)

    def _add_buttons(self) -> None:
        self.pause_button = QPushButton("Pause", self)
        self.pause_button.clicked.connect(self.toggle_pause)
        self.buttons.insertWidget(1, self.pause_button, 1)
        self.resume_button = QPushButton("Resume…", self)
        self.resume_button.clicked.connect(self.resume.ask)
        self.preview_button = QPushButton("Show preview", self)
        self.preview_button.clicked.connect(self.preview.reveal)
        self.report_button = ReportButton(self)
        row = QHBoxLayout()
        for button in (self.resume_button, self.preview_button):
            row.addWidget(button)
        self.layout().insertLayout(self.layout().indexOf(self.progress_bar), row)
        self.layout().insertWidget(self.layout().indexOf(self.progress_bar), self.report_button)

    def _recall(self) -> None:
        """Fill in what was used last; without a folder, what is selected in the viewer is the best guess."""
        folder = recall("training images")
        if folder and Path(folder).is_dir():
            self.source.folder.give(Path(folder))
        elif self.source.layers:
            self.source.kind.setCurrentIndex(1)
        try:
            self.settings.set_value(TrainingConfig(preset=recall("preset", "small"), minutes=float(recall("minutes", "10"))))
        except (SettingError, ValueError):  # of another version
            self.settings.set_value(TrainingConfig(minutes=10))

    def _remember(self, config: TrainingConfig) -> None:
        if not self.source.uses_layers:
            remember("training images", str(self.source.folder.path))
        remember("preset", config.preset)
        if config.minutes is not None:
            remember("minutes", str(config.minutes))
        remember("model folder", str(self.model_file.path.parent))

    def _changed(self) -> None:
        """Propose a name for the model, and check the source and the settings before anybody asks."""
        if self.runner.busy:
            return
        hindered = bool(self.source.hindrance())
        if not self.resuming:
            folder = None if self.source.uses_layers else self.source.folder.path
            self.model_file.propose(folder, "" if hindered else self.source.name)
        try:
            config = self.settings.value()
            self.check.ask(None if hindered else (self.source.take(config), config))
        except VaeganError:
            self.check.ask(None)
        self.refresh()

    def _told(self, event: Event) -> None:
        if isinstance(event, Stepped):
            self._step = event
        if isinstance(event, Previewed):
            self.preview.show(event)
            self.refresh()
        for part in self.parts:
            part.show_event(event)

    def _finished(self, end: Finished) -> None:
        assert self._job is not None
        model = self._job.model
        try:
            known_models.choose(model)
        except VaeganError as error:  # the file was taken away in this moment
            self.message.warn(str(error))
        self.summary.show_end(end, model)
        if end.stopped:
            self._interrupted()
        else:
            note_end()
            self._settle()

    def _interrupted(self, failure: Failure | None = None) -> None:
        """Offer to go on, if there is a checkpoint."""
        self._settle()
        self.resume.recall()

    def _settle(self) -> None:
        """Be ready for another training, of another name."""
        self._job = self._resumed = None
        self.preview.end()
        self.model_file.release()
        self._changed()
