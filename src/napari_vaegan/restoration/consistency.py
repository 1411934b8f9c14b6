"""What every finished image shares with what was observed: nothing, its known pixels, or its block means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.restoration.rounding import round_keeping_block_means, round_to

Place = tuple[int, slice]
"""Some rows of a plane, or all: the plane's index, and the rows on the grid of the input."""


class Consistency(Protocol):
    """How an estimate is made to agree with what was observed there.

    Estimates and images are (Y, X, C), on the grid of the result. What was seen is on that of the input.
    """

    def keep(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[np.float64]:
        """Put what is known exactly into the estimate of a place."""

    def finish(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[Any]:
        """Return an estimate in the image's dtype, in agreement with what was seen."""

    def seen_in(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return what was seen, as far as it binds, of a finished image."""

    def residual(self, image: NDArray[Any], seen: NDArray[Any]) -> float | None:
        """Return the largest disagreement of a finished image in grey levels, None where nothing binds."""


@dataclass(frozen=True)
class Unbound:
    """Nothing was observed exactly.

    Attributes
    ----------
    dtype
        Of the image.
    """

    dtype: np.dtype[Any]

    def keep(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[np.float64]:
        """Return the estimate."""
        return estimate

    def finish(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[Any]:
        """Return the estimate rounded and clipped."""
        return round_to(estimate, self.dtype)

    def seen_in(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the image: nothing binds."""
        return image

    def residual(self, image: NDArray[Any], seen: NDArray[Any]) -> None:
        """Return None: there is nothing to disagree with."""


@dataclass(frozen=True)
class KnownPixels:
    """Known pixels are kept bit by bit.

    Attributes
    ----------
    dtype
        Of the image.
    known
        (N, Y, X): where pixels are known.
    """

    dtype: np.dtype[Any]
    known: NDArray[np.bool_]

    def keep(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[np.float64]:
        """Return the estimate with the known pixels in it."""
        return np.where(self.known[place][..., None], seen, estimate)

    def finish(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[Any]:
        """Return the estimate rounded and clipped, with the known pixels in it."""
        return np.where(self.known[place][..., None], seen, round_to(estimate, self.dtype))

    def seen_in(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the image: it holds the known pixels."""
        return image

    def residual(self, image: NDArray[Any], seen: NDArray[Any]) -> float:
        """Return 0."""
        return 0.0


@dataclass(frozen=True)
class BlockMeans:
    """Means of blocks are kept: those of integers exactly.

    Attributes
    ----------
    dtype
        Of the image.
    factor
        Side of a block.
    """

    dtype: np.dtype[Any]
    factor: int

    def keep(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[np.float64]:
        """Return the estimate: no single pixel is known."""
        return estimate

    def finish(self, place: Place, estimate: NDArray[np.float64], seen: NDArray[Any]) -> NDArray[Any]:
        """Return the estimate rounded so that its block means are what was seen; floats are only converted."""
        if self.dtype.kind == "f":
            return round_to(estimate, self.dtype)
        return round_keeping_block_means(estimate, seen, self.factor, self.dtype)

    def seen_in(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """Return the block means."""
        height, width, channels = image.shape
        blocks = image.reshape(height // self.factor, self.factor, width // self.factor, self.factor, channels)
        means: NDArray[np.float64] = blocks.mean(axis=(1, 3), dtype=np.float64)
        return means

    def residual(self, image: NDArray[Any], seen: NDArray[Any]) -> float:
        """Return the largest difference of a block mean."""
        return float(np.abs(self.seen_in(image) - seen.astype(np.float64)).max())
