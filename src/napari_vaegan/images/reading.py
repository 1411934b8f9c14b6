"""Reading one image file, and finding them in a folder."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_vaegan.errors import DataError, ShapeError
from napari_vaegan.images.axes import check_axes
from napari_vaegan.images.image import Image
from napari_vaegan.images.raster import JPEG_SIGNATURE, PNG_SIGNATURE, read_raster
from napari_vaegan.images.tiff import TIFF_SIGNATURES, read_tiff

__all__ = ["SUFFIXES", "Image", "find_files", "read_image", "walk_files"]

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
"""Endings of the files that can be read."""


def read_image(path: str | os.PathLike[str], axes: str | None = None) -> Image:
    """Read a TIFF, OME-TIFF, ImageJ TIFF, PNG or JPEG.

    Parameters
    ----------
    path : path
        The file. What it is is told by its content, not by its name.
    axes : str, optional
        Axes to use instead of the file's own or the guessed ones, such as ``"TYX"``.

    Returns
    -------
    Image
        In the file's own intensities: uint8 if the file holds booleans. Alpha is dropped, and a colour image
        whose channels all agree is grey.

    Raises
    ------
    DataError
        If the file is missing, empty, damaged, or not an image; the message names the file.
    ShapeError
        If `axes` do not fit it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
        # What a decoder warns about is raised by it a moment later, or does not concern the pixels.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _decode(path, beginning)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: check the name and the folder.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder: give an image file here.") from None
    except MemoryError:
        raise DataError(f"{path} is too large for this machine's memory: crop it or split it into files.") from None
    except Exception as error:  # a decoder may raise anything on a damaged file
        reason = " ".join(str(error).split()) or type(error).__name__
        advice = "install imagecodecs" if "imagecodecs" in reason else "check that it opens elsewhere or save it again"
        raise DataError(f"{path} cannot be read ({reason.rstrip('.')}): {advice}.") from error
    if image.pixels.size == 0:
        raise DataError(f"{path} has no pixels: remove it or save it again.")
    if image.pixels.dtype == bool:
        image = replace(image, pixels=image.pixels.astype(np.uint8))
    if image.pixels.dtype.kind not in "uif":
        raise DataError(f"{path} holds {image.pixels.dtype} numbers: save it as integers or floats.")
    return _with_axes(image, axes)


def _decode(path: Path, beginning: bytes) -> Image:
    if beginning.startswith(TIFF_SIGNATURES):
        return read_tiff(path)
    if beginning.startswith((PNG_SIGNATURE, JPEG_SIGNATURE)):
        return read_raster(path)
    if not beginning:
        raise DataError(f"{path} is empty: copy or save it again.")
    raise DataError(f"{path} is not a TIFF, PNG or JPEG image, whatever its name: remove it or save it as TIFF.")


def _with_axes(image: Image, axes: str | None) -> Image:
    if axes is None:
        return replace(image, axes=check_axes(image.axes, image.pixels.shape))
    wanted = axes.upper().replace("S", "C")
    # Colour that turned out to be grey lost its axis in reading.
    if "C" in wanted and "C" not in image.axes and len(wanted) == image.pixels.ndim + 1:
        wanted = wanted.replace("C", "")
    try:
        return replace(image, axes=check_axes(wanted, image.pixels.shape), axes_guessed=False)
    except ShapeError as error:
        raise ShapeError(f"{image.path}: {error}") from None


def walk_files(folder: Path) -> list[Path]:
    """Return every file in a folder and its sub-folders, sorted, leaving out hidden ones.

    Raises
    ------
    DataError
        If the folder is missing, is not a folder or cannot be listed.
    """
    if not folder.exists():
        raise DataError(f"The folder {folder} does not exist: check its name.")
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give a folder of images.")

    def refuse(error: OSError) -> None:
        raise DataError(f"The folder {error.filename} cannot be listed: allow reading it.") from error

    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(files)


def find_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the image files (see `SUFFIXES`) in a folder and below, sorted, without hidden ones."""
    return [path for path in walk_files(Path(folder)) if path.suffix.lower() in SUFFIXES]
