"""What a change of look is found from: the image at hand, or all images of its slide or laboratory."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_vaegan.widgets.path_field import PathField

IMAGE, LIKE_IT = "this image alone", "images like it on disk"


class SourceChooser(QWidget):
    """Chooses the images that get the same change as the one at hand.

    Parameters
    ----------
    parent
        The dock.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.kind = QComboBox(self)
        self.kind.addItems([IMAGE, LIKE_IT])
        self.kind.setToolTip("Images of one slide or laboratory: found from all of them, the change is the same for each.")
        self.path = PathField("A folder of images that look as this one does.", "source folder", self, files=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.kind)
        layout.addWidget(self.path)
        self.kind.currentTextChanged.connect(self._show_kind)
        self.path.changed.connect(self.changed)
        self._show_kind()

    @property
    def source(self) -> str | None:
        """The images as the library takes them."""
        return str(self.path.path) if self.kind.currentText() == LIKE_IT else None

    def hindrance(self) -> str:
        """Return why there are no images."""
        if self.kind.currentText() == LIKE_IT and (self.path.path is None or not self.path.path.exists()):
            return "There are no images like it: choose a folder of them, or this image alone."
        return ""

    def _show_kind(self) -> None:
        self.path.setVisible(self.kind.currentText() == LIKE_IT)
        self.changed.emit()
