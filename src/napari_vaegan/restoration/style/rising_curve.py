"""A rising curve from old intensities to new ones: what was brighter stays brighter, so that every edge stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

_STEEPEST = 16.0
"""By how much the curve may be steeper or flatter than on the whole: contrasts neither vanish nor are made of noise."""

_RESOLVED_DIGITS = 9
"""Old points that agree in so many decimals coincide: no image resolves more, and steps between them could overflow."""


@dataclass(frozen=True, eq=False)
class RisingCurve:
    """A smooth curve through points, continued straight beyond them.

    Attributes
    ----------
    old, new : ndarray (n,)
        The points, at least two that do not coincide; both rise.
    limited : ndarray (n - 1,), bool
        Between which points the slope had to be limited.
    """

    old: NDArray[np.float64]
    new: NDArray[np.float64]
    limited: NDArray[np.bool_]

    @classmethod
    def through(cls, old: NDArray[np.float64], new: NDArray[np.float64]) -> RisingCurve:
        """Lay a curve through points, of which old ones may coincide, as nearly as the limits of its slope allow."""
        points, places = np.unique(np.round(old, _RESOLVED_DIGITS), return_inverse=True)
        wanted = np.maximum.accumulate(np.bincount(places, new) / np.bincount(places))
        steps, rises = np.diff(points), np.diff(wanted)
        overall = max((wanted[-1] - wanted[0]) / (points[-1] - points[0]), 1e-6)
        slopes = np.clip(rises / steps, overall / _STEEPEST, overall * _STEEPEST)
        limited = ~np.isclose(slopes * steps, rises)
        drawn = np.append(0.0, np.cumsum(slopes * steps))
        middle = len(points) // 2
        return cls(points, drawn + wanted[middle] - drawn[middle], limited)

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values of any shape."""
        within = PchipInterpolator(self.old, self.new)(np.clip(values, self.old[0], self.old[-1]))
        first, last = (np.diff(self.new) / np.diff(self.old))[[0, -1]]
        below, above = np.minimum(values - self.old[0], 0), np.maximum(values - self.old[-1], 0)
        mapped: NDArray[np.float64] = within + first * below + last * above
        return mapped

    def is_limited(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether values lie where the slope had to be limited."""
        place = np.clip(np.searchsorted(self.old, values, side="right") - 1, 0, len(self.limited) - 1)
        limited: NDArray[np.bool_] = self.limited[place]
        return limited
