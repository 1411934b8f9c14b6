"""The dock Match style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from qtpy.QtWidgets import QCheckBox

from napari_vaegan.errors import VaeganError
from napari_vaegan.widgets.layer_image import Part
from napari_vaegan.widgets.python_call import image_line
from napari_vaegan.widgets.restoration_dock import RestorationDock, Restore
from napari_vaegan.widgets.results import add_image_of
from napari_vaegan.widgets.source_chooser import SourceChooser
from napari_vaegan.widgets.strength_slider import StrengthSlider
from napari_vaegan.widgets.style_chooser import StyleChooser
from napari_vaegan.widgets.style_preview import StylePreview, Wish
from napari_vaegan.widgets.visible_part import visible_part
from napari_vaegan.widgets.world import place_in

if TYPE_CHECKING:
    import napari

    from napari_vaegan.restoration.restoration import Restoration


class MatchStyle(RestorationDock):
    """Gives a layer another look: that of the training folder, of a layer, or of images or a model on disk."""

    task = "match-style"
    function = "match_style"
    doing = "Matching the style of"
    done = "style matched"

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self.run_button.setText("Match style")
        self.preview = StylePreview(napari_viewer, self.wish, self)
        self.preview.runner.failed.connect(self.message.fail)
        self.form.setRowVisible(self.samples, False)
        self.form.setRowVisible(self.quality, False)
        self.truth.setVisible(False)
        self.planes.setCurrentText("all planes")
        self.planes.setToolTip(
            "A stack or time-lapse gets one change for all of its planes; or the plane that is shown, its own."
        )
        self.seed.setToolTip("Start of the random numbers with which references are summarised.")
        self.strength.changed.connect(self._preview)
        for chooser in (self.references, self.source):
            chooser.changed.connect(self.refresh)
            chooser.changed.connect(self._preview_if_shown)
        self.previews.toggled.connect(self._preview)

    def add_rows(self) -> None:
        """Add where the look comes from, what the change is found from, its strength, and whether it is previewed."""
        self.references = StyleChooser(self.viewer, self)
        self.source = SourceChooser(self)
        self.strength = StrengthSlider(self)
        self.previews = QCheckBox("preview what is visible", self)
        self.previews.setChecked(True)
        self.previews.setToolTip("Show the change on the visible part as soon as the strength is moved.")
        self.form.addRow("Look of", self.references)
        self.form.addRow("Found from", self.source)
        self.form.addRow("Strength", self.strength)
        self.form.addRow("", self.previews)

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that the library's call takes by name, but for references that are a layer."""
        named = {} if self.references.style_layer is not None else {"style": self.references.style}
        common = {"strength": self.strength.strength, "seed": self.seed.value(), "axes": self.axes.text().upper()}
        return {**named, "source": self.source.source, **common}

    def hindrance(self) -> str:
        """Return why no style can be matched now."""
        return super().hindrance() or self.references.hindrance() or self.source.hindrance()

    def restore(self, layer: ImageLayer, part: Part, settings: dict[str, Any]) -> Restore:
        """Return what changes the look of a part of a layer."""
        given = {**settings, "style": self.references.style}
        return lambda model, on_progress: model.match_style(part.pixels, **given, on_progress=on_progress)

    def python_lines(self, layer: ImageLayer, part: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return lines that take the image, and references that are a layer, out of their layers."""
        lines, references = (image_line(layer, part),), self.references.style_layer
        if references is None:
            return lines, ("image",)
        data = f"viewer.layers[{references.name!r}].data{'[0]' if references.multiscale else ''}"
        return (*lines, f"style = {data}{'[..., :3]' if references.rgb else ''}"), ("image", "style")

    def wish(self) -> Wish | None:
        """Return what can be previewed now."""
        layer, model = self.layer.chosen, self.model.chosen
        if self.hindrance() or model is None or not self.previews.isChecked() or self.viewer.dims.ndisplay > 2:
            return None
        axes = self.axes.text().upper()
        place = place_in(layer, self.viewer.dims.point, self.viewer.layers.units)
        try:
            whole, shown = self._part(layer, axes), visible_part(layer, axes, place)
        except VaeganError:
            return None
        style, source = self.references.style, self.source.source
        return Wish(layer, model, whole, shown, style, source, self.seed.value(), self.strength.strength)

    def run(self) -> None:
        """Change the look of the chosen layer; the preview makes way for it."""
        self.preview.remove()
        super().run()

    def close_dock(self) -> None:
        """Leave the job, and take the preview away."""
        super().close_dock()
        self.preview.close()

    def _preview(self) -> None:
        self.preview.draw()

    def _preview_if_shown(self) -> None:
        if self.preview.layer is not None:
            self.preview.draw()

    def _show(self, result: Restoration) -> None:
        assert self._made is not None
        add_image_of(self.viewer, result, self._made)
        report = result.report
        kept = f"structure kept to {report['structure']:.3f}"
        said = f"{self._made.name} in {report['seconds']:.1f} s; {kept}. {report['purpose']}"
        warnings = [sentence for sentence in report["warnings"] if not sentence.startswith("The axes")]
        if warnings:
            self.message.warn(" ".join([*warnings, said]))
        else:
            self.message.say(said)
