"""The image at hand: taken apart into planes for a model, and put together again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.errors import DataError, ShapeError
from napari_vaegan.images.axes import PlaneLayout, check_axes, guess_axes, is_colour
from napari_vaegan.images.scaling import Scaling

SMALLEST_SIDE = 8


@dataclass(frozen=True)
class Subject:
    """An image that is to be restored: a sequence of planes, each of which is read when it is asked for.

    Attributes
    ----------
    image
        As it was given, maybe lazy.
    layout
        How to put planes together again.
    dtype
        Of the image, and of the restored one: uint8 if the image holds booleans.
    colour
        Whether its channels are red, green and blue.
    guessed
        A sentence that states the axes if they were guessed.
    """

    image: Any
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
        shape = tuple(int(length) for length in image.shape)
        layout = PlaneLayout(check_axes(axes or guess_axes(shape, channels), shape), shape)
        said = (f"The axes of the image were taken to be {layout.axes}.",) if guessed else ()
        kept = np.dtype(np.uint8) if dtype.kind == "b" else dtype
        subject = cls(image, layout, kept, is_colour(layout.axes, shape), said)
        count, height, width, found = subject.shape
        if found != channels:
            raise ShapeError(
                f"The image has {_count(found, 'channel')} (shape {shape}, axes {layout.axes}), "
                f"the model was trained on {_count(channels, 'channel')}: "
                "choose another model, or say where the channels are with axes=."
            )
        if min(height, width) < SMALLEST_SIDE:
            raise ShapeError(
                f"An image of {height} × {width} pixels is too small: give at least {SMALLEST_SIDE} × {SMALLEST_SIDE}."
            )
        if not count:
            raise ShapeError(f"An image of shape {shape} (axes {layout.axes}) has no planes: give at least one.")
        return subject

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Planes, height, width and channels."""
        lengths = self._lengths
        return math.prod(lengths[axis] for axis in self.layout.leading), lengths["Y"], lengths["X"], lengths.get("C", 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Read one plane (Y, X, C), and of a lazy image no other."""
        leading = self.layout.leading
        places = np.unravel_index(index, [self._lengths[axis] for axis in leading]) if leading else ()
        where = dict(zip(leading, map(int, places), strict=True))
        plane = np.asarray(self.image[tuple(where.get(axis, slice(None)) for axis in self.layout.axes)])
        axes = [axis for axis in self.layout.axes if axis in "YXC"]
        plane = plane.transpose([axes.index(axis) for axis in "YXC" if axis in axes])
        return (plane if "C" in axes else plane[..., None]).astype(self.dtype, copy=False)

    @property
    def _lengths(self) -> dict[str, int]:
        return dict(zip(self.layout.axes, self.layout.shape, strict=True))

    def finite_plane(self, index: int) -> NDArray[Any]:
        """Return one plane (Y, X, C).

        Raises
        ------
        DataError
            If it has NaN or infinite pixels.
        """
        plane = self[index]
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
