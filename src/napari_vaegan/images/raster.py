"""Reading PNG and JPEG."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio

from napari_vaegan.errors import DataError
from napari_vaegan.images.colour import grey_if_equal, without_alpha
from napari_vaegan.images.image import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"

_PNG_DEPTH_AND_COLOUR = slice(24, 26)
_PNG_COLOUR_OR_ALPHA = (2, 4, 6)


def read_raster(path: Path) -> Image:
    """Read a PNG or JPEG of one picture: ``"YX"``, or ``"YXC"`` if it has colours that differ."""
    with path.open("rb") as file:
        beginning = file.read(32)
    if beginning.startswith(PNG_SIGNATURE):
        depth, colour = beginning[_PNG_DEPTH_AND_COLOUR]
        # The decoder would silently keep only the upper half of each of these numbers.
        if depth == 16 and colour in _PNG_COLOUR_OR_ALPHA:
            raise DataError(f"{path} is a PNG of 16-bit colours, which would lose half its bits: save it as TIFF.")
    mode = imageio.immeta(path, plugin="pillow")["mode"]
    pixels = imageio.imread(path, plugin="pillow", index=0, mode="RGB" if mode == "CMYK" else None)
    if pixels.ndim == 3:
        pixels = grey_if_equal(without_alpha(pixels))
    return Image(pixels, "YX" if pixels.ndim == 2 else "YXC", axes_guessed=False, name=path.name, path=path)
