"""Tiles of a large image: windows with a halo, of which only the middle is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

TILE = 960
"""Side of a tile without its halo: a multiple of every stride and factor."""

HALO = 192
"""Pixels around a tile that are computed and thrown away. How little what lies beyond matters is measured in the tests."""

BAND_PIXELS = 2**20
"""Of the rows that are finished at once: little memory, and a fraction of a second."""


@dataclass(frozen=True)
class Tile:
    """A window that is computed and the part of it that is kept, as row and column slices of the image."""

    window: tuple[slice, slice]
    kept: tuple[slice, slice]

    @property
    def inner(self) -> tuple[slice, slice]:
        """The part that is kept, as slices of the window."""
        rows, columns = (
            slice(kept.start - window.start, kept.stop - window.start)
            for kept, window in zip(self.kept, self.window, strict=True)
        )
        return rows, columns


def plan_tiles(height: int, width: int, tile: int = TILE, halo: int = HALO) -> list[Tile]:
    """Cut an image into tiles; one that is hardly larger than a tile stays whole.

    Parameters
    ----------
    height, width
        Of the image in pixels.
    tile, halo
        Multiples of the grid to which windows are aligned.
    """
    rows, columns = _cuts(height, tile, halo), _cuts(width, tile, halo)
    return [Tile((wr, wc), (kr, kc)) for wr, kr in rows for wc, kc in columns]


def _cuts(length: int, tile: int, halo: int) -> list[tuple[slice, slice]]:
    if length <= tile + halo:
        return [(slice(0, length), slice(0, length))]
    starts = range(0, length, tile)
    return [
        (slice(max(0, start - halo), min(length, start + tile + halo)), slice(start, min(length, start + tile)))
        for start in starts
    ]


def bands(height: int, width: int) -> Iterator[slice]:
    """Cut an image of that size into bands of rows."""
    rows = max(1, BAND_PIXELS // width)
    return (slice(start, min(height, start + rows)) for start in range(0, height, rows))
