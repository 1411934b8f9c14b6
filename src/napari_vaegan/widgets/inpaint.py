"""The dock Inpaint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Shapes
from qtpy.QtWidgets import QPushButton

from napari_vaegan.widgets.layer_chooser import LayerChooser
from napari_vaegan.widgets.layer_image import Part, pixels_of
from napari_vaegan.widgets.masks import missing_pixels
from napari_vaegan.widgets.placement import placement
from napari_vaegan.widgets.python_call import image_line
from napari_vaegan.widgets.restoration_dock import RestorationDock, Restore

if TYPE_CHECKING:
    import napari


class Inpaint(RestorationDock):
    """Fills the pixels of a layer that a mask covers; the others are never changed."""

    task = "inpaint"
    function = "inpaint"
    doing = "Inpainting"
    done = "inpainted"

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)

    def add_rows(self) -> None:
        """Add the mask."""
        tooltip = "Labels or shapes over the pixels that are missing; what counts is their place in the world."
        self.mask_layer = LayerChooser(self.viewer, (Labels, Shapes), tooltip, self)
        self.mask_layer.chosen_changed.connect(self.refresh)
        self.paint_button = QPushButton("Paint a mask", self)
        self.paint_button.setToolTip("Make a labels layer over the image, and take the brush.")
        self.paint_button.clicked.connect(self.paint)
        self.form.addRow("Mask", self.mask_layer)
        self.form.addRow("", self.paint_button)

    def hindrance(self) -> str:
        """Return why nothing can be filled now."""
        hindrance = super().hindrance()
        if not hindrance and self.mask_layer.chosen is None:
            return 'There is no mask: press "Paint a mask", or add a labels or shapes layer.'
        return hindrance

    def paint(self) -> None:
        """Make an empty mask over the image, and choose the brush."""
        layer: ImageLayer | None = self.layer.chosen
        if layer is None:
            self.message.warn("There is no image: open one first.")
            return
        axes = self.axes.text().upper()
        shape = pixels_of(layer).shape[: layer.ndim]
        mask = self.viewer.add_labels(
            np.zeros(shape, np.uint8), name=f"{layer.name} mask", **placement(layer, axes, (0,) * layer.ndim)
        )
        mask.mode = "paint"
        mask.brush_size = max(3, min(shape[-2:]) // 20)
        self.mask_layer.choose(mask)
        self.message.say("Paint over what is missing, then run.")

    def restore(self, layer: ImageLayer, part: Part, settings: dict[str, Any]) -> Restore:
        """Return what fills the part of a layer, with the mask as it is now."""
        missing = missing_pixels(self.mask_layer.chosen, layer, part, self.viewer.dims.point)
        return lambda model, on_progress: model.inpaint(part.pixels, missing, **settings, on_progress=on_progress)

    def python_lines(self, layer: ImageLayer, part: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return lines that take image and mask out of their layers."""
        mask = self.mask_layer.chosen
        begin = ", ".join(str(number) for number in part.offset)
        lines = (
            "from napari_vaegan.widgets.masks import missing_pixels",
            "from napari_vaegan.widgets.layer_image import Part",
            "",
            image_line(layer, part),
            f"part = Part(image, {part.axes!r}, ({begin},))",
            f"mask = missing_pixels(viewer.layers[{mask.name!r}], viewer.layers[{layer.name!r}], part, viewer.dims.point)",
        )
        return lines, ("image", "mask")
