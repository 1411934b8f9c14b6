"""Which dimension of an array is what: letters among T, Z, C, Y and X, and the way to planes and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_vaegan.errors import ShapeError

LETTERS = "TZCYX"

_GREY_GUESS = {2: "YX", 3: "TYX", 4: "TZYX", 5: "TZCYX"}
_LEADING = {2: "", 3: "T", 4: "TZ"}
_COLOUR_LENGTHS = (1, 3, 4)


def guess_axes(shape: Sequence[int], channels: int | None = None) -> str:
    """Guess the axes of an array that comes without metadata.

    Parameters
    ----------
    shape : sequence of int
        Shape of the array, 2 to 5 dimensions.
    channels : int, optional
        Channels that are expected (a model's). If more than one, the dimension of that length is C.

    Returns
    -------
    str
        One letter a dimension. Two dimensions are ``"YX"``; a last dimension of 1, 3 or 4 that is much
        shorter than the two before it is colour (``"YXC"``, ``"TYXC"``); otherwise the leading dimensions
        are time and depth (``"TYX"``, ``"TZYX"``, ``"TZCYX"``).

    Raises
    ------
    ShapeError
        If the array has fewer than 2 or more than 5 dimensions.
    """
    dimensions = len(shape)
    if dimensions not in _GREY_GUESS:
        raise ShapeError(
            f"An image of shape {tuple(shape)} has {dimensions} dimensions: "
            'give an array of 2 to 5 dimensions, such as "YX" or "TZCYX".'
        )
    if dimensions == 2:
        return "YX"
    if channels is not None and channels > 1:
        # In five dimensions TZCYX is the usual order, so its C is looked at before the first dimension.
        candidates = (dimensions - 1, 2, 0) if dimensions == 5 else (dimensions - 1, 0, dimensions - 3)
        for candidate in candidates:
            if shape[candidate] == channels:
                others = _LEADING[dimensions - 1] + "YX"
                return others[:candidate] + "C" + others[candidate:]
    last = shape[-1]
    if last in _COLOUR_LENGTHS and min(shape[-3], shape[-2]) >= 2 * last:
        return _LEADING[dimensions - 1] + "YXC"
    return _GREY_GUESS[dimensions]


def check_axes(axes: str, shape: Sequence[int]) -> str:
    """Return `axes` in capitals with S (a file's colour samples) named C, or say what is wrong with them.

    Parameters
    ----------
    axes : str
        One letter a dimension, in any order.
    shape : sequence of int
        Shape of the array that they describe.

    Raises
    ------
    ShapeError
        For a wrong or doubled letter, a wrong number of letters, or if Y or X is missing.
    """
    normal = axes.upper().replace("S", "C")
    for letter in normal:
        if letter not in LETTERS:
            raise ShapeError(f'Axes "{axes}" have the letter "{letter}": use letters among {LETTERS}.')
        if normal.count(letter) > 1:
            raise ShapeError(f'Axes "{axes}" name {letter} more than once: use each of {LETTERS} once at most.')
    if len(normal) != len(shape):
        raise ShapeError(
            f'Axes "{axes}" have {len(normal)} letters for an image of shape {tuple(shape)}: '
            "give one letter for each dimension."
        )
    for letter in "YX":
        if letter not in normal:
            raise ShapeError(f'Axes "{axes}" lack {letter}: an image needs both Y and X.')
    return normal


def is_colour(axes: str, shape: Sequence[int]) -> bool:
    """Whether an image is red, green and blue: files keep colour as a last dimension of 3."""
    return axes.endswith("C") and shape[-1] == 3


@dataclass(frozen=True)
class PlaneLayout:
    """How an array was taken apart into planes.

    Attributes
    ----------
    axes : str
        The array's axes.
    shape : tuple of int
        The array's shape.
    """

    axes: str
    shape: tuple[int, ...]

    @property
    def leading(self) -> str:
        """The axes that count planes, in the array's order."""
        return "".join(letter for letter in self.axes if letter not in "YXC")

    @property
    def _leading_shape(self) -> tuple[int, ...]:
        return tuple(self.shape[self.axes.index(letter)] for letter in self.leading)

    def label(self, plane: int) -> str:
        """Name a plane by its place, such as ``"T=3 Z=0"``; empty if there is only one."""
        places = np.unravel_index(plane, self._leading_shape) if self.leading else ()
        return " ".join(f"{letter}={place}" for letter, place in zip(self.leading, places, strict=True))

    def restore(self, planes: Any) -> Any:
        """Put planes back into the array's order of axes.

        Parameters
        ----------
        planes : array (N, Y2, X2, C)
            As many planes as there were; Y2 and X2 may differ from the array's own.

        Returns
        -------
        array
            With the original axes; a channel axis that the array did not have is dropped again.

        Raises
        ------
        ShapeError
            If the planes are not as many as there were, or have channels that the array has no axis for.
        """
        if planes.ndim != 4 or planes.shape[0] != int(np.prod(self._leading_shape)):
            raise ShapeError(
                f'Planes of shape {planes.shape} do not fit an image of axes "{self.axes}" and shape '
                f"{self.shape}: give planes (N, Y, X, C), as many as there were."
            )
        order = self.leading + "YX"
        restored = planes.reshape(self._leading_shape + planes.shape[1:])
        if "C" in self.axes:
            order += "C"
        elif planes.shape[-1] == 1:
            restored = restored[..., 0]
        else:
            raise ShapeError(f'Planes of {planes.shape[-1]} channels do not fit axes "{self.axes}": name a channel axis C.')
        return restored.transpose([order.index(letter) for letter in self.axes])


def to_planes(array: Any, axes: str) -> tuple[Any, PlaneLayout]:
    """Take an image apart into planes.

    Parameters
    ----------
    array : array
        NumPy or dask (or zarr, which becomes dask); a dask array stays lazy.
    axes : str
        Its axes, in any order.

    Returns
    -------
    planes : array (N, Y, X, C)
        T and Z, in the array's order, as N; C is 1 where the array has no channel axis.
    layout : PlaneLayout
        The way back.
    """
    axes = check_axes(axes, array.shape)
    if not hasattr(array, "transpose"):
        import dask.array

        array = dask.array.from_array(array)  # type: ignore[no-untyped-call]
    layout = PlaneLayout(axes, tuple(int(length) for length in array.shape))
    order = layout.leading + "YX" + ("C" if "C" in axes else "")
    planes = array.transpose([axes.index(letter) for letter in order])
    if "C" not in axes:
        planes = planes[..., None]
    return planes.reshape((int(np.prod(layout._leading_shape)), *planes.shape[-3:])), layout
