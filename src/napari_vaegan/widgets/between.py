"""From one generated image to another: a slider through the latents between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.gallery import Gallery
from napari_vaegan.widgets.python_call import call
from napari_vaegan.widgets.runner import Runner
from napari_vaegan.widgets.spin_box import spin_box
from napari_vaegan.widgets.view import fit_to

if TYPE_CHECKING:
    import napari

_STEPS = 20
_DISTANCE = 0.1
"""From the gallery, in widths of the image."""


@dataclass(frozen=True)
class Place:
    """A place between two images of a gallery, which are counted from 1; the share is 0 at the first, 1 at the second."""

    first: int
    second: int
    share: float


class Between(QGroupBox):
    """Draws an image between two of a gallery, as a layer of its own beside it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Walk between two images", parent)
        self.runner = Runner(self, shown=False)
        self.runner.returned.connect(self._show)
        self._viewer: napari.Viewer | None = None
        self._gallery: Gallery | None = None
        self._beside: ImageLayer | None = None
        self._layer: ImageLayer | None = None
        self._drawing: Place | None = None
        self._drawn: Place | None = None
        counted = "Images are counted from 1, row by row from the top left."
        self.first = spin_box(1, 1, 1, f"The image at the left end of the slider. {counted}")
        self.second = spin_box(1, 1, 1, f"The image at the right end of the slider. {counted}")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip("Walk through the model's latents from the first image to the second.")
        self.label = QLabel(self)
        self.label.setWordWrap(True)
        numbers = QHBoxLayout()
        numbers.addWidget(QLabel("From"))
        numbers.addWidget(self.first, 1)
        numbers.addWidget(QLabel("to"))
        numbers.addWidget(self.second, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(numbers)
        layout.addWidget(self.slider)
        layout.addWidget(self.label)
        self.slider.valueChanged.connect(self.draw)
        for box in (self.first, self.second):
            box.valueChanged.connect(self._number_changed)
        self._enable("Generate two images or more first.")

    @property
    def layer(self) -> ImageLayer | None:
        """The layer between two images; None before the slider was moved."""
        return self._layer

    @property
    def gallery(self) -> Gallery | None:
        """The images to go between."""
        return self._gallery

    @property
    def place(self) -> Place:
        """Where the slider stands."""
        return Place(self.first.value(), self.second.value(), self.slider.value() / _STEPS)

    @property
    def drawn(self) -> Place | None:
        """The place that is shown; None before the slider was moved."""
        return self._drawn

    def offer(self, viewer: napari.Viewer, gallery: Gallery, beside: ImageLayer) -> None:
        """Take a new gallery, which is shown by a layer."""
        self._viewer, self._gallery, self._beside = viewer, gallery, beside
        self._layer = self._drawn = None
        count = len(gallery.images)
        for widget in (self.slider, self.first, self.second):
            widget.blockSignals(True)
        self.slider.setValue(0)
        for box, number in ((self.first, 1), (self.second, 2)):
            box.setMaximum(count)
            box.setValue(number)
        for widget in (self.slider, self.first, self.second):
            widget.blockSignals(False)
        self._enable("" if count > 1 else "Generate two images or more first.")

    def move_beside(self, beside: ImageLayer) -> None:
        """Lie beside another layer, that shows the same gallery."""
        self._beside = beside
        if self._shown():
            self._layer.translate = self._translate()

    def draw(self) -> None:
        """Draw the place of the slider, in a worker thread; while one is drawing, only the latest wish counts."""
        gallery, place = self._gallery, self.place
        if self.runner.busy or gallery is None:
            return
        self._drawing = place

        def work(control: Control) -> tuple[Gallery, NDArray[Any]]:
            first, second = (gallery.model.latents(**of_image(gallery, number)) for number in (place.first, place.second))
            return gallery, gallery.model.decode(first.towards(second, place.share), control.progress)

        self.runner.start("Drawing an image between two", work)

    def _number_changed(self) -> None:
        if self._drawn is not None:
            self.draw()

    def _show(self, drawn: tuple[Gallery, NDArray[Any]]) -> None:
        gallery, image = drawn
        if gallery is not self._gallery:  # another one came while this was drawn
            return
        assert self._drawing is not None
        self._drawn = place = self._drawing
        pixels = gallery.for_layer(image)
        if self._shown():
            self._layer.data = pixels
        else:
            self._layer = self._add(gallery, pixels)
        self._layer.name = f"{gallery.name} between {place.first} and {place.second}"
        ends = {"first": of_image(gallery, place.first), "second": of_image(gallery, place.second)}
        self._layer.metadata = gallery.metadata(between={**ends, "share": place.share})
        self.label.setText(_description(place))
        if self.place != place:
            self.draw()

    def _shown(self) -> bool:
        return self._layer is not None and self._layer in self._viewer.layers

    def _add(self, gallery: Gallery, pixels: NDArray[Any]) -> ImageLayer:
        selected = set(self._viewer.layers.selection)
        layer: ImageLayer = self._viewer.add_image(
            pixels, translate=self._translate(), axis_labels=gallery.axis_labels, **gallery.look
        )
        self._viewer.layers.selection = selected
        fit_to(self._viewer, [other for other in (self._beside, layer) if other in self._viewer.layers])
        return layer

    def _translate(self) -> tuple[float, ...]:
        """Return where the layer begins: to the right of the gallery, level with its first row."""
        assert self._gallery is not None
        across = 2 if self._gallery.rgb else 1
        right = self._beside.data.shape[-across] + _DISTANCE * self._gallery.images.shape[2]
        return (*(0.0 for _ in self._gallery.axis_labels[:-1]), right)

    def _enable(self, hindrance: str) -> None:
        for control in (self.slider, self.first, self.second):
            control.setEnabled(not hindrance)
        self.label.setText(hindrance or "Move the slider to draw what lies between two images.")


def of_image(gallery: Gallery, number: int) -> dict[str, Any]:
    """Return the settings of ``Model.latents``, which counts images from 0, for an image of a gallery."""
    settings = {name: value for name, value in gallery.settings.items() if name != "count"}
    return {"number": number - 1, **settings}


def python_lines(gallery: Gallery, place: Place) -> tuple[str, ...]:
    """Return the lines that draw a place between two images of a gallery."""
    ends = (
        f"{name} = {call('model.latents', (), of_image(gallery, number))}"
        for name, number in (("first", place.first), ("second", place.second))
    )
    return (*ends, f"between = model.decode(first.towards(second, {place.share!r}))")


def _description(place: Place) -> str:
    if place.share in (0, 1):
        return f"Image {place.second if place.share else place.first}."
    return f"{place.share:.0%} of the way from image {place.first} to image {place.second}: generated, not measured."
