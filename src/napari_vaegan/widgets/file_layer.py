"""An image file as a layer, in its place and size in the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pint
from napari.layers import Image as ImageLayer

from napari_vaegan.images.image import Image

if TYPE_CHECKING:
    import napari


def add_image_file(viewer: napari.Viewer, image: Image) -> ImageLayer:
    """Add an image that was read from a file, and select it."""
    axes = image.axes[:-1] if image.colour else image.axes
    layer: ImageLayer = viewer.add_image(
        image.pixels,
        name=image.name,
        rgb=image.colour,
        scale=[image.pixel_size.get(letter, 1.0) for letter in axes],
        units=[_unit(image, letter) for letter in axes],
        axis_labels=[letter.lower() for letter in axes],
    )
    viewer.layers.selection.active = layer
    return layer


def _unit(image: Image, letter: str) -> Any:
    """Return the unit of an axis; pixels where it has none, or one that nobody knows."""
    try:
        return pint.get_application_registry().Unit(image.unit.get(letter) or "pixel")
    except (pint.UndefinedUnitError, ValueError, TypeError):
        return "pixel"
