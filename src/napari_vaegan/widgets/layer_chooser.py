"""A list of the viewer's layers of some kinds, that follows the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

if TYPE_CHECKING:
    import napari

OWN = "napari-vaegan"
"""Key of what we write into a layer's metadata."""


class LayerChooser(QComboBox):
    """Chooses one of the viewer's layers.

    Parameters
    ----------
    viewer
        Whose layers are listed, the topmost first; the one that is active there when the list is made is chosen.
    kinds
        Classes of layers to list.
    tooltip
        What the layer is for.
    parent
        The dock.
    """

    chosen_changed = Signal()

    def __init__(self, viewer: napari.Viewer, kinds: tuple[type[Layer], ...], tooltip: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._kinds = kinds
        self.setToolTip(tooltip)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(self._follow)
        self._follow()
        self.choose(viewer.layers.selection.active)
        self.currentIndexChanged.connect(lambda index: self.chosen_changed.emit())

    @property
    def chosen(self) -> Any:
        """The layer; None if there is none."""
        return self.currentData()

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer, if it is in the list."""
        for index in range(self.count()):
            if self.itemData(index) == layer:  # napari gives docks proxies, each of them a new one
                self.setCurrentIndex(index)

    def _follow(self, event: object = None) -> None:
        if not isalive(self):  # napari's events outlive the window
            return
        before = self.chosen
        self.blockSignals(True)
        self.clear()
        for layer in reversed(self._viewer.layers):
            if isinstance(layer, self._kinds) and not layer.metadata.get(OWN, {}).get("preview"):
                self.addItem(layer.name, layer)
        self.choose(before)
        self.blockSignals(False)
        if self.chosen is not before:
            self.chosen_changed.emit()
