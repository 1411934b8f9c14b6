"""What images can come from: folders, files, arrays, and lists of these."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_vaegan.errors import DataError
from napari_vaegan.images.axes import check_axes, guess_axes
from napari_vaegan.images.colour import grey_if_equal, without_alpha
from napari_vaegan.images.image import Image
from napari_vaegan.images.reading import SUFFIXES, read_image, walk_files


@dataclass(frozen=True, eq=False)
class Entry:
    """One image that is yet to be opened.

    Attributes
    ----------
    name : str
        What messages call it.
    content : Path or array
        The file, the array itself, or an image that was opened already.
    """

    name: str
    content: Any

    @property
    def array_bytes(self) -> int:
        """Bytes of an array; 0 for a file, which tells only once it is read."""
        if isinstance(self.content, Path):
            return 0
        pixels = self.content.pixels if isinstance(self.content, Image) else self.content
        return int(np.prod(pixels.shape) * np.dtype(pixels.dtype).itemsize)


def list_entries(source: Any) -> list[Entry]:
    """List the images of a source, those of folders by their path in it.

    Raises
    ------
    DataError
        If the source is missing, of a wrong kind, or empty.
    """
    several = isinstance(source, list | tuple)
    entries: list[Entry] = []
    for number, item in enumerate(source if several else [source]):
        if isinstance(item, str | os.PathLike):
            entries += _from_path(Path(item))
        elif isinstance(item, Image):
            entries.append(Entry(item.name, item))
        elif hasattr(item, "shape") and hasattr(item, "dtype"):
            entries.append(Entry(f"array {number}" if several else "array", item))
        else:
            raise DataError(f"Images cannot be taken from a {type(item).__name__}: give a folder, files or arrays.")
    if not entries:
        raise DataError("The list of images is empty: give a folder, files or arrays.")
    return entries


def _from_path(path: Path) -> list[Entry]:
    if not path.exists():
        raise DataError(f"{path} does not exist: check the name and the folder.")
    if not path.is_dir():
        return [Entry(path.name, path)]
    # Images first, so that a list cut short names those and not the notes beside them.
    files = sorted(walk_files(path), key=lambda file: file.suffix.lower() not in SUFFIXES)
    entries = [Entry(file.relative_to(path).as_posix(), file) for file in files]
    if not entries:
        raise DataError(f"The folder {path} is empty: put TIFF, PNG or JPEG images into it.")
    return entries


def open_entry(entry: Entry, axes: str | None, channels: int | None) -> Image:
    """Read a file, or give an array its axes.

    Raises
    ------
    DataError, ShapeError
        If it cannot be used.
    """
    if isinstance(entry.content, Image):
        return entry.content
    if not isinstance(entry.content, Path):
        return _from_array(entry, axes, channels)
    if entry.content.suffix.lower() not in SUFFIXES:
        raise DataError(f"{entry.content} is not a TIFF, PNG or JPEG file: save it as TIFF to use it.")
    return replace(read_image(entry.content, axes), name=entry.name)


def _from_array(entry: Entry, axes: str | None, channels: int | None) -> Image:
    pixels = entry.content
    if np.dtype(pixels.dtype).kind not in "buif":
        raise DataError(f"{entry.name} holds {pixels.dtype} numbers: convert it to integers or floats.")
    if 0 in pixels.shape:
        raise DataError(f"{entry.name} of shape {tuple(pixels.shape)} has no pixels: leave it out.")
    chosen = check_axes(axes, pixels.shape) if axes else guess_axes(pixels.shape, channels)
    if not axes and isinstance(pixels, np.ndarray) and _is_picture(pixels, chosen, channels):
        pixels = grey_if_equal(without_alpha(pixels))
        chosen = chosen if pixels.ndim == len(chosen) else chosen[:-1]
    return Image(pixels, chosen, axes_guessed=not axes and len(chosen) > 2, name=entry.name)


def _is_picture(pixels: np.ndarray[Any, Any], axes: str, channels: int | None) -> bool:
    """Whether an array looks like what a picture file gives: 8-bit colour, perhaps with alpha."""
    samples = pixels.shape[-1]
    return axes.endswith("C") and pixels.dtype == np.uint8 and samples in (3, 4) and samples != channels
