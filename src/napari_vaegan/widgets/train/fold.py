"""A section of a dock that is folded away until its title is clicked."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import QWidget
from superqt import QCollapsible


class Fold(QCollapsible):
    """A title that shows or hides what lies below it.

    Its arrow is part of the text: superqt draws it in the palette's colour, which is not that of napari's theme.

    Parameters
    ----------
    title
        Of the section.
    tooltip
        What is in it.
    parent
        The dock.
    """

    def __init__(self, title: str, tooltip: str, parent: QWidget) -> None:
        nothing = QPixmap(1, 1)  # an empty icon would be taken for none given on PySide6
        nothing.fill(Qt.GlobalColor.transparent)
        super().__init__(title, parent, QIcon(nothing), QIcon(nothing))
        self.toggleButton().setIconSize(QSize(0, 0))
        self.setDuration(150)
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.toggleButton().setStyleSheet("text-align: left; border: none; background: transparent; font-weight: bold;")
        self.toggleButton().setToolTip(tooltip)
        self.toggled.connect(self._draw_arrow)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Give it another title."""
        self._title = title
        self._draw_arrow()

    def _draw_arrow(self) -> None:
        self.setText(f"{'▾' if self.isExpanded() else '▸'} {self._title}")
