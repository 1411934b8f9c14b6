"""What can be told of images before a model is trained on them: their noise, and how many are saturated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.images.collection import Plane

_BLOCK = 16
_MOST_PLANES = 200
_MOST_BLOCKS = 1024
_MOST_PIXELS = 500_000

_FEWEST_BLOCKS = 8
_FLATTEST = 0.1
_CLIPPED_SHARE = 0.1
_EVEN_FLOOR = 1.5

_NOISY_STD = 0.02
_CORRELATED = 0.3
_SATURATED_SHARE = 0.01
_CLUMP = 4.0
_LEVELS_BELOW = 5


@dataclass(frozen=True)
class Noise:
    """The noise of one channel.

    Attributes
    ----------
    std : float
        Standard deviation in scaled units; NaN where nothing can be told.
    correlation : float
        Of the noise of neighbouring pixels: 0 where it is white, NaN where noise cannot be told from texture.
    """

    std: float
    correlation: float


@dataclass(frozen=True)
class Inspection:
    """What was found in the images that were looked at.

    Attributes
    ----------
    images : int
        How many images were looked at.
    saturated : int
        In how many of them more than 1 % of the pixels of a channel are saturated.
    noisy : int
        In how many of them the noise has a standard deviation of more than 2 % of the intensity range.
    correlated : int
        In how many of the noisy ones the noise of neighbouring pixels has a correlation of more than 0.3.
    noise : Noise
        The medians over the images.
    """

    images: int
    saturated: int
    noisy: int
    correlated: int
    noise: Noise


def inspect(planes: Sequence[Plane], on_progress: Callable[[float], None] = lambda share: None) -> Inspection:
    """Look at planes, at 200 evenly spaced ones if there are more.

    Parameters
    ----------
    planes : sequence of Plane
        At least one.
    on_progress
        Told the share that is done, before each plane; raise from it to stop.
    """
    chosen = np.unique(np.linspace(0, len(planes) - 1, min(len(planes), _MOST_PLANES)).round().astype(int))
    noises: defaultdict[int, list[Noise]] = defaultdict(list)
    saturated: set[int] = set()
    for number, index in enumerate(chosen):
        on_progress(number / len(chosen))
        plane = planes[index]
        scaled = plane.scaling.forward(plane.pixels)
        for channel in range(plane.pixels.shape[-1]):
            noises[plane.source].append(estimate_noise(scaled[..., channel]))
            if saturated_share(plane.pixels[..., channel]) > _SATURATED_SHARE:
                saturated.add(plane.source)
    images = [_median(of_image) for of_image in noises.values()]
    noisy = [noise for noise in images if noise.std > _NOISY_STD]
    correlated = sum(noise.correlation > _CORRELATED for noise in noisy)
    return Inspection(len(images), len(saturated), len(noisy), correlated, _median(images))


def estimate_noise(pixels: NDArray[Any]) -> Noise:
    """Estimate the noise of one channel from its blocks of 16 by 16 pixels.

    A quadratic surface is taken from every block. What remains in the flattest tenth of the blocks is noise, if most
    other blocks have hardly more: then its standard deviation and its correlation at a distance of one pixel are those
    of the remains (for correlated noise both a sixth too low: some of it goes with the surface). If the others have
    much more, texture (or noise that grows with the signal) fills the image, and only what changes from pixel to pixel
    in both directions at once is taken for noise: the median over the blocks of the diagonal second difference, as in
    wavelets' finest diagonal band (Donoho and Johnstone 1994).

    Parameters
    ----------
    pixels : ndarray (Y, X)
        In scaled units. Blocks that lie at the lowest or highest intensity are left out: there noise is cut off.

    Returns
    -------
    Noise
        NaN if fewer than eight blocks are left.
    """
    blocks = _blocks(pixels)
    blocks = blocks[_whole(blocks, pixels.min(), pixels.max())]
    if len(blocks) < _FEWEST_BLOCKS:
        return Noise(np.nan, np.nan)
    remains = _without_surface(blocks)
    variances = (remains**2).sum((1, 2)) / (_BLOCK**2 - _SURFACE.shape[1])
    flattest = np.argsort(variances)[: max(_FEWEST_BLOCKS // 2, int(_FLATTEST * len(blocks)))]
    floor = variances[flattest].mean()
    if np.median(variances) > _EVEN_FLOOR**2 * floor:
        diagonal = np.diff(np.diff(blocks, axis=1), axis=2) / 2
        return Noise(float(np.median(np.sqrt((diagonal**2).mean((1, 2))))), np.nan)
    flat = remains[flattest]
    neighbours = (flat[:, 1:] * flat[:, :-1]).mean() + (flat[:, :, 1:] * flat[:, :, :-1]).mean()
    return Noise(float(np.sqrt(floor)), float(neighbours / 2 / (flat**2).mean()))


def saturated_share(pixels: NDArray[Any]) -> float:
    """Return the share of one channel's pixels ``(Y, X)`` that are saturated.

    These are the pixels at the highest value of the dtype; or at the image's own highest, if several times as many lie
    there as at the levels below: a camera of 12 bits in 16 ends at 4095.
    """
    step = max(1, int(np.ceil(np.sqrt(pixels.size / _MOST_PIXELS))))
    levels, counts = np.unique(pixels[::step, ::step], return_counts=True)
    if len(levels) < 2:
        return 0.0
    at_end = pixels.dtype.kind in "ui" and levels[-1] == np.iinfo(pixels.dtype).max
    clump = counts[-1] > _CLUMP * counts[-1 - _LEVELS_BELOW : -1].mean()
    return float(counts[-1] / counts.sum()) if at_end or clump else 0.0


def _quadratic_surface() -> NDArray[np.float64]:
    """Return an orthonormal basis ``(256, 6)`` of quadratic surfaces over a block."""
    y, x = (axis.ravel() for axis in np.mgrid[:_BLOCK, :_BLOCK] / _BLOCK - 0.5)
    basis: NDArray[np.float64] = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1))[0]
    return basis


_SURFACE = _quadratic_surface()


def _without_surface(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = blocks.reshape(len(blocks), -1)
    remains: NDArray[np.float64] = flat - (flat @ _SURFACE) @ _SURFACE.T
    return remains.reshape(blocks.shape)


def _blocks(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Cut ``(Y, X)`` into blocks ``(count, 16, 16)``; of very many, evenly spaced ones."""
    rows, columns = pixels.shape[0] // _BLOCK, pixels.shape[1] // _BLOCK
    grid = pixels[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    step = max(1, int(np.ceil(np.sqrt(rows * columns / _MOST_BLOCKS))))
    return grid[::step, :, ::step].swapaxes(1, 2).reshape(-1, _BLOCK, _BLOCK).astype(np.float64)


def _whole(blocks: NDArray[np.float64], lowest: float, highest: float) -> NDArray[np.bool_]:
    """Say which blocks neither touch the ends of the range in many pixels nor are constant."""
    clipped = ((blocks == lowest) | (blocks == highest)).mean((1, 2)) >= _CLIPPED_SHARE
    whole: NDArray[np.bool_] = ~clipped & (np.ptp(blocks, axis=(1, 2)) > 0)
    return whole


def _median(noises: Sequence[Noise]) -> Noise:
    """Return the medians of what could be told."""
    return Noise(_median_told([noise.std for noise in noises]), _median_told([noise.correlation for noise in noises]))


def _median_told(values: Sequence[float]) -> float:
    told = [value for value in values if np.isfinite(value)]
    return float(np.median(told)) if told else np.nan
