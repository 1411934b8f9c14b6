"""The image at hand: taken apart into planes for a model, and put together again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.errors import DataError, ShapeError
from napari_vaegan.images.axes import PlaneLayout, guess_axes, is_colour, to_planes
from napari_vaegan.images.scaling import Scaling

SMALLEST_SIDE = 8


@dataclass(frozen=True)
class Subject:
    """An image that is to be restored.

    Attributes
    ----------
    planes
        (N, Y, X, C), maybe lazy, in the image's own intensities and dtype.
    layout
        How to put planes together again.
    dtype
        Of the image, and of the restored one: uint8 if the image holds booleans.
    colour
        Whether its channels are red, green and blue.
    guessed
        A sentence that states the axes if they were guessed.
    """

    planes: Any
    layout: PlaneLayout
    dtype: np.dtype[Any]
    colour: bool
    guessed: tuple[str, ...]

    @classmethod
    def of(cls, image: Any, channels: int, axes: str | None) -> Subject:
        """Take an image apart.

        Parameters
        ----------
        image
            Array of numbers; NumPy, dask or zarr.
        channels
            What the model was trained on.
        axes
            The image's axes; guessed if None.

        Raises
        ------
        ShapeError
            If the axes do not fit, the image is smaller than 8 × 8, or has other channels than the model.
        DataError
            If it does not hold real numbers.
        """
        if not hasattr(image, "shape") or not hasattr(image, "dtype"):
            image = np.asarray(image)
        dtype = np.dtype(image.dtype)
        if dtype.kind not in "uifb":
            raise DataError(f"An image of {dtype} cannot be restored: give integers or floats.")
        if len(image.shape) < 2:
            raise ShapeError(f"An array of shape {tuple(image.shape)} is not an image: give at least two axes, Y and X.")
        guessed = () if axes or len(image.shape) == 2 else guess_axes(image.shape, channels)
        planes, layout = to_planes(image, axes or guess_axes(image.shape, channels))
        found = planes.shape[-1]
        if found != channels:
            raise ShapeError(
                f"The image has {_count(found, 'channel')} (shape {tuple(image.shape)}, axes {layout.axes}), "
                f"the model was trained on {_count(channels, 'channel')}: "
                "choose another model, or say where the channels are with axes=."
            )
        if min(planes.shape[1:3]) < SMALLEST_SIDE:
            raise ShapeError(
                f"An image of {planes.shape[1]} × {planes.shape[2]} pixels is too small: "
                f"give at least {SMALLEST_SIDE} × {SMALLEST_SIDE}."
            )
        if dtype.kind == "b":
            dtype = np.dtype(np.uint8)
            planes = planes.astype(dtype)
        said = (f"The axes of the image were taken to be {layout.axes}.",) if guessed else ()
        return cls(planes, layout, dtype, is_colour(layout.axes, layout.shape), said)

    def __len__(self) -> int:
        return int(self.planes.shape[0])

    def plane(self, index: int) -> NDArray[Any]:
        """Return one plane (Y, X, C)."""
        return np.asarray(self.planes[index])

    def finite_plane(self, index: int) -> NDArray[Any]:
        """Return one plane (Y, X, C).

        Raises
        ------
        DataError
            If it has NaN or infinite pixels.
        """
        plane = self.plane(index)
        if bad := self.describe_not_finite(index, plane):
            raise DataError(f"{bad}: inpaint or replace what is not finite first.")
        return plane

    def describe_not_finite(self, index: int, plane: NDArray[Any], where: str = "") -> str:
        """Say how many pixels of a plane are NaN or infinite; nothing if there are none."""
        bad = int((~np.isfinite(plane)).any(axis=-1).sum())
        place = self.layout.label(index)
        if not bad:
            return ""
        return f"The image is NaN or infinite at {_count(bad, 'pixel')}{where}{f' of {place}' if place else ''}"

    @property
    def step(self) -> float:
        """The step between two intensities: 1 for integers, 0 for floats."""
        return 0.0 if self.dtype.kind == "f" else 1.0


def to_tensor(plane: NDArray[Any], scaling: Scaling) -> Tensor:
    """Return a plane (Y, X, C) as scaled (1, C, Y, X)."""
    scaled = scaling.forward(plane)
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[None]


def from_tensor(scaled: Tensor, scaling: Scaling) -> NDArray[np.float64]:
    """Return scaled (..., C, Y, X) as intensities (..., Y, X, C)."""
    return scaling.inverse(np.moveaxis(scaled.numpy(), -3, -1))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
