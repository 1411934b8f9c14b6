"""The missing pixels of an image, from a Labels or Shapes layer that lies anywhere in the world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Shapes
from numpy.typing import NDArray

from napari_vaegan.errors import DataError
from napari_vaegan.images.alignment import nearest_on_grid
from napari_vaegan.widgets.layer_image import Part
from napari_vaegan.widgets.world import data_to_world, place_in


def missing_pixels(mask: Labels | Shapes, image: ImageLayer, part: Part, point: Sequence[float]) -> NDArray[np.bool_]:
    """Return where the part of an image is covered by a mask, by their places in the world.

    Parameters
    ----------
    mask
        Any label above 0, or any shape, is missing. One of fewer dimensions holds for every plane.
    image
        The layer to fill.
    part
        Of its pixels.
    point
        Where the viewer's sliders stand: the plane that is taken of a mask with more dimensions than the image.

    Returns
    -------
    ndarray of bool
        Of the part's shape, without channels.

    Raises
    ------
    DataError
        If the mask covers no pixel of the part.
    """
    shape = part.pixels.shape[: image.ndim]
    begin = np.eye(image.ndim + 1)
    begin[:-1, -1] = part.offset
    to_world = data_to_world(image, image.units) @ begin
    covered = (
        _labelled(mask, image, to_world, shape, point) if isinstance(mask, Labels) else _drawn(mask, image, to_world, shape)
    )
    if not covered.any():
        raise DataError(
            f'The mask "{mask.name}" covers no pixel of "{image.name}" here: paint on the pixels that are missing, or check '
            "the places of both layers."
        )
    channel = part.axes[: image.ndim].find("C")
    return covered if channel < 0 else np.logical_or.reduce(covered, axis=channel)


def _labelled(
    mask: Labels, image: ImageLayer, to_world: NDArray[np.float64], shape: Sequence[int], point: Sequence[float]
) -> NDArray[np.bool_]:
    data = mask.data[0] if mask.multiscale else mask.data
    from_world = np.linalg.inv(data_to_world(mask, image.units))
    surplus = mask.ndim - image.ndim
    if surplus > 0:
        place = np.clip(place_in(mask, point, None)[:surplus], 0, np.array(data.shape[:surplus]) - 1)
        data, from_world = data[tuple(place)], from_world[surplus:, surplus:]
    dimensions = data.ndim
    # The mask's axes are the last of the image's.
    last = np.zeros((dimensions + 1, image.ndim + 1))
    last[:-1, image.ndim - dimensions : -1] = np.eye(dimensions)
    last[-1, -1] = 1
    return nearest_on_grid(data, from_world @ last @ to_world, shape)


def _drawn(mask: Shapes, image: ImageLayer, to_world: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Draw the shapes anew on the image's grid."""
    if not mask.data:
        return np.zeros(shape, bool)
    dimensions = min(mask.ndim, image.ndim)
    kept = [*range(image.ndim - dimensions, image.ndim), image.ndim]
    from_world = np.linalg.inv(to_world[np.ix_(kept, kept)])
    own = data_to_world(mask, image.units)
    surplus = mask.ndim - dimensions
    matrix = from_world @ own[surplus:, surplus:]
    drawn = [np.c_[vertices[:, surplus:], np.ones(len(vertices))] @ matrix[:-1].T for vertices in mask.data]
    if dimensions > 2:  # a shape lies in one plane
        for vertices in drawn:
            vertices[:, :-2] = np.round(vertices[:, :-2])
    grid = Shapes(drawn, shape_type=list(mask.shape_type), ndim=dimensions)
    labels = grid.to_labels(labels_shape=shape[-dimensions:])
    return np.broadcast_to(labels > 0, tuple(shape))
