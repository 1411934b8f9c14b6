"""The part of a layer's plane that the window shows."""

from __future__ import annotations

import numpy as np
from napari.layers import Image as ImageLayer

from napari_vaegan.widgets.layer_image import Part, current_plane

_LEAST = 16
"""Pixels that a part is wide and high at least, if the layer is."""


def visible_part(layer: ImageLayer, axes: str, place: np.ndarray[tuple[int], np.dtype[np.int_]]) -> Part:
    """Return what is shown of the plane at a place of a layer; all of the plane where that cannot be told.

    Parameters
    ----------
    layer
        Of any number of dimensions.
    axes
        Its axes.
    place
        A pixel in the plane.
    """
    plane = current_plane(layer, axes, place)
    corners = np.asarray(layer.corner_pixels)
    offset, cut = list(plane.offset), [slice(None)] * len(axes)
    for dimension, letter in enumerate(axes[: layer.ndim]):
        if letter not in "YX":
            continue
        length = plane.pixels.shape[dimension]
        finer = layer.downsample_factors[layer.data_level][dimension] if layer.multiscale else 1
        begin, end = (round(float(corner) * finer) for corner in corners[:, dimension])
        if end <= begin:
            begin, end = 0, length
        begin = max(0, min(begin, length - _LEAST))
        end = min(length, max(end + 1, begin + _LEAST))
        offset[dimension], cut[dimension] = begin, slice(begin, end)
    return Part(plane.pixels[tuple(cut)], axes, tuple(offset))
