"""The dock Super-resolve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox

from napari_vaegan.widgets.restoration_dock import RestorationDock

if TYPE_CHECKING:
    import napari


class SuperResolve(RestorationDock):
    """Refines the grid of a layer; the result lies exactly over its source."""

    task = "super-resolve"
    function = "super_resolve"
    doing = "Super-resolving"
    done = "super-resolved"

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)

    def add_rows(self) -> None:
        """Add the factor."""
        self.factor_chooser = QComboBox(self)
        for factor in (2, 3, 4):
            self.factor_chooser.addItem(f"× {factor}", factor)
        self.factor_chooser.setToolTip("How many times finer Y and X become.")
        self.form.addRow("Factor", self.factor_chooser)

    @property
    def factor(self) -> int:
        """How many times finer the result is."""
        return int(self.factor_chooser.currentData())

    def own_settings(self) -> dict[str, Any]:
        """Return the factor."""
        return {"factor": self.factor}
