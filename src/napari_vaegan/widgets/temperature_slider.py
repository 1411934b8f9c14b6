"""The slider for how far generated images stray from the typical one."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

_STEPS_A_UNIT = 20
_LARGEST = 1.5


class TemperatureSlider(QWidget):
    """Chooses a temperature, with its value beside it; it stands at 1, as learned, at first."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, round(_LARGEST * _STEPS_A_UNIT))
        self.slider.setToolTip(
            "How far images stray from the typical one. 1: as learned. Lower: calmer and more alike, with fewer accidents. "
            "Higher: wilder."
        )
        self.label = QLabel(self)
        self.label.setMinimumWidth(self.label.fontMetrics().horizontalAdvance("1.00, as learned"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.label)
        self.slider.valueChanged.connect(self._show)
        self.slider.setValue(_STEPS_A_UNIT)

    @property
    def temperature(self) -> float:
        """Where it stands."""
        return self.slider.value() / _STEPS_A_UNIT

    def _show(self) -> None:
        temperature = self.temperature
        word = "as learned" if temperature == 1 else "calmer" if temperature < 1 else "wilder"
        self.label.setText(f"{temperature:.2f}, {word}")
