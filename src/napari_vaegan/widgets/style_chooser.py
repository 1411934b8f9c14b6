"""Where a look comes from: the training folder, a layer, or images or a model on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_vaegan.widgets.layer_chooser import LayerChooser
from napari_vaegan.widgets.layer_image import pixels_of
from napari_vaegan.widgets.path_field import PathField

if TYPE_CHECKING:
    import napari

TRAINING, LAYER, DISK = "the training folder", "a layer", "images or a model on disk"


class StyleChooser(QWidget):
    """Chooses the references.

    Parameters
    ----------
    viewer
        Whose layers may serve as references.
    parent
        The dock.
    """

    changed = Signal()

    def __init__(self, viewer: napari.Viewer, parent: QWidget) -> None:
        super().__init__(parent)
        self.kind = QComboBox(self)
        self.kind.addItems([TRAINING, LAYER, DISK])
        self.kind.setToolTip("Whose look the image gets; all references count, not one of them.")
        self.layer = LayerChooser(viewer, (ImageLayer,), "The layer whose look is taken.", self)
        tooltip = "An image, a folder of images, or a model file (.vaegan) whose training folder's look is taken."
        self.path = PathField(tooltip, "style folder", self, files=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.kind, self.layer, self.path):
            layout.addWidget(widget)
        self.kind.currentTextChanged.connect(self._show_kind)
        self.layer.chosen_changed.connect(self.changed)
        self.path.changed.connect(self.changed)
        self._show_kind()

    @property
    def style_layer(self) -> ImageLayer | None:
        """The layer of references, if it is one."""
        return self.layer.chosen if self.kind.currentText() == LAYER else None

    @property
    def style(self) -> Any:
        """The references as the library takes them."""
        if self.style_layer is not None:
            return pixels_of(self.style_layer)
        return str(self.path.path) if self.kind.currentText() == DISK else None

    @property
    def named(self) -> str | None:
        """The references in words that a record can hold."""
        return f"layer {self.style_layer.name}" if self.style_layer is not None else self.style

    def hindrance(self) -> str:
        """Return why there are no references."""
        if self.kind.currentText() == LAYER and self.layer.chosen is None:
            return "There is no layer to take the look from: open an image, or choose the training folder."
        if self.kind.currentText() == DISK and (self.path.path is None or not self.path.path.exists()):
            return "There are no references: choose an image, a folder of images, or a model file."
        return ""

    def _show_kind(self) -> None:
        self.layer.setVisible(self.kind.currentText() == LAYER)
        self.path.setVisible(self.kind.currentText() == DISK)
        self.changed.emit()
