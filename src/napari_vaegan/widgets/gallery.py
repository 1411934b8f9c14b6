"""Generated images, and how they are laid out as one layer: side by side, or as a stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.widgets.known_models import KnownModel
from napari_vaegan.widgets.layer_chooser import OWN

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

GAP = 1
"""Pixels between neighbours in the layout side by side: no part of any image."""

_PIXELS_TO_JUDGE = 1_000_000


@dataclass(frozen=True, eq=False)
class Gallery:
    """Generated images, and how they were made.

    Attributes
    ----------
    known
        The file of the model that drew them.
    model
        The model itself, so that what lies between two of them is drawn by the same one, whatever becomes of its file.
    settings
        Of ``Model.generate`` or ``Model.variations``.
    images
        (count, Y, X) or (count, Y, X, C). Of variations the first is the image that is varied, as the model sees it.
    contrast_limits
        That show all of them well.
    varied
        What image the others are variations of; empty if all were generated from nothing.
    """

    known: KnownModel
    model: Model
    settings: dict[str, Any]
    images: NDArray[Any]
    contrast_limits: tuple[float, float]
    varied: str = ""

    @property
    def name(self) -> str:
        """Of their layers: it says that they were not measured."""
        return f"{self.known.label} generated{f': variations of {self.varied}' if self.varied else ''}"

    @property
    def rgb(self) -> bool:
        """Whether the channels are red, green and blue."""
        return self.known.header.colour and self.known.header.channels == 3

    @property
    def look(self) -> dict[str, Any]:
        """How their layers are shown at first."""
        return {"rgb": True} if self.rgb else {"rgb": False, "contrast_limits": self.contrast_limits}

    def metadata(self, **more: Any) -> dict[str, Any]:
        """Return what their layers say of their origin."""
        own = {
            "model": self.known.header.name,
            "model file": str(self.known.path),
            "task": "variations" if self.varied else "generate",
            "settings": self.settings,
            **({"variations of": self.varied} if self.varied else {}),
        }
        return {OWN: {**own, **more}}

    def side_by_side(self) -> tuple[NDArray[Any], dict[str, Any]]:
        """Return all images as one, counted row by row from the top left, and settings of its layer."""
        count, height, width = self.images.shape[:3]
        columns = columns_for(count, height, width)
        rows = -(-count // columns)
        # As dark as the darkest pixel: the gaps change neither contrast limits nor a histogram's range.
        whole = np.full(
            (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, *self.images.shape[3:]),
            self.images.min(),
            self.images.dtype,
        )
        for number, image in enumerate(self.images):
            top, left = (place * (side + GAP) for place, side in zip(divmod(number, columns), (height, width), strict=True))
            whole[top : top + height, left : left + width] = image
        layout = {"tile shape": (height, width), "gap": GAP, "columns": columns, "count": count}
        return self.for_layer(whole), {"axis_labels": self.axis_labels, "metadata": self.metadata(layout=layout)}

    def stacked(self) -> tuple[NDArray[Any], dict[str, Any]]:
        """Return the images behind one another, and settings of their layer."""
        return self.for_layer(self.images), {"axis_labels": ("image", *self.axis_labels), "metadata": self.metadata()}

    @property
    def axis_labels(self) -> tuple[str, ...]:
        """Of the layer of one image."""
        return ("c", "y", "x") if self.images.ndim == 4 and not self.rgb else ("y", "x")

    def for_layer(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels (…, Y, X) or (…, Y, X, C) as napari shows them: channels, unless they are colours, before Y."""
        return np.moveaxis(pixels, -1, -3) if self.images.ndim == 4 and not self.rgb else pixels


def draw_gallery(
    known: KnownModel, model: Model, settings: dict[str, Any], images: NDArray[Any], varied: str = ""
) -> Gallery:
    """Return generated images with contrast limits that leave out the extreme thousandths of their pixels."""
    values = images.reshape(-1)[:: max(1, images.size // _PIXELS_TO_JUDGE)]
    low, high = (float(limit) for limit in np.percentile(values, (0.1, 99.9)))
    return Gallery(known, model, settings, images, (low, high if high > low else low + 1), varied)


def columns_for(count: int, height: int, width: int) -> int:
    """Return how many images of a size go into a row, so that all together are about as wide as high."""
    return int(np.clip(np.ceil(np.sqrt(count * height / width)), 1, count))
