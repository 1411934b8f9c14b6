"""The dock Generate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QComboBox, QFileDialog, QPushButton

from napari_vaegan.errors import VaeganError
from napari_vaegan.widgets.between import Between, python_lines
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.dock import Dock
from napari_vaegan.widgets.gallery import Gallery, draw_gallery
from napari_vaegan.widgets.known_models import known_models
from napari_vaegan.widgets.model_chooser import ModelChooser
from napari_vaegan.widgets.python_call import call, load_line, script
from napari_vaegan.widgets.remembered import recall, remember
from napari_vaegan.widgets.results import look_of
from napari_vaegan.widgets.spin_box import spin_box
from napari_vaegan.widgets.temperature_slider import TemperatureSlider
from napari_vaegan.widgets.variations import Lines, Variations
from napari_vaegan.widgets.view import fit_to

if TYPE_CHECKING:
    import napari

    from napari_vaegan.batch import GeneratedFolder

_SMALLEST_SIDE = 8
_LARGEST_SIDE = 8192
_MOST_SHOWN = 1024
_MOST_WRITTEN = 1_000_000
_REMEMBERED = "folder of generated images"


class Generate(Dock):
    """Draws images like those that a model was trained on, of which nothing was measured."""

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, "Generate")
        self._layer: ImageLayer | None = None
        self._varied: Lines = ()
        self._varying: Lines = ()
        self._add_form()
        self.between = Between(self)
        self.between.runner.failed.connect(self.message.fail)
        self.variations = Variations(napari_viewer, self)
        self.variations.asked.connect(self.vary)
        self.write_button = QPushButton("Write to a folder…", self)
        self.write_button.setToolTip(
            "Write as many images as chosen above into a folder, a TIFF each, with a manifest. Nothing is overwritten: "
            "a folder that was begun goes on."
        )
        self.write_button.clicked.connect(self.choose_folder)
        self.copy_button = QPushButton("Copy as Python", self)
        self.copy_button.setToolTip("Copy the call that does the same, for napari's console or a script.")
        self.copy_button.clicked.connect(self.copy_as_python)
        for widget in (self.between, self.variations, self.write_button, self.copy_button):
            self.below_form.addWidget(widget)
        self.model.chosen_changed.connect(self._model_changed)
        self.count.valueChanged.connect(self.refresh)
        self.runner.returned.connect(self._show)
        self._model_changed()

    @property
    def layer(self) -> ImageLayer | None:
        """The layer of the latest images; None before there are any."""
        return self._layer

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that the library's call takes by name."""
        shape = (self.height_box.value(), self.width_box.value())
        settings = {"count": self.count.value(), "shape": shape, "seed": self.seed.value()}
        temperature = self.temperature.temperature
        return settings if temperature == 1 else {**settings, "temperature": temperature}

    def hindrance(self) -> str:
        """Return why nothing can be generated now."""
        if hindrance := self._hindrance_of_model():
            return hindrance
        if self.count.value() > _MOST_SHOWN:
            return f"At most {_MOST_SHOWN:,} images are shown at once: take fewer, or write them to a folder."
        return ""

    def refresh(self) -> None:
        """Bring buttons up to date with what is possible now."""
        super().refresh()
        busy, hindrance = self.runner.busy, self._hindrance_of_model()
        self.write_button.setEnabled(not busy and not hindrance)
        self.variations.setEnabled(not busy and not hindrance)

    def run(self) -> None:
        """Draw the images."""
        known, settings = self.model.chosen, self.settings
        assert known is not None  # or it would have been a hindrance

        def work(control: Control) -> Gallery:
            model = known_models.open(known)
            return draw_gallery(known, model, settings, model.generate(**settings, on_progress=control.progress))

        self.runner.start(f"Generating {_images(settings['count'])}", work)

    def vary(self) -> None:
        """Draw variations of the chosen image."""
        if hindrance := self._hindrance_of_model() or self.variations.hindrance():
            self.message.warn(hindrance)
            return
        known = self.model.chosen
        assert known is not None  # or it would have been a hindrance
        try:
            work, self._varying = self.variations.prepare(known, self.seed.value())
        except VaeganError as error:
            self.message.warn(str(error))
            return
        self.runner.start("Drawing variations", work)

    def choose_folder(self) -> None:
        """Ask for a folder, and write the images there."""
        chosen = QFileDialog.getExistingDirectory(self, "A folder for the generated images", recall(_REMEMBERED))
        if chosen:
            remember(_REMEMBERED, chosen)
            self.write(Path(chosen))

    def write(self, folder: Path) -> None:
        """Write the images into a folder, with a manifest."""
        known, settings = self.model.chosen, self.settings
        assert known is not None  # or the button would be disabled
        self.message.say("")

        def work(control: Control) -> GeneratedFolder:
            from napari_vaegan.batch import generate_folder

            model = known_models.open(known)
            return generate_folder(model, folder, **settings, on_progress=control.tell, stop=control.stopping)

        self.runner.start(f"Writing {_images(settings['count'])} to {folder.name}", work)

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
        self.variations.offer(gallery, self._layer)

    def copy_as_python(self) -> None:
        """Put the same as Python calls into the clipboard: with what was made of these images, if it was."""
        hindrance = self._hindrance_of_model()
        if hindrance:
            self.message.warn(hindrance)
            return
        lines = [load_line(self.model.chosen.path), f"images = {call('model.generate', (), self.settings)}"]
        gallery, place = self.between.gallery, self.between.drawn
        if gallery and place and (gallery.known, gallery.settings) == (self.model.chosen, self.settings):
            lines += python_lines(gallery, place)
        QGuiApplication.clipboard().setText(script(*lines, *self._varied))
        self.message.say("Copied: paste it into napari's console or a script.")

    def close_dock(self) -> None:
        """Leave the job, and the drawing between two images."""
        super().close_dock()
        self.between.runner.leave()

    def _add_form(self) -> None:
        self.model = ModelChooser(self.message, self)
        self.form.addRow("Model", self.model)
        self.count = spin_box(1, 16, _MOST_WRITTEN, "How many images to draw.")
        self.form.addRow("Images", self.count)
        self.height_box = spin_box(_SMALLEST_SIDE, 256, _LARGEST_SIDE, "Height of each image in pixels.")
        self.width_box = spin_box(_SMALLEST_SIDE, 256, _LARGEST_SIDE, "Width of each image in pixels.")
        self.form.addRow("Height", self.height_box)
        self.form.addRow("Width", self.width_box)
        self.temperature = TemperatureSlider(self)
        self.form.addRow("Temperature", self.temperature)
        self.seed = spin_box(0, 0, 2**31 - 1, "The same seed draws the same images; take another for others.")
        self.form.addRow("Seed", self.seed)
        self.layout_chooser = QComboBox(self)
        self.layout_chooser.addItems(["side by side", "stack"])
        self.layout_chooser.setToolTip(
            "Side by side: all images at a glance, in one plane. Stack: an image a plane, to go on working with."
        )
        self.layout_chooser.currentIndexChanged.connect(self.lay_out)
        self.form.addRow("Show", self.layout_chooser)

    def _hindrance_of_model(self) -> str:
        model = self.model.chosen
        if model is None:
            return "There is no model: train one in the dock Train, or open a file."
        if not model.does("generate"):
            tasks = ", ".join(model.header.config.tasks)
            return f"The model {model.label} was trained to {tasks}, not to generate: choose another one."
        return ""

    def _model_changed(self) -> None:
        self._varied = ()
        self.variations.model_changed(self.model.chosen)
        self.refresh()

    def _show(self, outcome: Gallery | GeneratedFolder) -> None:
        if not isinstance(outcome, Gallery):
            tell: Callable[[str], None] = self.message.warn if outcome.stopped else self.message.say
            said = str(outcome).replace("\n", ". ").rstrip(".")
            tell(f"{said}. The files say that they were not measured.")
        elif outcome.varied:
            self._varied = self._varying
            self._add(outcome, outcome.look)
            self.message.say(
                f"{_images(len(outcome.images) - 1)} like {outcome.varied}, drawn with the seed {outcome.settings['seed']}; "
                "the first shows what the model sees of it. Generated, not measured."
            )
        else:
            self._varied = ()
            self._layer = self._add(outcome, outcome.look)
            self.between.offer(self.viewer, outcome, self._layer)
            self.variations.offer(outcome, self._layer)
            seed = outcome.settings["seed"]
            self.message.say(f"{_images(len(outcome.images))} drawn with the seed {seed}: generated, not measured.")

    def _add(self, gallery: Gallery, look: dict[str, Any]) -> ImageLayer:
        as_stack = self.layout_chooser.currentText() == "stack"
        pixels, settings = gallery.stacked() if as_stack else gallery.side_by_side()
        layer: ImageLayer = self.viewer.add_image(pixels, name=gallery.name, **settings, **look)
        self.viewer.layers.selection.active = layer
        fit_to(self.viewer, [layer])
        return layer


def _images(number: int) -> str:
    return f"{number} image{'' if number == 1 else 's'}"
