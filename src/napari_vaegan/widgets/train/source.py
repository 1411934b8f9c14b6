"""What a training learns from: a folder, or layers that are selected in the viewer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image as ImageLayer
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QLabel, QStackedWidget, QVBoxLayout, QWidget

from napari_vaegan.config import TrainingConfig
from napari_vaegan.errors import VaeganError
from napari_vaegan.images.image import Image
from napari_vaegan.widgets.layer_chooser import OWN
from napari_vaegan.widgets.layer_image import axes_of, image_of
from napari_vaegan.widgets.path_field import PathField

if TYPE_CHECKING:
    import napari

Source = Path | list[Image]
"""As ``library.train`` takes it."""


class SourceChooser(QWidget):
    """Chooses a folder, or follows the selection of image layers.

    Parameters
    ----------
    viewer
        Whose layers can be used.
    parent
        The dock.
    """

    changed = Signal()

    def __init__(self, viewer: napari.Viewer, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.kind = QComboBox(self)
        self.kind.addItems(["A folder", "Selected layers"])
        self.kind.setToolTip(
            "Learn from the images of a folder and its sub-folders, or from the image layers selected in the viewer."
        )
        self.folder = PathField("A folder of TIFF, PNG or JPEG images; sub-folders count.", "training folder", self)
        self.selection = QLabel(self)
        self.selection.setWordWrap(True)
        self.selection.setToolTip("Select others in the list of layers, with Ctrl or Shift several.")
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.folder)
        self._pages.addWidget(self.selection)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.kind)
        layout.addWidget(self._pages)
        self.kind.currentIndexChanged.connect(self._pages.setCurrentIndex)
        self.kind.currentIndexChanged.connect(lambda index: self.changed.emit())
        self.folder.changed.connect(self.changed)
        viewer.layers.selection.events.changed.connect(self._follow)
        self._describe_layers()

    @property
    def uses_layers(self) -> bool:
        """Whether the selected layers are the source."""
        return self.kind.currentIndex() == 1

    @property
    def layers(self) -> tuple[ImageLayer, ...]:
        """The image layers that are selected, in the order of the viewer; previews are none."""
        return tuple(
            layer
            for layer in self._viewer.layers
            if layer in self._viewer.layers.selection
            and isinstance(layer, ImageLayer)
            and not layer.metadata.get(OWN, {}).get("preview")
        )

    @property
    def name(self) -> str:
        """What messages and the model are called after."""
        if not self.uses_layers:
            return self.folder.path.resolve().name if self.folder.path else ""
        layers = self.layers
        return layers[0].name if len(layers) == 1 else f"{len(layers)} layers"

    def hindrance(self) -> str:
        """Return why there is nothing to learn from; empty if there is."""
        if self.uses_layers:
            return "" if self.layers else "No image layer is selected: select those to learn from in the list of layers."
        path = self.folder.path
        if path is None:
            return "There is no folder yet: choose one with images to learn from, or take selected layers."
        return "" if path.is_dir() else f"{path} is not a folder: choose one with images."

    def take(self, config: TrainingConfig) -> Source:
        """Return the folder, or the selected layers as images that stay even if the layers are deleted.

        Raises
        ------
        ShapeError
            If the axes given do not fit a layer.
        """
        if self.uses_layers:
            return [image_of(layer, config.axes or axes_of(layer, config.channels).letters) for layer in self.layers]
        assert self.folder.path is not None  # or it would have been a hindrance
        return self.folder.path

    def give(self, origin: tuple[str, ...]) -> None:
        """Choose where the images of an earlier training came from: its folder, or layers of the same names."""
        if len(origin) == 1 and Path(origin[0]).is_absolute():
            self.folder.give(Path(origin[0]))
            self.kind.setCurrentIndex(0)
            return
        self.kind.setCurrentIndex(1)
        layers = {layer for layer in self._viewer.layers if isinstance(layer, ImageLayer) and layer.name in origin}
        if layers:
            self._viewer.layers.selection = layers

    def close(self) -> bool:
        """Follow the viewer no longer."""
        self._viewer.layers.selection.events.changed.disconnect(self._follow)
        return bool(super().close())

    def _follow(self, event: object = None) -> None:
        if not isalive(self):  # napari's events outlive the window
            return
        before = self.selection.text()
        self._describe_layers()
        if self.uses_layers and self.selection.text() != before:
            self.changed.emit()

    def _describe_layers(self) -> None:
        self.selection.setText("\n".join(map(_describe, self.layers)) or "No image layer is selected.")


def _describe(layer: ImageLayer) -> str:
    try:
        axes = axes_of(layer)
    except VaeganError as error:
        return f"{layer.name}: {error}"
    return f"{layer.name} ({axes.letters}{', a guess' if axes.guessed else ''})"
