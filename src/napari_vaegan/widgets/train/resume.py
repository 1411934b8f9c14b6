"""Going on with an interrupted training: of this session, or of yesterday's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.failure import Failure
from napari_vaegan.widgets.remembered import recall, remember
from napari_vaegan.widgets.runner import Runner
from napari_vaegan.widgets.train.model_file import CHECKPOINT_SUFFIX

if TYPE_CHECKING:
    from napari_vaegan.training.checkpoint import CheckpointSummary

_MEMORY = "interrupted checkpoint"


def note_begin(checkpoint: Path) -> None:
    """Remember that a training has begun, which may be interrupted."""
    remember(_MEMORY, str(checkpoint))


def note_end() -> None:
    """Remember that the training has come to its end."""
    remember(_MEMORY, "")


class Resume(QWidget):
    """Offers to go on with the last training, if it was interrupted; opens other checkpoints."""

    chosen = Signal(object)
    """The ``CheckpointSummary`` of the training to go on with."""
    failed = Signal(Failure)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.runner = Runner(self, shown=False)
        self.runner.returned.connect(self._show)
        self.runner.failed.connect(self.failed)
        self.runner.changed.connect(self._read_next)
        self._offered: CheckpointSummary | None = None
        self._wanted: tuple[Path, bool] | None = None
        self._at_once = False
        self.offer = QWidget(self)
        self.sentence = QLabel(self.offer)
        self.sentence.setWordWrap(True)
        self.sentence.setToolTip("It goes on where it was, with the same settings.")
        self.resume_button = QPushButton("Resume", self.offer)
        self.resume_button.setToolTip("Go on with this training.")
        self.resume_button.clicked.connect(self.accept)
        self.dismiss_button = QPushButton("Not now", self.offer)
        self.dismiss_button.setToolTip("Hide this; the checkpoint stays, and can be opened with Resume….")
        self.dismiss_button.clicked.connect(self.dismiss)
        row = QHBoxLayout()
        row.addWidget(self.resume_button)
        row.addWidget(self.dismiss_button)
        layout = QVBoxLayout(self.offer)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.sentence)
        layout.addLayout(row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(4, 0, 4, 0)
        outer.addWidget(self.offer)
        self._hide()

    def recall(self) -> None:
        """Offer the last training, if it was interrupted and can be resumed."""
        name = recall(_MEMORY)
        if name and Path(name).exists():
            self._read(Path(name), at_once=False)
        else:
            self._hide()

    def open(self, checkpoint: Path) -> None:
        """Go on with the training of a checkpoint file."""
        self._read(checkpoint, at_once=True)

    def ask(self) -> None:
        """Let the user choose a checkpoint file."""
        kinds = f"Checkpoints (*{CHECKPOINT_SUFFIX});;All files (*)"
        name, _ = QFileDialog.getOpenFileName(self, "Resume a training", recall("model folder"), kinds)
        if name:
            self.open(Path(name))

    def accept(self) -> None:
        """Go on with the training that is offered."""
        summary = self._offered
        self._hide()
        self.chosen.emit(summary)

    def dismiss(self) -> None:
        """Offer it no more."""
        note_end()
        self._hide()

    def _read(self, checkpoint: Path, at_once: bool) -> None:
        """Read a checkpoint in a worker thread; the latest wish counts."""
        self._wanted = (checkpoint, at_once)
        self._read_next()

    def _read_next(self) -> None:
        if self._wanted is None or self.runner.busy:
            return
        (checkpoint, self._at_once), self._wanted = self._wanted, None

        def work(control: Control) -> CheckpointSummary:
            from napari_vaegan.training.checkpoint import describe_checkpoint

            return describe_checkpoint(checkpoint)

        self.runner.start(f"Reading {checkpoint.name}", work)

    def _show(self, summary: CheckpointSummary) -> None:
        if self._at_once:
            self._hide()
            self.chosen.emit(summary)
            return
        self._offered = summary
        self.sentence.setText(_sentence(summary))
        self.setVisible(True)

    def _hide(self) -> None:
        self._offered = None
        self.setVisible(False)


def _sentence(summary: CheckpointSummary) -> str:
    name = Path(summary.source[0]).name if summary.source else summary.path.name.removesuffix(CHECKPOINT_SUFFIX)
    others = f" and {len(summary.source) - 1} more" if len(summary.source) > 1 else ""
    where = f"step {summary.step:,}" if summary.progress is None else f"{summary.progress:.0%}"
    when = f" ({summary.saved_at.astimezone():%d %b, %H:%M})" if summary.saved_at else ""
    return f"A training on {name}{others} was interrupted at {where}{when}."
