"""The look of one channel: how bright what is seen in it usually is, learned from the references."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.restoration.style.record import ChannelRecord
from napari_vaegan.restoration.style.rising_curve import RisingCurve
from napari_vaegan.restoration.style.structure import describe_structure

SHARES = np.concatenate([np.linspace(0, 0.1, 5), np.linspace(0.15, 0.9, 16), np.linspace(0.92, 1, 9)])
"""Of the pixels that are darker than a quantile."""

_SOFT = 4 / 255
"""Brightness is the log of intensity above this share of white, and nearly linear below."""

_CHANGES = 3
"""Random changes of every reference, from which it is learned what does not tell one from another."""

_GAMMA, _LEAST_GAIN, _MOST_OFFSET, _SHADING = 2.0, 0.5, 0.1, 0.15
"""They are: gamma between its inverse and this, gain from this to 1, an offset of up to this share of white, and light
that falls off as a quadratic field with coefficients of up to this."""

_WIDTH = 1.0
_RIDGE = 0.2
_DOUBT = 0.1
_LEAST_VARIANCE = 0.05

_FEWEST = 4
"""References from which on it can be told whether an image is unlike them."""

_FARTHEST = 1.5
"""How far from the nearest reference an image may lie, as a multiple of the farthest reference from its own nearest."""


class ChannelLook:
    """What is kept of a channel of the references, and what was learned: from what is seen to how bright it is.

    It is kernel ridge regression (Saunders et al. 1998) from what a plane shows to the quantiles of its brightness.

    Parameters
    ----------
    quantiles : ndarray (n, len(SHARES))
        Brightness of the quantiles of every reference.
    structures : ndarray (m * n, D)
        What the references show, see ``describe_structure``; then, m − 1 times, the same after random changes.
    """

    def __init__(self, quantiles: NDArray[np.float64], structures: NDArray[np.float64]) -> None:
        self.quantiles, self.structures = quantiles, structures
        count = len(quantiles)
        seen = structures.reshape(-1, count, structures.shape[-1])
        unchanged = seen[0]
        changing = ((seen[1:] - unchanged) ** 2).mean((0, 1)) / 2 if len(seen) > 1 else 0.0
        variances = changing + _DOUBT * unchanged.var(0) + _LEAST_VARIANCE
        self._scale = 1 / np.sqrt(variances * structures.shape[-1])
        self._known = structures * self._scale
        self._usual = quantiles.mean(0)
        kernel = self._kernel(self._known) + _RIDGE * np.eye(len(structures))
        self._slopes = np.linalg.solve(kernel, np.tile(quantiles - self._usual, (len(seen), 1)))
        apart = self._distances(self._known[:count])[:, :count]
        np.fill_diagonal(apart, np.inf)
        self._usual_distance = float(apart.min(1).max()) if count >= _FEWEST else np.inf

    @classmethod
    def of(
        cls, shares: Sequence[NDArray[np.float64]], random: np.random.Generator, on_reference: Callable[[], object]
    ) -> ChannelLook:
        """Summarise references, each a plane ``(Y, X)`` of intensities as shares of white.

        ``on_reference`` is called after each of them, several times; raise from it to stop.
        """

        def describe(share: NDArray[np.float64]) -> NDArray[np.float64]:
            on_reference()
            return describe_structure(share)

        quantiles: NDArray[np.float64] = np.stack([_brightness(np.quantile(share, SHARES)) for share in shares])
        structures = [describe(share) for share in shares]
        for _ in range(_CHANGES):
            structures += [describe(_changed(share, random)) for share in shares]
        return cls(quantiles.round(4), np.stack(structures).round(4))

    def curve(self, quantiles: NDArray[np.float64], structure: NDArray[np.float64]) -> RisingCurve:
        """Return the curve that brings a channel to this look.

        Parameters
        ----------
        quantiles
            Of its intensities as shares of white, at ``SHARES``.
        structure
            What it shows.
        """
        predicted = self._kernel((structure * self._scale)[None])[0] @ self._slopes + self._usual
        return RisingCurve.through(quantiles, np.exp(predicted) - _SOFT)

    def unlikeness(self, structure: NDArray[np.float64]) -> float:
        """Return how strange an image is: up to 1 as the references are to each other, above stranger."""
        nearest = float(self._distances((structure * self._scale)[None]).min())
        return nearest / (_FARTHEST * self._usual_distance)

    def record(self) -> ChannelRecord:
        """Return what a header keeps."""
        return ChannelRecord(quantiles=self.quantiles.tolist(), structures=self.structures.tolist())

    @classmethod
    def from_record(cls, record: ChannelRecord) -> ChannelLook:
        """Rebuild what ``record`` returned."""
        return cls(np.array(record.quantiles), np.array(record.structures))

    def _distances(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        squares = (scaled**2).sum(1)[:, None] + (self._known**2).sum(1) - 2 * scaled @ self._known.T
        distances: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0))
        return distances

    def _kernel(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        kernel: NDArray[np.float64] = np.exp(-(self._distances(scaled) ** 2) / (2 * _WIDTH**2))
        return kernel


def _brightness(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.maximum(share, 0) + _SOFT)


def _changed(share: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return a plane as another microscope and camera would have shown it."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in share.shape), indexing="ij")
    terms = np.stack([y, x, x * y, y**2 - 1 / 3, x**2 - 1 / 3])
    light = np.exp(np.tensordot(random.uniform(-_SHADING, _SHADING, len(terms)), terms, 1))
    gamma = np.exp(random.uniform(-np.log(_GAMMA), np.log(_GAMMA)))
    changed = random.uniform(_LEAST_GAIN, 1) * np.clip(share, 0, 1) ** gamma * light + random.uniform(0, _MOST_OFFSET)
    counted: NDArray[np.float64] = np.round(255 * np.clip(changed, 0, 1)) / 255
    return counted
