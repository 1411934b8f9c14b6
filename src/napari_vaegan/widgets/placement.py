"""Where a result lies in the world: exactly over the layer that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.utils.transforms import Affine


def placement(layer: ImageLayer, axes: str, offset: Sequence[int], factor: int = 1) -> dict[str, Any]:
    """Return the settings that place a result over its source.

    Parameters
    ----------
    layer
        The source.
    axes
        Its axes.
    offset
        Where the restored part begins in the source's data, in pixels.
    factor
        How many times finer the result's Y and X are. The centre of its first pixel lies half a source pixel less half
        an own one before that of the source's first pixel, or the result would be shifted.

    Returns
    -------
    dict
        ``scale``, ``translate``, ``rotate``, ``shear``, ``affine``, ``units`` and ``axis_labels``.
    """
    finer = np.array([factor if letter in "YX" else 1 for letter in axes[: layer.ndim]])
    begin = np.asarray(offset, float) - (1 - 1 / finer) / 2
    linear = Affine(scale=layer.scale, rotate=layer.rotate, shear=layer.shear).linear_matrix
    return {
        "scale": np.asarray(layer.scale) / finer,
        "translate": np.asarray(layer.translate) + linear @ begin,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }
