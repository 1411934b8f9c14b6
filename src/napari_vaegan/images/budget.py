"""Keeping an even subset of planes within a limit of memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class HeldPlane:
    """A plane that is kept.

    Attributes
    ----------
    name : str
        Its name.
    pixels : ndarray (Y, X, C)
        Raw intensities.
    source : int
        Which image it comes from.
    """

    name: str
    pixels: NDArray[Any]
    source: int


class PlaneBudget:
    """Planes held in memory, every one at first and every second, fourth, … when memory runs short.

    Which planes are kept depends only on their order and sizes.

    Parameters
    ----------
    limit_bytes : int
        Memory for the planes. One plane is kept even if it needs more.
    announced_bytes : int
        Bytes that are known to come, so that lazy arrays are read only for the planes that will stay.
    """

    def __init__(self, limit_bytes: int, announced_bytes: int) -> None:
        self._limit = max(1, limit_bytes)
        self._step = max(1, -(-announced_bytes // self._limit))
        self._bytes = 0
        self.offered = 0
        self.held: list[HeldPlane] = []

    def wants_next(self) -> bool:
        """Whether the next plane is one of those to keep; each plane must be asked for."""
        self.offered += 1
        return (self.offered - 1) % self._step == 0

    def keep(self, plane: HeldPlane) -> None:
        """Hold a plane, and let every second go while there are too many."""
        self.held.append(plane)
        self._bytes += plane.pixels.nbytes
        while self._bytes > self._limit and len(self.held) > 1:
            self._step *= 2
            self.held = self.held[::2]
            self._bytes = sum(held.pixels.nbytes for held in self.held)

    @property
    def thinned(self) -> bool:
        """Whether planes were left out to save memory."""
        return self._step > 1
