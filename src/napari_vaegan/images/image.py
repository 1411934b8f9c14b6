"""One image: its pixels and what its file says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_vaegan.images.axes import is_colour


@dataclass(frozen=True, eq=False)
class Image:
    """An image as it lies in its file.

    Attributes
    ----------
    pixels : array
        In the file's intensities and dtype; colour is the last axis. Read-only and lazy for a large TIFF
        that can be mapped into memory.
    axes : str
        One letter among TZCYX for each dimension.
    axes_guessed : bool
        Whether the file left the axes open, so that they are a guess.
    name : str
        What messages call the image.
    path : Path or None
        Its file.
    pixel_size : mapping of str to float
        Distance between neighbours along an axis (X, Y, Z) and between times (T), where known.
    unit : mapping of str to str
        The unit of each `pixel_size`, where known.
    channel_names : tuple of str
        Names of the channels; empty if the file has none.
    """

    pixels: Any
    axes: str
    axes_guessed: bool
    name: str
    path: Path | None = None
    pixel_size: Mapping[str, float] = field(default_factory=dict)
    unit: Mapping[str, str] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.pixels.shape[self.axes.index("C")]) if "C" in self.axes else 1

    @property
    def colour(self) -> bool:
        """Whether the channels are red, green and blue."""
        return is_colour(self.axes, self.pixels.shape)
