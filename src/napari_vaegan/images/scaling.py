"""The intensity scale of an image: near 0 for background and 1 for what is bright, and exactly back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

LOW_PERCENTILE = 0.5
HIGH_PERCENTILE = 99.9
BRIGHTEST_SCALED = 8.0
"""Objects too small to move the upper percentile are scaled to this at most."""

_MOST_PLANES = 64
_MOST_PIXELS = 2_000_000


@dataclass(frozen=True, eq=False)
class Scaling:
    """A linear scale for each channel; nothing is ever clipped.

    Attributes
    ----------
    low : ndarray (C,), float64
        Raw intensity that is scaled to 0.
    span : ndarray (C,), float64
        Raw intensities in one scaled unit; positive.
    """

    low: NDArray[np.float64]
    span: NDArray[np.float64]

    def forward(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Scale raw intensities ``(..., C)`` to float32."""
        # In double precision, or 32-bit integers would lose their last bits before low is taken away.
        scaled: NDArray[np.float64] = np.subtract(pixels, self.low, dtype=np.float64)
        scaled /= self.span
        return scaled.astype(np.float32)

    def inverse(self, scaled: NDArray[Any]) -> NDArray[np.float64]:
        """Bring scaled values ``(..., C)`` back to raw intensities, in float64."""
        raw: NDArray[np.float64] = np.multiply(scaled, self.span, dtype=np.float64)
        raw += self.low
        return raw

    def to_dict(self) -> dict[str, list[float]]:
        """Return a value that JSON can hold."""
        return {"low": self.low.tolist(), "span": self.span.tolist()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Sequence[float]]) -> Scaling:
        """Rebuild what `to_dict` returned."""
        return cls(np.asarray(value["low"], np.float64), np.asarray(value["span"], np.float64))


class Planes(Protocol):
    """Planes of one shape, each of which may be read only when it is asked for."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> Any:
        """Return one as an array (Y, X, C)."""


def robust_scaling(
    planes: Planes,
    known: Sequence[NDArray[np.bool_]] | NDArray[np.bool_] | None = None,
    *,
    colour: bool = False,
    on_plane: Callable[[], None] = lambda: None,
) -> Scaling:
    """Find the scale of one image, its whole stack together.

    `low` is the 0.5th percentile, `low + span` the 99.9th, so a few hot pixels change nothing. If objects
    cover so little that even the 99.9th percentile is background, the span would be that of the noise and
    the objects would be hundreds of units bright. The span is therefore at least an eighth of the brightest
    2 by 2 square (by its darkest pixel) above `low`: real objects fill such squares, hot pixels do not. Where
    the percentiles agree, the span is from lowest to highest; where those agree too, it is 1.

    Parameters
    ----------
    planes : array (N, Y, X, C) or (Y, X, C), or sequence of (Y, X, C)
        Raw intensities. NaN and Inf are left out. Of long stacks, 64 evenly spaced planes are read, one by one, and
        for the percentiles at most about 2 million evenly spaced pixels are kept.
    known : bool array or sequence, shaped as `planes` without C, optional
        Pixels to look at; all if None.
    colour : bool, default False
        One scale for all channels together, which keeps hues, instead of one for each.
    on_plane : callable, optional
        Called after each plane; raise from it to stop.

    Returns
    -------
    Scaling
        Low 0 and span 1 if no pixel can be looked at.
    """
    if isinstance(planes, np.ndarray) and planes.ndim == 3:
        planes = planes[None]
        known = None if known is None else np.asarray(known)[None]
    chosen = np.unique(np.linspace(0, len(planes) - 1, min(len(planes), _MOST_PLANES)).round().astype(int)).tolist()
    looks: list[list[_Look]] = []
    for index in chosen:
        plane, mask = np.asarray(planes[index]), None if known is None else np.asarray(known[index])
        step = max(1, int(np.ceil(np.sqrt(len(chosen) * plane.shape[0] * plane.shape[1] / _MOST_PIXELS))))
        looks.append([_look_at(plane[..., channel], mask, step) for channel in range(plane.shape[-1])])
        on_plane()

    channels = len(looks[0])
    groups = [list(range(channels))] if colour else [[channel] for channel in range(channels)]
    low, span = np.zeros(channels), np.ones(channels)
    for group in groups:
        low[group], span[group] = _low_and_span([look[channel] for look in looks for channel in group])
    return Scaling(low, span)


@dataclass(frozen=True)
class _Look:
    """What is kept of a channel of a plane: evenly spaced pixels, and how bright the brightest square is."""

    sample: NDArray[Any]
    brightest: float


def _look_at(plane: NDArray[Any], mask: NDArray[np.bool_] | None, step: int) -> _Look:
    sample = _usable(plane[::step, ::step], None if mask is None else mask[::step, ::step])
    return _Look(sample.copy(), _brightest_square(plane, mask))


def _low_and_span(looks: list[_Look]) -> tuple[float, float]:
    sample = np.concatenate([look.sample for look in looks])
    if sample.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(sample, [LOW_PERCENTILE, HIGH_PERCENTILE]).astype(np.float64)
    span = max(high - low, (max(look.brightest for look in looks) - low) / BRIGHTEST_SCALED)
    if span <= 0:
        low, span = float(sample.min()), float(sample.max()) - float(sample.min())
    return float(low), float(span) if span > 0 else 1.0


def _usable(pixels: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return the pixels ``(count,)`` that are known and finite; floats as float64, in which sums are safe."""
    pixels = pixels.ravel() if mask is None else pixels[mask]
    return pixels[np.isfinite(pixels)].astype(np.float64) if pixels.dtype.kind == "f" else pixels


def _brightest_square(plane: NDArray[Any], mask: NDArray[np.bool_] | None) -> float:
    """Return the highest intensity that all four pixels of some 2 by 2 square reach, or -inf."""
    if min(plane.shape) < 2:
        return -np.inf
    if plane.dtype.kind == "f" or mask is not None:
        usable = np.isfinite(plane) if mask is None else np.isfinite(plane) & mask
        plane = np.where(usable, plane, -np.inf)
    rows = np.minimum(plane[:-1], plane[1:])
    return float(np.minimum(rows[:, :-1], rows[:, 1:]).max())
