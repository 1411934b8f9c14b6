"""The spectra of the small blocks of an image, in which noise is told from structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

BLOCK = 8
REACH = 2
"""Farthest distance at which noise is taken to be correlated."""

_MOST_PLANES = 16
_MOST_BLOCKS = 16384
_CLIPPED_SHARE = 0.1
_MOST_DARK = 0.6
_FEWEST_WHOLE = 0.3
_FEW_BLOCKS = 4096
_CLUMP = 4.0
_LEVELS_BESIDE = 5

ORDERS = np.add.outer(np.arange(BLOCK), np.arange(BLOCK))
COARSE = (ORDERS > 0) & (ORDERS <= 3)
"""The slowest waves in a block: what they hold beyond noise says how much structure there is."""
FINE = ORDERS >= 7
"""The fastest waves in a block, in which images that went through optics hold little but noise."""


@dataclass(frozen=True, eq=False)
class Spectra:
    """Blocks of 8 by 8 pixels in frequencies.

    Attributes
    ----------
    means : ndarray (blocks,)
        Mean intensity.
    energies : ndarray (blocks, 8, 8)
        Squared coefficients of the orthonormal cosine transform: of white noise all have its variance on average.
    """

    means: NDArray[np.float64]
    energies: NDArray[np.float64]

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self.means)

    def __getitem__(self, which: NDArray[Any]) -> Spectra:
        """Return some of the blocks."""
        return Spectra(self.means[which], self.energies[which])


def block_spectra(
    planes: Sequence[NDArray[Any]], lowest: float | None, highest: float | None
) -> tuple[Spectra, tuple[float, float]]:
    """Cut planes ``(Y, X)`` into blocks and transform these.

    Blocks that are constant, not finite or clipped in a tenth of their pixels are left out; of very many, an even
    subset is taken.

    Returns
    -------
    spectra : Spectra
        Of the blocks; perhaps of none.
    ends : tuple of float
        Intensities at which pixels are clipped: infinite where they are not.
    """
    chosen = np.unique(np.linspace(0, len(planes) - 1, min(len(planes), _MOST_PLANES)).round().astype(int))
    blocks = np.concatenate([_blocks(planes[index], _MOST_BLOCKS // len(chosen)) for index in chosen])
    with np.errstate(invalid="ignore"):
        spread = np.ptp(blocks, axis=(1, 2))
        blocks = blocks[np.isfinite(spread) & (spread > 0)]
    if not len(blocks):
        return Spectra(np.zeros(0), np.zeros((0, BLOCK, BLOCK))), (-np.inf, np.inf)
    dtype = np.asarray(planes[0]).dtype
    low, high = _ends(blocks, dtype)
    low, high = low if lowest is None else lowest, high if highest is None else highest
    dark, bright = (blocks <= low).mean((1, 2)), (blocks >= high).mean((1, 2))
    whole = (dark < _CLIPPED_SHARE) & (bright < _CLIPPED_SHARE)
    if whole.mean() < _FEWEST_WHOLE:
        # A dark image of single photons: its zeros are counted, not cut off.
        whole = (dark < _MOST_DARK) & (bright < _CLIPPED_SHARE)
    blocks = blocks[whole]
    energies = dct(dct(blocks, axis=1, norm="ortho"), axis=2, norm="ortho") ** 2
    return Spectra(blocks.mean((1, 2)), energies), (low, high)


def _blocks(plane: NDArray[Any], most: int) -> NDArray[np.float64]:
    """Cut ``(Y, X)`` into blocks ``(count, 8, 8)``: overlapping ones of few, evenly spaced ones of very many."""
    stride = BLOCK if plane.size > _FEW_BLOCKS * BLOCK**2 // 2 else BLOCK // 2
    if min(plane.shape) < BLOCK:
        return np.zeros((0, BLOCK, BLOCK))
    windows = np.lib.stride_tricks.sliding_window_view(plane, (BLOCK, BLOCK))[::stride, ::stride]
    step = max(1, int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / max(most, 1)))))
    return windows[::step, ::step].reshape(-1, BLOCK, BLOCK).astype(np.float64)


def _ends(blocks: NDArray[np.float64], dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the intensities at which pixels are clipped: infinite where they are not."""
    levels, counts = np.unique(blocks, return_counts=True)
    low, high = -np.inf, np.inf
    if len(levels) > 2 * _LEVELS_BESIDE:
        if counts[0] > _CLUMP * counts[1 : 1 + _LEVELS_BESIDE].mean():
            low = levels[0]
        if counts[-1] > _CLUMP * counts[-1 - _LEVELS_BESIDE : -1].mean():
            high = levels[-1]
    if dtype.kind in "ui":
        if levels[-1] == np.iinfo(dtype).max:
            high = levels[-1]
        if levels[0] == np.iinfo(dtype).min:
            low = levels[0]
    return float(low), float(high)


def _wave_correlation() -> NDArray[np.float64]:
    """Return the energies ``(64, 9)`` that a unit of correlation at each distance gives to each wave."""
    waves = dct(np.eye(BLOCK), axis=0, norm="ortho")
    along = np.stack(
        [
            (1 if distance == 0 else 2) * (waves[:, : BLOCK - distance] * waves[:, distance:]).sum(1)
            for distance in range(REACH + 1)
        ],
        axis=1,
    )
    energies: NDArray[np.float64] = np.einsum("ui,vj->uvij", along, along).reshape(BLOCK**2, -1)
    return energies


WAVE_CORRELATION = _wave_correlation()
