"""Single pictures: intensities as greys, errors as inferno colours, enlarged pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MISSING = (0, 110, 140)
"""No grey and no colour of inferno."""

# Ten stops of the colour map inferno (Smith and van der Walt 2015, CC0), evenly spaced from dark to bright.
_INFERNO = np.array(
    [
        (0, 0, 4),
        (27, 12, 66),
        (75, 12, 107),
        (120, 28, 109),
        (165, 44, 96),
        (207, 68, 70),
        (237, 105, 37),
        (251, 154, 6),
        (247, 208, 60),
        (252, 255, 164),
    ],
    dtype=float,
)


@dataclass(frozen=True)
class Contrast:
    """The intensities shown as black and as white."""

    black: float
    white: float

    @classmethod
    def of(cls, image: NDArray[Any]) -> Contrast:
        """Choose what suits an image: few pixels are darker than black or brighter than white."""
        black, white = (float(level) for level in np.percentile(image, (0.5, 99.8)))
        return cls(black, max(white, black + 1e-6))

    def grey(self, image: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> Image.Image:
        """Show an image in grey, and missing pixels in a colour of their own."""
        shade = np.clip((np.asarray(image, float) - self.black) / (self.white - self.black), 0, 1)
        picture = np.repeat(np.rint(255 * shade).astype(np.uint8)[..., None], 3, axis=-1)
        if missing is not None:
            picture[missing] = MISSING
        return Image.fromarray(picture)


def inferno(image: NDArray[Any], highest: float) -> Image.Image:
    """Show values from 0 to ``highest`` in the colours of inferno."""
    place = np.clip(np.asarray(image, float) / highest, 0, 1)
    stops = np.linspace(0, 1, len(_INFERNO))
    colours = [np.interp(place, stops, _INFERNO[:, channel]) for channel in range(3)]
    return Image.fromarray(np.rint(np.stack(colours, axis=-1)).astype(np.uint8))


def enlarged(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Enlarge a picture to (width, height); its pixels stay squares."""
    return picture.resize(size, Image.Resampling.NEAREST)
