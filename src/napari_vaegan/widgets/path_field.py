"""A field for a folder or file: typed, dropped or browsed for."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMenu, QPushButton, QWidget

from napari_vaegan.widgets.remembered import recall, remember


class _DropLine(QLineEdit):
    """A line that takes the path of a file that is dropped on it, instead of its URL."""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Accept what comes from a file manager."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Take the path of the first file."""
        urls = event.mimeData().urls()
        if urls and urls[0].isLocalFile():
            self.setText(urls[0].toLocalFile())
            event.acceptProposedAction()
        else:
            super().dropEvent(event)


class PathField(QWidget):
    """A line with a button to browse.

    Parameters
    ----------
    tooltip
        What the folder is for.
    remembered_as
        Under which name the place to browse next time is remembered.
    parent
        The dock.
    files
        Whether a file may be given as well.
    """

    changed = Signal()

    def __init__(self, tooltip: str, remembered_as: str, parent: QWidget, files: bool = False) -> None:
        super().__init__(parent)
        self._remembered_as = remembered_as
        self.line = _DropLine(self)
        self.line.setToolTip(tooltip)
        self.line.textChanged.connect(self.changed)
        self.browse_button = QPushButton("Browse…", self)
        self.browse_button.setToolTip("Choose it in a window.")
        if files:
            menu = QMenu(self.browse_button)
            menu.addAction("A file…", self.browse_file)
            menu.addAction("A folder…", self.browse_folder)
            self.browse_button.setMenu(menu)
        else:
            self.browse_button.clicked.connect(self.browse_folder)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.browse_button)

    @property
    def path(self) -> Path | None:
        """What is given, as an absolute path; None if nothing is."""
        text = self.line.text().strip()
        return Path(text).expanduser().absolute() if text else None

    def give(self, path: Path | None) -> None:
        """Fill in a path, or clear the field."""
        self.line.setText(str(path) if path else "")

    def browse_folder(self) -> None:
        """Let the user choose a folder."""
        self._take(QFileDialog.getExistingDirectory(self, "Choose a folder", self._start()))

    def browse_file(self) -> None:
        """Let the user choose a file."""
        images = "Images (*.tif *.tiff *.png *.jpg *.jpeg);;All files (*)"
        self._take(QFileDialog.getOpenFileName(self, "Choose a file", self._start(), images)[0])

    def _start(self) -> str:
        return str(self.path or recall(self._remembered_as))

    def _take(self, name: str) -> None:
        if name:
            remember(self._remembered_as, str(Path(name).parent))
            self.give(Path(name))
