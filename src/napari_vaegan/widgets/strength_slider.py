"""A slider from no change to the whole look."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

_STEPS = 100


class StrengthSlider(QWidget):
    """Chooses how much of a change is made, and says it in per cent."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, _STEPS)
        self.slider.setValue(_STEPS)
        self.slider.setToolTip("How much of the look the image gets: left none, right all of it.")
        self.label = QLabel(self)
        self.label.setMinimumWidth(self.label.fontMetrics().horizontalAdvance("100 %"))
        self.label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.label)
        self.slider.valueChanged.connect(self._say)
        self.slider.valueChanged.connect(self.changed)
        self._say()

    @property
    def strength(self) -> float:
        """Between 0 and 1."""
        return self.slider.value() / _STEPS

    def _say(self) -> None:
        self.label.setText(f"{self.slider.value()} %")
