"""From the pixels of a layer to the world and back, with the units that layers have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Layer
from napari.utils.transforms import Affine
from numpy.typing import NDArray
from pint import DimensionalityError


def data_to_world(layer: Layer, units: Sequence[Any]) -> NDArray[np.float64]:
    """Return the affine map from a layer's data coordinates to the world, in these units of the world's last axes.

    Units that cannot be converted (pixels and micrometres) are taken for equal, as napari shows them.

    Returns
    -------
    ndarray (n + 1, n + 1)
        In homogeneous coordinates.
    """
    placed = Affine(scale=layer.scale, rotate=layer.rotate, shear=layer.shear, translate=layer.translate)
    matrix: NDArray[np.float64] = np.array(layer.affine.affine_matrix @ placed.affine_matrix)
    last = tuple(units)[-layer.ndim :]
    for axis, (own, wanted) in enumerate(zip(layer.units[-len(last) :], last, strict=True), start=layer.ndim - len(last)):
        matrix[axis] *= conversion(own, wanted)
    return matrix


def conversion(unit: Any, wanted: Any) -> float:
    """Return how many of the wanted unit make one of this; 1 if they are of different kinds."""
    try:
        return float((1 * unit).to(wanted).magnitude)
    except DimensionalityError:
        return 1.0


def place_in(layer: Layer, point: Sequence[float], units: Sequence[Any] | None) -> NDArray[np.int_]:
    """Return the pixel of a layer at a point of the world, whose last axes are the layer's.

    Parameters
    ----------
    layer
        Of no more dimensions than the world.
    point
        World coordinates, as of the viewer's sliders.
    units
        Those of the point; None for the layer's own.
    """
    last = np.asarray(point, float)[-layer.ndim :]
    own = np.zeros(layer.ndim)
    own[layer.ndim - len(last) :] = last
    matrix = data_to_world(layer, units if units is not None else layer.units)
    place: NDArray[np.float64] = np.linalg.inv(matrix) @ np.append(own, 1.0)
    return np.round(place[:-1]).astype(int)
