"""What there is to learn from, and what it will take: found out before the start, without being asked."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_vaegan.config import TrainingConfig
from napari_vaegan.durations import in_words
from napari_vaegan.errors import VaeganError
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.failure import Failure
from napari_vaegan.widgets.runner import Runner
from napari_vaegan.widgets.train.fold import Fold
from napari_vaegan.widgets.train.source import Source

if TYPE_CHECKING:
    from napari_vaegan.training_check import TrainingCheck

_PATIENCE_MILLISECONDS = 500
"""A check begins so long after the last change."""

_LISTED = 200
"""So many of the images that were skipped are named."""

_TICKS = 1000

Wish = tuple[Source, TrainingConfig]


class CheckPanel(QWidget):
    """Checks a source and settings in a worker thread whenever they change; the latest wish counts."""

    checked = Signal()
    """There is a new result, or none any more."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.runner = Runner(self, shown=False)
        self.runner.changed.connect(self._check_next)
        self.runner.progressed.connect(self._show_progress)
        self.runner.returned.connect(self._show)
        self.runner.failed.connect(self._fail)
        self.result: TrainingCheck | None = None
        self.problem = ""
        self._wish: Wish | None = None
        self._due = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE_MILLISECONDS)
        self._timer.timeout.connect(self._begin)
        self.progress = QProgressBar(self)
        self.progress.setRange(0, _TICKS)
        self.progress.setFormat("Looking at the images… %p%")
        self.progress.setToolTip("Images are looked at, and a few steps are tried to estimate time and memory.")
        self.found = QLabel(self)
        self.found.setWordWrap(True)
        self.found.setToolTip("What was found, before anything is trained.")
        self.warnings = QLabel(self)
        self.warnings.setWordWrap(True)
        self.warnings.setStyleSheet("color: #e0a030;")
        self.warnings.setToolTip("Training can start all the same.")
        self.skipped = Fold("", "Files that cannot be learned from, and why.", self)
        self.skipped_names = QLabel(self)
        self.skipped_names.setWordWrap(True)
        self.skipped.addWidget(self.skipped_names)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        for widget in (self.progress, self.found, self.warnings, self.skipped):
            layout.addWidget(widget)
        self._clear()

    def ask(self, wish: Wish | None) -> None:
        """Check this soon, and leave what is being checked; None if there is nothing to check."""
        self.stop()
        self._wish = wish
        self._clear()
        if wish is not None:
            self._timer.start()

    def stop(self) -> None:
        """Leave what is being checked, as the training begins."""
        self._timer.stop()
        self._wish, self._due = None, False
        self.runner.stop()

    def leave(self) -> None:
        """End: the dock is closing."""
        self._timer.stop()
        self._due = False
        self.runner.leave()

    def _begin(self) -> None:
        self._due = True
        self._check_next()

    def _check_next(self) -> None:
        """Begin the check that is due, once the one before has ended."""
        self.progress.setVisible(self.runner.busy and not self.runner.stopping)
        if self.runner.busy or not self._due or self._wish is None:
            return
        self._due = False
        source, config = self._wish

        def work(control: Control) -> TrainingCheck | str:
            from napari_vaegan.training_check import check

            try:
                return check(source, config, on_progress=control.progress)
            except VaeganError as error:
                return str(error)

        self.progress.setValue(0)
        self.runner.start("Checking the images", work)

    def _clear(self) -> None:
        self.result, self.problem = None, ""
        for label in (self.found, self.warnings):
            label.setText("")
            label.setVisible(False)
        self.skipped.setVisible(False)
        self.checked.emit()

    def _show(self, result: TrainingCheck | str) -> None:
        if self._wish is None or self._timer.isActive() or self._due:  # it answers an earlier question
            return
        if isinstance(result, str):
            self.problem = result
        else:
            self.result = result
            self.found.setText(_found(result))
            self.warnings.setText("<br>".join(f"⚠ {escape(warning)}" for warning in result.warnings))
            names = [f"{item.name}: {item.reason}" for item in result.skipped]
            more = [f"… and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
            self.skipped_names.setText("\n".join(names[:_LISTED] + more))
            self.skipped.set_title(f"{len(names)} skipped")
            self.found.setVisible(True)
            self.warnings.setVisible(bool(result.warnings))
            self.skipped.setVisible(bool(names))
        self.checked.emit()

    def _show_progress(self, share: float) -> None:
        self.progress.setValue(round(share * _TICKS))

    def _fail(self, failure: Failure) -> None:
        """Say that the check itself failed; training can be tried all the same."""
        self.warnings.setText(failure.sentence)
        self.warnings.setVisible(True)


def _found(result: TrainingCheck) -> str:
    """Say what was found, what it is like, and what training takes, a line each."""
    kind = "colour" if result.colour else f"{result.channels} channel{'' if result.channels == 1 else 's'}"
    axes = ", ".join(result.axes)
    low, high = result.intensities
    return "<br>".join(
        (
            f"<b>{_count(result.images, 'image')}, {_count(result.planes, 'plane')}</b>, {kind}, axes {axes}",
            f"{result.dtype}, {low:g} to {high:g}; {_size(result.smallest)} to {_size(result.largest)} pixels",
            _needs(result),
        )
    )


def _needs(result: TrainingCheck) -> str:
    """Say what training takes of the device."""
    memory = f"{_gigabytes(result.memory_bytes)} of {_gigabytes(result.available_bytes)} GB of memory on {result.device}"
    if result.steps is None or result.seconds is None:
        return f"Needs {memory}"
    return f"About {result.steps:,} steps in {in_words(result.seconds)}; {memory}"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _size(shape: tuple[int, int]) -> str:
    return "×".join(map(str, shape))
