"""What the docks Inpaint, Super-resolve and Denoise have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QComboBox, QLineEdit, QPushButton

from napari_vaegan.errors import VaeganError
from napari_vaegan.images.axes import check_axes
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.dock import Dock
from napari_vaegan.widgets.known_models import KnownModel, known_models
from napari_vaegan.widgets.layer_chooser import OWN, LayerChooser
from napari_vaegan.widgets.layer_image import Part, axes_of, current_plane, pixels_of, whole
from napari_vaegan.widgets.model_chooser import ModelChooser
from napari_vaegan.widgets.placement import placement
from napari_vaegan.widgets.possible_truth import PossibleTruth
from napari_vaegan.widgets.python_call import call, image_line, load_line, script
from napari_vaegan.widgets.quality_chooser import QualityChooser
from napari_vaegan.widgets.results import Provenance, add_result, look_of
from napari_vaegan.widgets.spin_box import spin_box
from napari_vaegan.widgets.world import place_in

if TYPE_CHECKING:
    import napari

    from napari_vaegan.restoration.model import Model
    from napari_vaegan.restoration.progress import OnProgress
    from napari_vaegan.restoration.restoration import Restoration

Restore = Callable[["Model", "OnProgress"], "Restoration"]


class RestorationDock(Dock):
    """Chooses a model, a layer and settings; restores in a worker thread; shows the result as layers.

    Attributes
    ----------
    task
        As the model's header names it.
    function
        The method of ``Model``.
    doing, done
        The words for it: "Denoising", "denoised".
    """

    task: str
    function: str
    doing: str
    done: str

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer, self.task.capitalize())
        self._made: Provenance | None = None
        self.layer = LayerChooser(viewer, (ImageLayer,), "The image to restore; it stays as it is.", self)
        self.form.addRow("Image", self.layer)
        self.add_rows()
        self.model = ModelChooser(self.message, self)
        self.form.addRow("Model", self.model)
        self.planes = QComboBox(self)
        self.planes.addItems(["current plane", "all planes"])
        self.planes.setToolTip("Of a stack or time-lapse: the plane that is shown now, or every one, plane by plane.")
        self.form.addRow("Planes", self.planes)
        self.axes = QLineEdit(self)
        self.axes.setToolTip("One letter among T, Z, C, Y, X for each axis of the layer; change it if the guess is wrong.")
        self.form.addRow("Axes", self.axes)
        self.samples = spin_box(0, 8, 64, "How many possible truths to draw; 0 for the best estimate alone.")
        self.form.addRow("Samples", self.samples)
        self.seed = spin_box(0, 0, 2**31 - 1, "The same seed draws the same samples.")
        self.form.addRow("Seed", self.seed)
        self.quality = QualityChooser(self)
        self.form.addRow("Quality", self.quality)
        self.copy_button = QPushButton("Copy as Python", self)
        self.copy_button.setToolTip("Copy the call that does the same, for napari's console or a script.")
        self.copy_button.clicked.connect(self.copy_as_python)
        self.truth = PossibleTruth(self)
        self.truth.runner.failed.connect(self.message.fail)
        self.below_form.addWidget(self.truth)
        self.below_form.addWidget(self.copy_button)
        self.layer.chosen_changed.connect(self._layer_changed)
        self.model.chosen_changed.connect(self._layer_changed)
        self.axes.textChanged.connect(self.refresh)
        self.runner.returned.connect(self._show)
        self._layer_changed()

    def add_rows(self) -> None:
        """Add the rows of a task's own to the form."""

    def own_settings(self) -> dict[str, Any]:
        """Return the task's own settings, by their names in the library."""
        return {}

    def restore(self, layer: ImageLayer, part: Part, settings: dict[str, Any]) -> Restore:
        """Return what restores a part of a layer in the worker thread; everything of napari is looked at now."""
        return lambda model, on_progress: getattr(model, self.function)(part.pixels, **settings, on_progress=on_progress)

    def python_lines(self, layer: ImageLayer, part: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return lines that prepare the call, and its positional arguments."""
        return (image_line(layer, part),), ("image",)

    @property
    def factor(self) -> int:
        """How many times finer the result is."""
        return 1

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that the library's call takes by name."""
        own = self.own_settings()
        common = {"samples": self.samples.value(), "seed": self.seed.value(), "axes": self.axes.text().upper()}
        return {**own, **common, **self.quality.settings}

    def hindrance(self) -> str:
        """Return why nothing can be restored now."""
        model = self.model.chosen
        if self.layer.chosen is None:
            return "There is no image: open one first."
        if model is None:
            return "There is no model: train one in the dock Train, or open a file."
        if not model.does(self.task):
            tasks = ", ".join(model.header.config.tasks)
            return f"The model {model.label} was trained to {tasks}, not to {self.task}: choose another one."
        shape = pixels_of(self.layer.chosen).shape
        try:
            axes = check_axes(self.axes.text(), shape)
        except VaeganError as error:
            return str(error)
        channels = shape[axes.index("C")] if "C" in axes else 1
        if channels != model.header.channels:
            return (
                f"{self.layer.chosen.name} has {_channels(channels)}, the model {model.label} was trained on "
                f"{_channels(model.header.channels)}: choose another model, or say in Axes where the channels are."
            )
        return ""

    def run(self) -> None:
        """Restore the chosen layer."""
        layer, model, settings = self.layer.chosen, self.model.chosen, self.settings
        assert model is not None  # or it would have been a hindrance
        try:
            part = self._part(layer, settings["axes"])
            restore = self.restore(layer, part, settings)
        except VaeganError as error:
            self.message.warn(str(error))
            return
        self._made = self._provenance(layer, model, part, settings)

        def work(control: Control) -> Restoration:
            return restore(known_models.open(model), control.progress)

        self.runner.start(f"{self.doing} {layer.name}", work)

    def copy_as_python(self) -> None:
        """Put the same as a Python call into the clipboard."""
        hindrance = self.hindrance()
        if hindrance:
            self.message.warn(hindrance)
            return
        layer, settings = self.layer.chosen, self.settings
        try:
            lines, arguments = self.python_lines(layer, self._part(layer, settings["axes"]))
        except VaeganError as error:
            self.message.warn(str(error))
            return
        restored = f"restoration = {call(f'model.{self.function}', arguments, settings)}"
        lines = (load_line(self.model.chosen.path), *lines, restored, *self.truth.python_lines(settings))
        QGuiApplication.clipboard().setText(script(*lines))
        self.message.say("Copied: paste it into napari's console or a script.")

    def close_dock(self) -> None:
        """Leave the job, and the drawing of a possible truth."""
        super().close_dock()
        self.truth.runner.leave()

    def _part(self, layer: ImageLayer, axes: str) -> Part:
        axes = check_axes(axes, pixels_of(layer).shape)
        if not set(axes) & set("TZ") or self.planes.currentText() == "all planes":
            return whole(layer, axes)
        return current_plane(layer, axes, place_in(layer, self.viewer.dims.point, self.viewer.layers.units))

    def _provenance(self, layer: ImageLayer, model: KnownModel, part: Part, settings: dict[str, Any]) -> Provenance:
        own = {
            "model": model.header.name,
            "model file": str(model.path),
            "task": self.task,
            "settings": settings,
            "source": layer.name,
        }
        return Provenance(
            f"{layer.name} {self.done}",
            placement(layer, part.axes, part.offset, self.factor),
            look_of(layer),
            {**layer.metadata, OWN: own},
        )

    def _show(self, result: Restoration) -> None:
        assert self._made is not None
        mean = add_result(self.viewer, result, self._made)
        self.truth.offer(self.viewer, result, self._made, mean)
        report = result.report
        said = f"{self._made.name} in {report['seconds']:.1f} s on {report['device']}{_typical_error(result)}."
        warnings = [sentence for sentence in report["warnings"] if not sentence.startswith("The axes")]
        if warnings:
            self.message.warn(" ".join([said, *warnings]))
        else:
            self.message.say(said)

    def _layer_changed(self) -> None:
        """Fill in the axes of the chosen layer, and offer its planes if it has several."""
        layer, model = self.layer.chosen, self.model.chosen
        text = ""
        if layer is not None:
            try:
                text = axes_of(layer, model.header.channels if model else None).letters
            except VaeganError as error:
                self.message.warn(str(error))
        self.axes.setText(text)
        self.form.setRowVisible(self.planes, bool(set(text) & set("TZ")))
        self.form.setRowVisible(self.axes, len(text) != 2)
        self.refresh()


def _typical_error(result: Restoration) -> str:
    """Say by how much restored pixels are off; nothing where all were known."""
    uncertain = result.std[result.std > 0]
    if not uncertain.size:
        return ""
    units = "" if result.image.dtype.kind == "f" else " grey levels"
    return f"; a restored pixel is off by ± {np.sqrt(np.mean(uncertain**2)):.3g}{units} (one standard deviation)"


def _channels(count: int) -> str:
    return f"{count} channel{'' if count == 1 else 's'}"
