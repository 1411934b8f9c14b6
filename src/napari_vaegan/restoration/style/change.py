"""The change of an image's look: one for a whole image or series, applied pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.restoration.style.alignment import LinearMap
from napari_vaegan.restoration.style.density import DensityScale
from napari_vaegan.restoration.style.rising_curve import RisingCurve


class Change(Protocol):
    """A change of look, without regard to where a pixel lies: tiles cannot show."""

    def __call__(self, pixels: NDArray[Any], strength: float) -> NDArray[np.float64]:
        """Return the intensities ``(..., C)`` with this share of the change."""

    def constrained_share(self, pixels: NDArray[Any]) -> float:
        """Return the share of pixels ``(..., C)`` that wanted to change more than the structure of the image allows."""


@dataclass(frozen=True)
class ColourChange:
    """A linear map of optical densities.

    Attributes
    ----------
    scale
        Of the image.
    map
        Of its densities.
    limited
        Whether the map had to be limited, which concerns every pixel.
    """

    scale: DensityScale
    map: LinearMap
    limited: bool

    def __call__(self, pixels: NDArray[Any], strength: float) -> NDArray[np.float64]:
        """Return the intensities ``(..., 3)`` with this share of the change, in density."""
        return self.scale.intensity(self.map.blended(strength)(self.scale.density(pixels)))

    def constrained_share(self, pixels: NDArray[Any]) -> float:
        """Return 1 if the map had to be limited, or else the share of pixels that go beyond white or black."""
        if self.limited:
            return 1.0
        mapped = self.scale.intensity(self.map(self.scale.density(pixels)))
        outside = (mapped < 0) | (mapped > self.scale.white)
        return float(outside.any(-1).mean())


@dataclass(frozen=True)
class ChannelChange:
    """A rising curve of intensity for each channel.

    Attributes
    ----------
    white
        The intensity that counts as 1.
    curves
        One a channel.
    """

    white: float
    curves: tuple[RisingCurve, ...]

    def __call__(self, pixels: NDArray[Any], strength: float) -> NDArray[np.float64]:
        """Return the intensities ``(..., C)`` with this share of the change."""
        changed = np.empty(pixels.shape)
        for channel, curve in enumerate(self.curves):
            share = pixels[..., channel].astype(np.float64) / self.white
            changed[..., channel] = self.white * ((1 - strength) * share + strength * curve(share))
        return changed

    def constrained_share(self, pixels: NDArray[Any]) -> float:
        """Return the share of pixels where a channel's curve is as steep or flat as it may be."""
        parts = [curve.is_limited(pixels[..., channel] / self.white) for channel, curve in enumerate(self.curves)]
        return float(np.stack(parts).any(0).mean())
