"""Drawing training patches so that small bright objects on a large dark background are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.images.collection import Plane
from napari_vaegan.images.noise_law import white_correlation

SMALLEST_PATCH = 32
"""Sides of patches are multiples of it."""

_BLOCK = 16


@dataclass(frozen=True, eq=False)
class Patches:
    """A batch of patches.

    Attributes
    ----------
    pixels : ndarray (count, C, size, size), float32
        In scaled units.
    zero : ndarray (count, C), float32
        The scaled value of raw intensity 0.
    step : ndarray (count, C), float32
        The scaled size of one grey level; 0 where intensities are floats.
    ceiling : ndarray (count,), float32
        The highest raw intensity that the dtype holds; infinite for floats.
    gain, offset, read_noise : ndarray (count, C), float32
        The law of the noise in the pixels, in scaled units; gain and read noise are 0 where they count as free of it.
    correlation : ndarray (count, 5, 5), float32
        Of that noise between neighbouring pixels.
    """

    pixels: NDArray[np.float32]
    zero: NDArray[np.float32]
    step: NDArray[np.float32]
    ceiling: NDArray[np.float32]
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]
    read_noise: NDArray[np.float32]
    correlation: NDArray[np.float32]

    @property
    def noisy(self) -> NDArray[np.bool_]:
        """Which patches have noise of their own: (count,)."""
        noisy: NDArray[np.bool_] = np.any((self.gain > 0) | (self.read_noise > 0), axis=1)
        return noisy

    def select(self, chosen: NDArray[Any]) -> Patches:
        """Return the patches of a boolean mask or of indices."""
        return Patches(*(getattr(self, part.name)[chosen] for part in fields(self)))


class PatchSampler:
    """Draws random patches, flipped and turned by quarters.

    A plane is drawn with a weight of the square root of its area: large planes count for more, small ones
    are not lost. Some of the patches lie anywhere in it; the others contain a pixel drawn by local
    activity, the standard deviation of blocks of 16 by 16, at a random place of the patch. Planes smaller
    than a patch are continued by reflection.

    Parameters
    ----------
    planes : sequence of Plane
        At least one, all of the same number of channels.
    seed : int
        The same seed draws the same patches.
    active : float, default 0.5
        Share of the patches that are drawn by activity: there is more to learn in them.
    """

    def __init__(self, planes: Sequence[Plane], seed: int, active: float = 0.5) -> None:
        self._active = active
        self._planes = tuple(planes)
        self._random = np.random.default_rng(seed)
        self._plane_ends = _running_share(np.sqrt([plane.pixels[..., 0].size for plane in self._planes]))
        self._noise = np.array([_noise_of(plane) for plane in self._planes], np.float32)
        self._correlation = np.array([_correlation_of(plane) for plane in self._planes], np.float32)
        self._block_ends = [_running_share(_activity(plane).ravel()) for plane in self._planes]

    def draw(self, count: int, size: int) -> Patches:
        """Draw `count` patches of `size` by `size` pixels."""
        random = self._random
        channels = self._planes[0].pixels.shape[-1]
        pixels = np.empty((count, channels, size, size), np.float32)
        low, span = np.empty((count, channels)), np.empty((count, channels))
        chosen = np.searchsorted(self._plane_ends, random.random(count), side="right")
        active = random.random(count) < self._active
        places = random.random((count, 5)).tolist()
        turns = random.integers(8, size=count)
        for i in range(count):
            plane = self._planes[chosen[i]]
            if active[i]:
                top, left = self._active_corner(int(chosen[i]), size, places[i])
            else:
                height, width = plane.pixels.shape[:2]
                top = _start_anywhere(height, size, places[i][0])
                left = _start_anywhere(width, size, places[i][1])
            crop = plane.scaling.forward(_crop(plane.pixels, top, left, size))
            pixels[i] = _turned(crop.transpose(2, 0, 1), int(turns[i]))
            low[i], span[i] = plane.scaling.low, plane.scaling.span
        limits = np.array([_highest(self._planes[plane].pixels.dtype) for plane in chosen], np.float32)
        step = np.where(np.isfinite(limits)[:, None], 1 / span, 0)
        gain, offset, read_noise = self._noise[chosen].swapaxes(0, 1)
        return Patches(
            pixels,
            (-low / span).astype(np.float32),
            step.astype(np.float32),
            limits,
            gain,
            offset,
            read_noise,
            self._correlation[chosen],
        )

    def state(self) -> dict[str, Any]:
        """Return the random state, as a value that JSON can hold."""
        return dict(self._random.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._random.bit_generator.state = state

    def _active_corner(self, plane: int, size: int, places: list[float]) -> tuple[int, int]:
        """Place a patch around a pixel of a block that is drawn by activity."""
        height, width = self._planes[plane].pixels.shape[:2]
        block = int(np.searchsorted(self._block_ends[plane], places[4], side="right"))
        row, column = divmod(block, -(-width // _BLOCK))
        return (
            _start_around(row * _BLOCK, height, size, places[0], places[2]),
            _start_around(column * _BLOCK, width, size, places[1], places[3]),
        )


def smallness_notes(planes: Sequence[Plane], patch_size: int) -> tuple[str, ...]:
    """Say in a sentence how many planes are smaller than the patches, if any, and what to do about it."""
    shortest = [min(plane.pixels.shape[:2]) for plane in planes]
    small = sum(side < patch_size for side in shortest)
    if not small:
        return ()
    fitting = min(shortest) // SMALLEST_PATCH * SMALLEST_PATCH
    advice = "leave them out if there are enough others" if small < len(planes) else "give larger images if there are any"
    advice = f"set patch_size to {fitting}, or {advice}" if fitting else advice
    counted = f"{small} plane{'' if small == 1 else 's'} of {len(planes)} {'is' if small == 1 else 'are'}"
    return (f"{counted} smaller than the patches of {patch_size} pixels and continued by reflection: {advice}.",)


def _noise_of(plane: Plane) -> NDArray[np.float64]:
    """Return gain, offset and read noise of every channel: (3, C)."""
    if not plane.noise:
        return np.zeros((3, plane.pixels.shape[-1]))
    return np.array([[law.gain, law.offset, law.read_noise] for law in plane.noise]).T


def _correlation_of(plane: Plane) -> NDArray[np.float64]:
    """Return the correlation of the noise, mean over channels: (5, 5)."""
    laws = [law.correlation for law in plane.noise] or [white_correlation()]
    mean: NDArray[np.float64] = np.mean(laws, axis=0)
    return mean


def _highest(dtype: np.dtype[Any]) -> float:
    """Return the highest intensity of an integer dtype; infinity for floats."""
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else np.inf


def _running_share(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn weights into ends of intervals of [0, 1), of which a uniform number picks one."""
    ends = np.cumsum(weights)
    shares: NDArray[np.float64] = ends / ends[-1]
    return shares


