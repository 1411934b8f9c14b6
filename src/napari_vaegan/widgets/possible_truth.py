"""From the image of least error to one possible truth: a slider, and dice for another sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from napari_vaegan.restoration.realism import describe_realism
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.layer_chooser import OWN
from napari_vaegan.widgets.realism_slider import RealismSlider
from napari_vaegan.widgets.results import Provenance
from napari_vaegan.widgets.runner import Runner

if TYPE_CHECKING:
    import napari

    from napari_vaegan.restoration.restoration import Restoration


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
        self.dial = RealismSlider(self)
        self.dial.changed.connect(self.draw)
        self.dice_button = QPushButton("⚄", self)
        self.dice_button.setFixedWidth(36)
        self.dice_button.setToolTip("Show another sample.")
        self.dice_button.clicked.connect(self.roll)
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.dial, 0, 0)
        layout.addWidget(self.dice_button, 0, 1, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.label, 1, 0, 1, 2)
        self._enable("Restore an image with samples first.")

    @property
    def layer(self) -> ImageLayer | None:
        """The layer that shows the possible truth; None before the slider was moved."""
        return self._layer

    @property
    def drawn(self) -> tuple[float, int]:
        """Realism and sample of what is shown; the realism is 0 before the slider was moved."""
        return self._drawn

    def offer(self, viewer: napari.Viewer, result: Restoration, made: Provenance, mean: ImageLayer) -> None:
        """Take a new restoration."""
        self._viewer, self._result, self._made, self._layer = viewer, result, made, None
        self._sample = 0
        self._drawn = (0.0, 0)
        self.dial.reset()
        self._enable("" if len(result.samples) else "No samples were drawn: set Samples above 0.")

    def python_lines(self, settings: dict[str, Any]) -> tuple[str, ...]:
        """Return the line that makes what is shown out of a restoration, if that is of these settings and not the mean."""
        realism, sample = self._drawn
        if realism == 0 or self._made is None or self._made.metadata[OWN]["settings"] != settings:
            return ()
        return (f"# {describe_realism(realism, sample)}", f"shown = restoration.blend({realism!r}, {sample})")

    def roll(self) -> None:
        """Take the next sample; from the best estimate, go to it at once."""
        assert self._result is not None
        self._sample = (self._sample + 1) % len(self._result.samples)
        if self.dial.realism == 0:
            self.dial.go_to_truth()
        else:
            self.draw()

    def draw(self) -> None:
        """Draw what the slider says, in a worker thread; while one is drawing, only the latest wish counts."""
        self._wanted = (self.dial.realism, self._sample)
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
        said = describe_realism(realism, sample)
        own = {**self._made.metadata[OWN], "realism": realism, "sample": sample, "image": said}
        self._layer.metadata = {**self._made.metadata, OWN: own}
        self.label.setText(f"Shown: {said}.")
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

    def _enable(self, hindrance: str) -> None:
        for control in (self.dial, self.dice_button):
            control.setEnabled(not hindrance)
        self.label.setText(hindrance)
