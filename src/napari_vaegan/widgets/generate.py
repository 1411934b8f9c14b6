"""The dock Generate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QComboBox, QPushButton

from napari_vaegan.widgets.between import Between, python_lines
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.dock import Dock
from napari_vaegan.widgets.gallery import Gallery, draw_gallery
from napari_vaegan.widgets.known_models import known_models
from napari_vaegan.widgets.model_chooser import ModelChooser
from napari_vaegan.widgets.python_call import call, load_line, script
from napari_vaegan.widgets.results import look_of
from napari_vaegan.widgets.spin_box import spin_box

if TYPE_CHECKING:
    import napari

_SMALLEST_SIDE = 8
_LARGEST_SIDE = 8192


class Generate(Dock):
    """Draws images like those that a model was trained on, of which nothing was measured."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "Generate")
        self._layer: ImageLayer | None = None
        self.model = ModelChooser(self.message, self)
        self.form.addRow("Model", self.model)
        self.count = spin_box(1, 16, 1024, "How many images to draw.")
        self.form.addRow("Images", self.count)
        self.height_box = spin_box(_SMALLEST_SIDE, 256, _LARGEST_SIDE, "Height of each image in pixels.")
        self.width_box = spin_box(_SMALLEST_SIDE, 256, _LARGEST_SIDE, "Width of each image in pixels.")
        self.form.addRow("Height", self.height_box)
        self.form.addRow("Width", self.width_box)
        self.seed = spin_box(0, 0, 2**31 - 1, "The same seed draws the same images; take another for others.")
        self.form.addRow("Seed", self.seed)
        self.layout_chooser = QComboBox(self)
        self.layout_chooser.addItems(["side by side", "stack"])
        self.layout_chooser.setToolTip(
            "Side by side: all images at a glance, in one plane. Stack: an image a plane, to go on working with."
        )
        self.layout_chooser.currentIndexChanged.connect(self.lay_out)
        self.form.addRow("Show", self.layout_chooser)
        self.between = Between(self)
        self.between.runner.failed.connect(self.message.fail)
        self.copy_button = QPushButton("Copy as Python", self)
        self.copy_button.setToolTip("Copy the call that does the same, for napari's console or a script.")
        self.copy_button.clicked.connect(self.copy_as_python)
        self.below_form.addWidget(self.between)
        self.below_form.addWidget(self.copy_button)
        self.model.chosen_changed.connect(self.refresh)
        self.runner.returned.connect(self._show)
        self.refresh()

    @property
    def layer(self) -> ImageLayer | None:
        """The layer of the latest images; None before there are any."""
        return self._layer

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that the library's call takes by name."""
        shape = (self.height_box.value(), self.width_box.value())
        return {"count": self.count.value(), "shape": shape, "seed": self.seed.value()}

    def hindrance(self) -> str:
        """Return why nothing can be generated now."""
        model = self.model.chosen
        if model is None:
            return "There is no model: train one in the dock Train, or open a file."
        if not model.does("generate"):
            tasks = ", ".join(model.header.config.tasks)
            return f"The model {model.label} was trained to {tasks}, not to generate: choose another one."
        return ""

    def run(self) -> None:
        """Draw the images."""
        known, settings = self.model.chosen, self.settings
        assert known is not None  # or it would have been a hindrance

        def work(control: Control) -> Gallery:
            model = known_models.open(known)
            return draw_gallery(known, model, settings, model.generate(**settings, on_progress=control.progress))

        self.runner.start(f"Generating {_images(settings['count'])}", work)

    def lay_out(self) -> None:
        """Show the latest images side by side or as a stack, as chosen, with the look that they have now."""
        gallery, before = self.between.gallery, self._layer
        if gallery is None or before is None or before not in self.viewer.layers:
            return
        place = self.viewer.layers.index(before)
        self.viewer.layers.remove(before)
        self._layer = self._add(gallery, look_of(before))
        self.viewer.layers.move(len(self.viewer.layers) - 1, place)
        self.between.move_beside(self._layer)

    def copy_as_python(self) -> None:
        """Put the same as Python calls into the clipboard: with the image between two, if that is of the same images."""
        hindrance = self.hindrance()
        if hindrance:
            self.message.warn(hindrance)
            return
        lines = [load_line(self.model.chosen.path), f"images = {call('model.generate', (), self.settings)}"]
        gallery, place = self.between.gallery, self.between.drawn
        if gallery and place and (gallery.known, gallery.settings) == (self.model.chosen, self.settings):
            lines += python_lines(gallery, place)
        QGuiApplication.clipboard().setText(script(*lines))
        self.message.say("Copied: paste it into napari's console or a script.")

    def close_dock(self) -> None:
        """Leave the job, and the drawing between two images."""
        super().close_dock()
        self.between.runner.leave()

    def _show(self, gallery: Gallery) -> None:
        self._layer = self._add(gallery, gallery.look)
        self.between.offer(self.viewer, gallery, self._layer)
        count, seed = len(gallery.images), gallery.settings["seed"]
        self.message.say(f"{_images(count)} drawn with the seed {seed}: generated, not measured.")

    def _add(self, gallery: Gallery, look: dict[str, Any]) -> ImageLayer:
        as_stack = self.layout_chooser.currentText() == "stack"
        pixels, settings = gallery.stacked() if as_stack else gallery.side_by_side()
        layer: ImageLayer = self.viewer.add_image(pixels, name=gallery.name, **settings, **look)
        self.viewer.layers.selection.active = layer
        self.viewer.fit_to_view(layers=[layer])
        return layer


def _images(number: int) -> str:
    return f"{number} image{'' if number == 1 else 's'}"
