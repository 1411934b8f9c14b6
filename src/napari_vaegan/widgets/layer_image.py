"""What a layer holds, as the library takes it: pixels, axes and a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray

from napari_vaegan.images.axes import check_axes, guess_axes
from napari_vaegan.images.image import Image

_SPELLINGS = {"time": "T", "frame": "T", "depth": "Z", "plane": "Z", "channel": "C", "row": "Y", "column": "X"}


@dataclass(frozen=True)
class LayerAxes:
    """The axes of a layer's pixels, colour included, and whether they are a guess."""

    letters: str
    guessed: bool


def pixels_of(layer: ImageLayer) -> Any:
    """Return a layer's pixels, of a multiscale layer the finest; alpha is left out, as it is no intensity."""
    pixels = layer.data[0] if layer.multiscale else layer.data
    return pixels[..., :3] if layer.rgb else pixels


def axes_of(layer: ImageLayer, channels: int | None = None) -> LayerAxes:
    """Return a layer's axes: from its axis labels, or else a guess.

    Parameters
    ----------
    layer
        Of grey, colour or multichannel images.
    channels
        What a model expects, which helps to guess where they are.

    Raises
    ------
    ShapeError
        If the layer has more dimensions than T, Z, C, Y and X.
    """
    pixels = pixels_of(layer)
    labels = [_SPELLINGS.get(label.lower(), label.upper()) for label in layer.axis_labels]
    stated = "".join(labels)
    if all(len(label) == 1 for label in labels) and {"Y", "X"} <= set(labels) <= set("TZCYX"):
        return LayerAxes(check_axes(stated + ("C" if layer.rgb else ""), pixels.shape), guessed=False)
    if layer.rgb:
        return LayerAxes(guess_axes(pixels.shape[:-1]) + "C", guessed=layer.ndim > 2)
    return LayerAxes(guess_axes(pixels.shape, channels), guessed=layer.ndim > 2)


def image_of(layer: ImageLayer, axes: str) -> Image:
    """Return a layer as an image of the library."""
    return Image(pixels_of(layer), check_axes(axes, pixels_of(layer).shape), axes_guessed=False, name=layer.name)


@dataclass(frozen=True)
class Part:
    """The part of a layer's pixels that is to be restored.

    Attributes
    ----------
    pixels
        Of as many dimensions as the layer's.
    axes
        Their axes.
    offset
        Where the part begins in the layer's data, for each of the layer's dimensions (without colour).
    """

    pixels: Any
    axes: str
    offset: tuple[int, ...]


def whole(layer: ImageLayer, axes: str) -> Part:
    """Return all planes of a layer."""
    return Part(pixels_of(layer), axes, (0,) * layer.ndim)


def current_plane(layer: ImageLayer, axes: str, place: Sequence[int] | NDArray[np.int_]) -> Part:
    """Return the plane of a layer at a place in its data, with time and depth of length 1.

    Parameters
    ----------
    layer
        Of any number of dimensions.
    axes
        Its axes: channels are kept.
    place
        A pixel of it; one beyond the layer counts as its nearest.
    """
    pixels = pixels_of(layer)
    offset = [0] * layer.ndim
    cut: list[slice] = [slice(None)] * len(axes)
    for dimension, letter in enumerate(axes[: layer.ndim]):
        if letter in "TZ":
            offset[dimension] = int(np.clip(place[dimension], 0, pixels.shape[dimension] - 1))
            cut[dimension] = slice(offset[dimension], offset[dimension] + 1)
    return Part(pixels[tuple(cut)], axes, tuple(offset))
