"""Writing one image file."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import tifffile

from napari_vaegan.errors import OutputError
from napari_vaegan.images.atomic import atomic_write
from napari_vaegan.images.axes import LETTERS, check_axes, is_colour
from napari_vaegan.images.image import Image
from napari_vaegan.images.note import png_note

_OME_ENDINGS = (".ome.tif", ".ome.tiff")
_TIFF_ENDINGS = (".tif", ".tiff")
_IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
_OME_DTYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64")
# Offsets in the classic format have 32 bits; some room is left for what is not pixels.
_CLASSIC_TIFF_BYTES = 2**32 - 2**25


def write_image(
    path: str | os.PathLike[str],
    array: Any,
    axes: str,
    *,
    like: Image | None = None,
    magnification: int = 1,
    note: str = "",
    overwrite: bool = False,
) -> None:
    """Write an image as TIFF or PNG, whole or not at all.

    Parameters
    ----------
    path : path
        ``.ome.tif`` becomes OME-TIFF, other ``.tif`` ImageJ TIFF where that can hold the dtype and else
        OME-TIFF, ``.png`` PNG (one plane of 8 bits, or of 16 bits if grey). Lossy formats are refused.
    array : array
        The pixels. Booleans are written as uint8, float16 as float32.
    axes : str
        Its axes. ImageJ knows only the order TZCYX, in which the axes are then written.
    like : Image, optional
        Whose pixel size, units and channel names to keep.
    magnification : int, default 1
        How many pixels of `array` lie along one of `like`: pixel size in Y and X is divided by it.
    note : str, optional
        What whoever opens the file should know of it: ImageJ's info, OME's description, or a PNG's; see ``read_note``.
    overwrite : bool, default False
        Whether a file of that name may be replaced.

    Raises
    ------
    OutputError
        If the file is there already, cannot be written, or its format cannot hold the image exactly.
    """
    path = Path(path)
    pixels = np.asarray(array)
    axes = check_axes(axes, pixels.shape)
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8)
    elif pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already: choose another name or allow overwriting.")
    name = path.name.lower()
    if name.endswith(_TIFF_ENDINGS):
        _check_tiff(path, pixels)
        with atomic_write(path) as temporary, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name.endswith(_OME_ENDINGS) or not _fits_imagej(pixels, axes):
                _write_ome(temporary, pixels, axes, like, magnification, note)
            else:
                _write_imagej(temporary, pixels, axes, like, magnification, note)
    elif name.endswith(".png"):
        _check_png(path, pixels, axes)
        with atomic_write(path) as temporary:
            imageio.imwrite(temporary, pixels, plugin="pillow", extension=".png", pnginfo=png_note(note))
    else:
        raise OutputError(f"{path} cannot be written without loss: use a name that ends in .tif, .ome.tif or .png.")


def _check_tiff(path: Path, pixels: np.ndarray[Any, Any]) -> None:
    if pixels.dtype.name not in _OME_DTYPES:
        raise OutputError(f"{path} cannot hold {pixels.dtype} numbers: convert the image to one of {_OME_DTYPES}.")


def _check_png(path: Path, pixels: np.ndarray[Any, Any], axes: str) -> None:
    grey = axes == "YX" and pixels.dtype.name in ("uint8", "uint16")
    colour = axes == "YXC" and pixels.dtype == np.uint8 and pixels.shape[-1] == 3
    if not grey and not colour:
        raise OutputError(
            f'{path} cannot hold {pixels.dtype} of axes "{axes}" and shape {pixels.shape} as PNG: '
            "use a name that ends in .tif."
        )


def _fits_imagej(pixels: np.ndarray[Any, Any], axes: str) -> bool:
    if pixels.nbytes > _CLASSIC_TIFF_BYTES or pixels.dtype.name not in _IMAGEJ_DTYPES:
        return False
    return not is_colour(axes, pixels.shape) or pixels.dtype == np.uint8


def _sizes(like: Image | None, magnification: int) -> dict[str, float]:
    if like is None:
        return {}
    return {axis: size / magnification if axis in "YX" else size for axis, size in like.pixel_size.items()}


def _names_fit(like: Image, pixels: np.ndarray[Any, Any], axes: str) -> bool:
    return "C" in axes and pixels.shape[axes.index("C")] == len(like.channel_names)


def _write_ome(
    path: Path, pixels: np.ndarray[Any, Any], axes: str, like: Image | None, magnification: int, note: str
) -> None:
    metadata: dict[str, Any] = {"Description": note} if note else {}
    for axis, size in _sizes(like, magnification).items():
        attribute = "TimeIncrement" if axis == "T" else f"PhysicalSize{axis}"
        metadata[attribute] = size
        if like is not None and axis in like.unit:
            metadata[f"{attribute}Unit"] = like.unit[axis]
    if is_colour(axes, pixels.shape):
        axes, photometric = axes.replace("C", "S"), "rgb"
    else:
        # OME keeps Y and X last.
        pixels, axes = _in_order(pixels, axes, "".join(letter for letter in axes if letter not in "YX") + "YX")
        photometric = "minisblack"
        if like is not None and _names_fit(like, pixels, axes):
            metadata["Channel"] = {"Name": list(like.channel_names)}
    metadata["axes"] = axes
    bigtiff = pixels.nbytes > _CLASSIC_TIFF_BYTES
    with tifffile.TiffWriter(path, ome=True, bigtiff=bigtiff) as tiff:
        tiff.write(pixels, photometric=photometric, metadata=metadata)


def _write_imagej(
    path: Path, pixels: np.ndarray[Any, Any], axes: str, like: Image | None, magnification: int, note: str
) -> None:
    metadata: dict[str, Any] = {"Info": note} if note else {}
    sizes = _sizes(like, magnification)
    units = like.unit if like is not None else {}
    resolution = (1 / sizes["X"], 1 / sizes["Y"]) if "X" in sizes and "Y" in sizes else None
    if "X" in units:
        # ImageJ reads its description as ASCII with Java's escapes.
        metadata["unit"] = units["X"].encode("ascii", "backslashreplace").decode().replace("\\xb5", "\\u00B5")
    if "Z" in sizes:
        metadata["spacing"] = sizes["Z"]
    if "T" in sizes:
        metadata["finterval"] = sizes["T"]
        metadata["tunit"] = units.get("T", "s")
    if is_colour(axes, pixels.shape):
        pixels, axes = _in_order(pixels, axes, "TZYXC")
        axes, photometric = axes.replace("C", "S"), "rgb"
    else:
        pixels, axes = _in_order(pixels, axes, LETTERS)
        photometric = "minisblack"
        if like is not None and _names_fit(like, pixels, axes):
            # ImageJ labels planes, of which the channels count fastest.
            planes = int(np.prod(pixels.shape[:-2]))
            metadata["Labels"] = list(like.channel_names) * (planes // len(like.channel_names))
    metadata["axes"] = axes
    with tifffile.TiffWriter(path, imagej=True) as tiff:
        tiff.write(pixels, photometric=photometric, resolution=resolution, metadata=metadata)


def _in_order(pixels: np.ndarray[Any, Any], axes: str, order: str) -> tuple[np.ndarray[Any, Any], str]:
    ordered = "".join(letter for letter in order if letter in axes)
    return np.ascontiguousarray(pixels.transpose([axes.index(letter) for letter in ordered])), ordered
