"""Variations of an image: which image, and how much of it is drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QGroupBox, QPushButton, QWidget

from napari_vaegan.networks.presets import ARCHITECTURES
from napari_vaegan.widgets.between import of_image
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.gallery import Gallery, draw_gallery
from napari_vaegan.widgets.known_models import KnownModel, known_models
from napari_vaegan.widgets.layer_chooser import LayerChooser
from napari_vaegan.widgets.layer_image import axes_of, current_plane
from napari_vaegan.widgets.python_call import call, image_line
from napari_vaegan.widgets.spin_box import spin_box
from napari_vaegan.widgets.world import place_in

if TYPE_CHECKING:
    import napari

Lines = tuple[str, ...]
"""Python that does the same, without the line that opens the model."""

USUAL_DETAIL = 8
"""Pixels: what is varied unless another detail is chosen."""


class Variations(QGroupBox):
    """Chooses an image, of the gallery or of another layer, and what of it is drawn anew."""

    asked = Signal()
    """The button was pressed."""

    def __init__(self, viewer: napari.Viewer, parent: QWidget) -> None:
        super().__init__("Variations of an image", parent)
        self._viewer = viewer
        self._gallery: Gallery | None = None
        self._gallery_layer: ImageLayer | None = None
        self.layer = LayerChooser(
            viewer, (ImageLayer,), "A layer (of a stack the plane that is shown), or the gallery.", self
        )
        self.number = spin_box(1, 1, 1, "Which of the generated images, counted row by row from the top left.")
        self.detail = QComboBox(self)
        self.detail.setToolTip("What is drawn anew; structures that are coarser are kept.")
        self.count = spin_box(1, 5, 64, "How many variations to draw.")
        self.button = QPushButton("Draw variations", self)
        self.button.clicked.connect(self.asked)
        self.form = QFormLayout(self)
        self.form.addRow("Of", self.layer)
        self.form.addRow("Number", self.number)
        self.form.addRow("Draw anew", self.detail)
        self.form.addRow("Count", self.count)
        self.form.addRow(self.button)
        self.layer.chosen_changed.connect(self._layer_changed)
        self._layer_changed()

    @property
    def settings(self) -> dict[str, Any]:
        """Of ``Model.variations``, but for the seed."""
        return {"count": self.count.value(), "detail": self.detail.currentData()}

    def offer(self, gallery: Gallery, layer: ImageLayer) -> None:
        """Take a new gallery, which is shown by a layer, and choose it."""
        self._gallery, self._gallery_layer = gallery, layer
        self.number.setMaximum(len(gallery.images))
        self.layer.choose(layer)
        self._layer_changed()

    def model_changed(self, model: KnownModel | None) -> None:
        """Offer the sizes of structure that a model knows."""
        before = self.detail.currentData()
        self.detail.clear()
        details = ARCHITECTURES[model.header.config.preset].details if model else ()
        words = {detail: f"structures up to {detail} pixels" for detail in sorted(details)}
        if details:
            words |= {min(details): "the texture alone", max(details): "everything"}
        for detail, name in words.items():
            self.detail.addItem(name, detail)
        kept = self.detail.findData(before)
        self.detail.setCurrentIndex(kept if kept >= 0 else self.detail.findData(USUAL_DETAIL))

    def hindrance(self) -> str:
        """Return why there is nothing to vary."""
        return "" if self.layer.chosen is not None else "There is no image to vary: generate or open one first."

    def prepare(self, known: KnownModel, seed: int) -> tuple[Callable[[Control], Gallery], Lines]:
        """Return what draws the variations in a worker thread, and the same as Python; the layer is looked at now.

        Raises
        ------
        VaeganError
            If the layer has axes that are not known.
        """
        settings = {**self.settings, "seed": seed}
        gallery, layer = self._gallery, self.layer.chosen
        drawn = f"variations = {call('model.variations', ('image',), settings)}"
        if gallery is not None and self._gallery_is_chosen():
            image = of_image(gallery, self.number.value())

            def work(control: Control) -> Gallery:
                latents = gallery.model.latents(**image)
                return _vary(gallery.known, gallery.model, latents, settings, f"image {image['number'] + 1}", control)

            return work, (f"image = {call('model.latents', (), image)}", drawn)
        axes = axes_of(layer, known.header.channels).letters
        part = current_plane(layer, axes, place_in(layer, self._viewer.dims.point, self._viewer.layers.units))
        name = layer.name

        def encode_and_work(control: Control) -> Gallery:
            model = known_models.open(known)
            latents = model.encode(part.pixels, part.axes, control.progress)
            return _vary(known, model, latents, settings, name, control)

        encoded = f"image = model.encode(image, {part.axes!r})"
        return encode_and_work, (image_line(layer, part), encoded, drawn)

    def _gallery_is_chosen(self) -> bool:
        return self._gallery_layer is not None and bool(self.layer.chosen == self._gallery_layer)

    def _layer_changed(self) -> None:
        self.form.setRowVisible(self.number, self._gallery_is_chosen())


def _vary(known: KnownModel, model: Any, latents: Any, settings: dict[str, Any], of: str, control: Control) -> Gallery:
    """Return the image as the model sees it, and its variations behind it."""
    images = [model.decode(latents)[None], model.variations(latents, **settings, on_progress=control.progress)]
    return draw_gallery(known, model, settings, np.concatenate(images), varied=of)
