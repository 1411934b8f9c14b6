"""The file that a run is working on: its name, its number, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from qtpy.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

_TICKS = 1000
_BAR_HEIGHT = 6


@dataclass(frozen=True)
class FileStarted:
    """A file is begun: the one of this number, counted from 1, of so many."""

    path: Path
    number: int
    total: int


class FileAtHand(QWidget):
    """A line and a thin bar, that are there only while a file is worked on."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._file: FileStarted | None = None
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, _TICKS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(_BAR_HEIGHT)
        self.setToolTip("The image that is being restored.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._label)
        layout.addWidget(self._bar)
        self.show_none()

    @property
    def text(self) -> str:
        """The line."""
        return self._label.text()

    @property
    def share(self) -> float:
        """How much of the file is done."""
        return self._bar.value() / _TICKS

    def show_file(self, file: FileStarted) -> None:
        """Show that a file is begun."""
        self._file = file
        self._label.setText(f"{file.path.name}, {file.number} of {file.total}")
        self._bar.setValue(0)
        self.setVisible(True)

    def show_progress(self, share: float) -> None:
        """Show how far the file is, by the share of the whole run, to which every file counts the same."""
        if self._file is not None:
            own = share * self._file.total - (self._file.number - 1)
            self._bar.setValue(round(float(np.clip(own, 0, 1)) * _TICKS))

    def show_none(self) -> None:
        """Disappear."""
        self._file = None
        self.setVisible(False)
