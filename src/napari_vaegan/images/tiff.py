"""Reading TIFF, OME-TIFF and ImageJ TIFF."""

from __future__ import annotations

import contextlib
import logging
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_vaegan.errors import DataError
from napari_vaegan.images.calibration import Calibration, read_calibration
from napari_vaegan.images.colour import grey_if_equal, without_alpha
from napari_vaegan.images.image import Image

TIFF_SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

# Below this, reading at once is quick, and the file may be moved or replaced while its pixels are in use.
_MAPPED_FROM_BYTES = 2**28

_SEQUENCE_AXES = "QI"


def read_tiff(path: Path) -> Image:
    """Read the first series of a TIFF, with axes, pixel size and channel names as its metadata say."""
    with _quiet_tifffile(), tifffile.TiffFile(path) as tiff:
        series = tiff.series[0]
        if not series.is_multifile:
            return _read_series(path, tiff)
    # One file of a data set that spans several: its planes only, or each would bring the whole set again.
    with _quiet_tifffile(), tifffile.TiffFile(path, is_ome=False) as tiff:
        return _read_series(path, tiff)


def _read_series(path: Path, tiff: tifffile.TiffFile) -> Image:
    series = tiff.series[0]
    _check_complete(path, tiff)
    pixels = _pixels(path, tiff)
    axes = series.axes
    if "S" in axes:
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
        axes = axes.replace("S", "") + "S"
        if series.keyframe.photometric == tifffile.PHOTOMETRIC.RGB:
            pixels = grey_if_equal(without_alpha(pixels))
        if pixels.ndim < len(axes):
            axes = axes[:-1]
    pixels, axes, guessed = _known_axes(path, pixels, axes)
    calibration: Calibration = read_calibration(tiff)
    return Image(
        pixels,
        axes,
        axes_guessed=guessed,
        name=path.name,
        path=path,
        pixel_size={axis: size for axis, size in calibration.pixel_size.items() if axis in axes},
        unit={axis: unit for axis, unit in calibration.unit.items() if axis in axes},
        channel_names=calibration.channel_names if "C" in axes else (),
    )


def _check_complete(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse a file that was cut short: missing parts would otherwise read as zeros."""
    size = path.stat().st_size
    pages = tiff.series[0].pages
    missing = sum(page is None for page in pages)
    cut = 0
    for page in pages:
        if page is not None:
            ends = np.add(page.dataoffsets, page.databytecounts)
            cut += bool(ends.size == 0 or ends.max() > size)
    if missing or cut or not _chain_is_whole(tiff, size):
        raise DataError(f"{path} is cut short, so that planes are missing or incomplete: copy or save it again.")


def _pixels(path: Path, tiff: tifffile.TiffFile) -> Any:
    series = tiff.series[0]
    native = (tiff.byteorder == "<") == (sys.byteorder == "little")
    if native and series.dataoffset is not None and series.nbytes >= _MAPPED_FROM_BYTES:
        return tiff.filehandle.memmap_array(series.dtype, series.shape, series.dataoffset)
    return series.asarray()


def _chain_is_whole(tiff: tifffile.TiffFile, size: int) -> bool:
    """Follow the directories of the pages, each of which names the next, to the end of the chain."""
    layout, file = tiff.tiff, tiff.filehandle
    # The header names the first: after byte order and version, and in BigTIFF the width of offsets.
    place = 4 if layout.offsetsize == 4 else 8
    visited = set()
    while place + layout.offsetsize <= size:
        file.seek(place)
        (directory,) = struct.unpack(layout.offsetformat, file.read(layout.offsetsize))
        if directory == 0:
            return True
        if directory in visited or directory + layout.tagnosize > size:
            return False
        visited.add(directory)
        file.seek(directory)
        (tags,) = struct.unpack(layout.tagnoformat, file.read(layout.tagnosize))
        place = directory + layout.tagnosize + tags * layout.tagsize
    return False


def _known_axes(path: Path, pixels: Any, axes: str) -> tuple[Any, str, bool]:
    """Drop other axes of length 1 and take a sequence of unknown meaning as T, or Z if T is there."""
    drop = tuple(i for i, letter in enumerate(axes) if letter not in "TZCYXS" and pixels.shape[i] == 1)
    pixels = pixels.reshape([length for i, length in enumerate(pixels.shape) if i not in drop])
    axes = "".join(letter for i, letter in enumerate(axes) if i not in drop)
    guessed = False
    for letter in axes:
        if letter in _SEQUENCE_AXES:
            free = next((candidate for candidate in "TZ" if candidate not in axes), letter)
            axes, guessed = axes.replace(letter, free), True
    unknown = [letter for letter in axes if letter not in "TZCYXS"]
    if unknown:
        raise DataError(
            f'{path} has an axis "{unknown[0]}" of length {pixels.shape[axes.index(unknown[0])]} in its axes '
            f'"{axes}": give its axes as letters among TZCYX.'
        )
    return pixels, axes, guessed


@contextlib.contextmanager
def _quiet_tifffile() -> Iterator[None]:
    """Keep tifffile from logging: what matters is raised, and odd private tags are no news to the user."""
    logger = logging.getLogger("tifffile")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
