"""What can be told of images before a model is trained on them: their noise, and how many are saturated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.images.collection import Plane
from napari_vaegan.images.noise_law import NoiseLaw, fit_noise_law, relative_level

_MOST_PLANES = 200
_MOST_PIXELS = 500_000

NOISY_STD = 0.04
_SATURATED_SHARE = 0.01
_CLUMP = 4.0
_LEVELS_BELOW = 5


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
        In how many of them the noise has a standard deviation of more than 4 % of the intensity range.
    correlated : int
        In how many of the noisy ones the noise of neighbouring pixels is correlated.
    fitting : int
        In how many of the images the law of photon and read noise describes the noise.
    noise_std : float
        Standard deviation of the noise as a share of the intensity range; NaN where nothing can be told. This and the
        following are medians over the images.
    gain : float
        Variance of the noise per unit of intensity, in grey levels per photon.
    read_noise : float
        Standard deviation of the noise at the darkest intensities, in grey levels.
    """

    images: int
    saturated: int
    noisy: int
    correlated: int
    fitting: int
    noise_std: float
    gain: float
    read_noise: float


@dataclass(frozen=True)
class _Noise:
    """The noise of one channel of one image."""

    law: NoiseLaw
    std: float

    @property
    def fits(self) -> bool:
        return self.law.transfer is not None and self.law.transfer.fits


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
    noises: defaultdict[int, list[_Noise]] = defaultdict(list)
    saturated: set[int] = set()
    for number, index in enumerate(chosen):
        on_progress(number / len(chosen))
        plane = planes[index]
        noises[plane.source].extend(_noises(plane))
        if any(saturated_share(plane.pixels[..., channel]) > _SATURATED_SHARE for channel in range(plane.pixels.shape[-1])):
            saturated.add(plane.source)
    noisy = [of_image for of_image in noises.values() if _median([noise.std for noise in of_image]) > NOISY_STD]
    return Inspection(
        images=len(noises),
        saturated=len(saturated),
        noisy=len(noisy),
        correlated=sum(_most(not noise.law.white for noise in of_image) for of_image in noisy),
        fitting=sum(_most(noise.fits for noise in of_image) for of_image in noises.values()),
        noise_std=_over_images(noises, lambda noise: noise.std),
        gain=_over_images(noises, lambda noise: noise.law.gain),
        read_noise=_over_images(noises, lambda noise: noise.law.read_noise),
    )


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


def _noises(plane: Plane) -> list[_Noise]:
    """Return the noise of the channels of which it can be told."""
    noises = []
    for channel, span in enumerate(plane.scaling.span.tolist()):
        pixels = plane.pixels[..., channel]
        law = fit_noise_law([pixels])
        if law is not None:
            noises.append(_Noise(law, relative_level(law, pixels, span)))
    return noises


def _over_images(noises: Mapping[int, Sequence[_Noise]], of: Callable[[_Noise], float]) -> float:
    """Return the median over the images of the medians over their planes and channels."""
    return _median([_median([of(noise) for noise in of_image]) for of_image in noises.values() if of_image])


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else np.nan


def _most(said: Iterable[bool]) -> bool:
    values = list(said)
    return 2 * sum(values) > len(values)
