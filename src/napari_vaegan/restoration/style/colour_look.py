"""The look of colour images: which densities the stains have, and how the colours of an image are moved there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import DataError
from napari_vaegan.restoration.style.alignment import LinearMap, align
from napari_vaegan.restoration.style.density import evenly
from napari_vaegan.restoration.style.mixture import Mixture
from napari_vaegan.restoration.style.record import ColourRecord

_COMPONENTS = 8
_PIXELS_EACH = 30
"""Fewest pixels a component: a tiny reference is described by fewer of them."""

_PIXELS = 8000
"""Of all references together."""

_LEAST_SPREAD = 0.015
"""Standard deviation of the density of an image without tissue, at most: noise and dust."""

_LEAST_SHARE = 0.1
"""An image whose density varies by less than this share of the references' has next to no tissue either."""

_LEAST_STRETCH = 0.3
"""Maps between two looks of the same kind of image stretch every difference of density by more than this."""

_MISFIT_ALLOWED = 1.0
"""How much less likely, in natural units, an image may be than the strangest reference: nuclei alone are, where there are
few in every reference."""


@dataclass(frozen=True, eq=False)
class ColourLook:
    """What is kept of colour references.

    Attributes
    ----------
    mixture
        Of the densities of all of them.
    spread
        Standard deviation of the density in a typical one.
    worst_misfit
        How badly the mixture describes the reference that it describes worst.
    """

    mixture: Mixture
    spread: float
    worst_misfit: float

    @classmethod
    def of(cls, densities: Sequence[NDArray[np.float64]], random: np.random.Generator) -> ColourLook:
        """Summarise references, each as densities ``(n, 3)``.

        Raises
        ------
        DataError
            If there is no tissue in them.
        """
        spreads = [float(density.mean(1).std()) for density in densities]
        if max(spreads) < _LEAST_SPREAD:
            raise DataError(
                "There is next to no tissue in the references, so they have no look to take: give images with stain."
            )
        each = max(_PIXELS // len(densities), _PIXELS_EACH)
        values = np.concatenate([evenly(density, each) for density in densities])
        mixture = Mixture.fit(values, max(1, min(_COMPONENTS, len(values) // _PIXELS_EACH)), random)
        return cls(mixture, float(np.median(spreads)), max(mixture.misfit(evenly(density, each)) for density in densities))

    def align(self, densities: NDArray[np.float64]) -> LinearMap:
        """Return the map that brings the densities ``(n, 3)`` of an image to this look."""
        return align(densities, self.mixture)

    def has_tissue(self, densities: NDArray[np.float64]) -> bool:
        """Whether there is enough stain in an image to tell its look by."""
        return float(densities.mean(1).std()) > max(_LEAST_SPREAD, _LEAST_SHARE * self.spread)

    def unlikeness(self, densities: NDArray[np.float64], aligned: LinearMap) -> float:
        """Return how strange an image is: up to 1 about as the references themselves, above stranger.

        An image is strange if its densities are unlikely even after they were aligned, or if the map that aligns them has
        to turn some differences of density round, or nearly so.
        """
        unlikely = (1 + (self.mixture.misfit(aligned(densities)) - self.worst_misfit) / _MISFIT_ALLOWED) / 2
        contorted = _LEAST_STRETCH / max(aligned.least_stretch, _LEAST_STRETCH / 100)
        return max(0.0, unlikely, contorted)

    def record(self) -> ColourRecord:
        """Return what a header keeps."""
        return ColourRecord(
            weights=self.mixture.weights.tolist(),
            means=self.mixture.means.tolist(),
            covariances=self.mixture.covariances.tolist(),
            spread=self.spread,
            worst_misfit=self.worst_misfit,
        )

    @classmethod
    def from_record(cls, record: ColourRecord) -> ColourLook:
        """Rebuild what ``record`` returned."""
        mixture = Mixture(np.array(record.weights), np.array(record.means), np.array(record.covariances))
        return cls(mixture, record.spread, record.worst_misfit)