def _activity(plane: Plane) -> NDArray[np.float64]:
    """Return the scaled standard deviation of each block, mean over channels."""
    rows, columns = (np.arange(0, length, _BLOCK) for length in plane.pixels.shape[:2])

    def block_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
        sizes = np.outer(
            np.diff(np.append(rows, plane.pixels.shape[0])),
            np.diff(np.append(columns, plane.pixels.shape[1])),
        )
        means: NDArray[np.float64] = sums / sizes[..., None]
        return means

    # From low upwards, so that the difference of squares keeps its digits on a large offset.
    raised = np.subtract(plane.pixels, plane.scaling.low, dtype=np.float64)
    variance = block_means(raised**2) - block_means(raised) ** 2
    deviation = np.sqrt(np.maximum(variance, 0)) / plane.scaling.span
    # A floor, so that a plane of flat blocks can be drawn too.
    activity: NDArray[np.float64] = deviation.mean(axis=-1) + np.finfo(np.float32).eps
    return activity


def _start_anywhere(length: int, size: int, place: float) -> int:
    """Return where a patch starts on a line; before the line's start if it is the shorter one."""
    room = length - size
    return int(place * (room + 1)) if room >= 0 else -int(place * (1 - room))


def _start_around(block: int, length: int, size: int, pixel: float, place: float) -> int:
    """Return where a patch starts on a line so that it contains a pixel of the block."""
    if length <= size:
        return _start_anywhere(length, size, place)
    seen = block + int(pixel * min(_BLOCK, length - block))
    return min(max(seen - int(place * size), 0), length - size)


def _crop(pixels: NDArray[Any], top: int, left: int, size: int) -> NDArray[Any]:
    """Cut ``(size, size, C)``, continued by reflection where the plane ends."""
    height, width = pixels.shape[:2]
    if height >= size and width >= size:
        return pixels[top : top + size, left : left + size]
    return pixels[_reflected(top, size, height)][:, _reflected(left, size, width)]


def _reflected(start: int, size: int, length: int) -> NDArray[np.intp]:
    """Return indices into a line of `length` that is continued by reflection at both ends."""
    around = np.arange(start, start + size) % (2 * length)
    return np.minimum(around, 2 * length - 1 - around)


def _turned(patch: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """Return one of the eight flips and quarter turns of ``(C, Y, X)``."""
    if turn & 1:
        patch = patch[:, ::-1]
    if turn & 2:
        patch = patch[:, :, ::-1]
    return patch.swapaxes(1, 2) if turn & 4 else patch
