"""The slider from the image of least error to one possible truth."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

_STEPS = 20


class RealismSlider(QWidget):
    """Chooses a realism from 0 to 1, with what both ends mean in plain words."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(
            "Left: the best estimate, smooth where the model is unsure. Right: one possible truth, as sharp as a real "
            "image, of which the details are partly invented. What was measured holds all the way."
        )
        self.slider.valueChanged.connect(self.changed)
        least, most = QLabel("least error", self), QLabel("one possible truth:\nlooks real,\nis partly invented", self)
        most.setAlignment(Qt.AlignmentFlag.AlignRight)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 0, 0, 1, 2)
        layout.addWidget(least, 1, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(most, 1, 1)

    @property
    def realism(self) -> float:
        """Where it stands: 0 for least error, 1 for one possible truth."""
        return self.slider.value() / _STEPS

    def go_to_truth(self) -> None:
        """Go to the right end."""
        self.slider.setValue(_STEPS)

    def reset(self) -> None:
        """Go to least error, and tell nobody."""
        self.slider.blockSignals(True)
        self.slider.setValue(0)
        self.slider.blockSignals(False)
