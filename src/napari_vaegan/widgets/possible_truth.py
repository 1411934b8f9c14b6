"""From the best estimate to one possible truth: a slider, and dice for another sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QSlider, QWidget

from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.layer_chooser import OWN
from napari_vaegan.widgets.results import Provenance
from napari_vaegan.widgets.runner import Runner

if TYPE_CHECKING:
    import napari

    from napari_vaegan.restoration.restoration import Restoration

_STEPS = 20


class PossibleTruth(QWidget):
    """Shows an image between the best estimate and a sample, as a layer of its own: the best estimate is never changed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.runner = Runner(self, shown=False)
        self.runner.returned.connect(self._show)
        self._viewer: napari.Viewer | None = None
        self._result: Restoration | None = None
        self._made: Provenance | None = None
        self._layer: ImageLayer | None = None
        self._wanted: tuple[float, int] | None = None
        self._drawn: tuple[float, int] = (0.0, 0)
        self._sample = 0
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(
            "Left: the best estimate, smooth where the model is unsure. Right: one possible truth, sharp but not certain."
        )
        self.slider.valueChanged.connect(self.draw)
        self.dice_button = QPushButton("⚄", self)
        self.dice_button.setFixedWidth(36)
        self.dice_button.setToolTip("Show another sample.")
        self.dice_button.clicked.connect(self.roll)
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(QLabel("best estimate"), 0, 0)
        layout.addWidget(QLabel("possible truth"), 0, 1, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(self.slider, 1, 0, 1, 2)
        layout.addWidget(self.dice_button, 0, 2, 2, 1)
        layout.addWidget(self.label, 2, 0, 1, 3)
        self._enable("Restore an image with samples first.")

    @property
    def layer(self) -> ImageLayer | None:
        """The layer that shows the possible truth; None before the slider was moved."""
        return self._layer

    def offer(self, viewer: napari.Viewer, result: Restoration, made: Provenance, mean: ImageLayer) -> None:
        """Take a new restoration."""
        self._viewer, self._result, self._made, self._layer = viewer, result, made, None
        self._sample = 0
        self.slider.blockSignals(True)
        self.slider.setValue(0)
        self.slider.blockSignals(False)
        self._enable("" if len(result.samples) else "No samples were drawn: set Samples above 0.")

    def roll(self) -> None:
        """Take the next sample; from the best estimate, go to it at once."""
        assert self._result is not None
        self._sample = (self._sample + 1) % len(self._result.samples)
        if self.slider.value() == 0:
            self.slider.setValue(_STEPS)
        else:
            self.draw()

    def draw(self) -> None:
        """Draw what the slider says, in a worker thread; while one is drawing, only the latest wish counts."""
        self._wanted = (self.slider.value() / _STEPS, self._sample)
        if self.runner.busy or self._result is None:
            return
        result, (realism, sample) = self._result, self._wanted
        self._drawn = self._wanted

        def work(control: Control) -> NDArray[Any]:
            return result.blend(realism, sample)

        self.runner.start("Drawing a possible truth", work)

    def _show(self, image: NDArray[Any]) -> None:
        assert self._viewer is not None
        assert self._made is not None
        realism, sample = self._drawn
        if self._layer is None or self._layer not in self._viewer.layers:
            self._layer = self._add(image)
        else:
            self._layer.data = image
        own = {**self._made.metadata[OWN], "realism": realism, "sample": sample}
        self._layer.metadata = {**self._made.metadata, OWN: own}
        self.label.setText(self._description(realism, sample))
        if self._wanted != self._drawn:
            self.draw()

    def _add(self, image: NDArray[Any]) -> ImageLayer:
        assert self._viewer is not None
        assert self._made is not None
        selected = set(self._viewer.layers.selection)
        layer: ImageLayer = self._viewer.add_image(
            image, name=f"{self._made.name} possible truth", **self._made.look, **self._made.placement
        )
        self._viewer.layers.selection = selected
        return layer

    def _description(self, realism: float, sample: int) -> str:
        assert self._result is not None
        if realism == 0:
            return "The best estimate."
        way = "Sample" if realism == 1 else f"{realism:.0%} of the way to sample"
        return f"{way} {sample + 1} of {len(self._result.samples)}: possible, not certain."

    def _enable(self, hindrance: str) -> None:
        for control in (self.slider, self.dice_button):
            control.setEnabled(not hindrance)
        self.label.setText(hindrance)
