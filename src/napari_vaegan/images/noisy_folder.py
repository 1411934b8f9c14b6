"""Whether a folder holds nothing but noisy images, and the laws of their noise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from napari_vaegan.images.collection import Plane
from napari_vaegan.images.inspection import NOISY_STD
from napari_vaegan.images.noise_law import NoiseLaw, fit_noise_law, relative_level, white_correlation

_MOST_ASKED = 40
"""Images by which it is decided whether the folder is noisy."""

Laws = tuple[NoiseLaw, ...]
"""One a channel, in grey levels."""


@dataclass(frozen=True)
class NoisyFolder:
    """The laws of the noise of a folder's images.

    Attributes
    ----------
    laws
        By image (``Plane.source``); empty if the images count as clean.
    typical
        The laws of the image whose noise is the median one; empty if the images count as clean.
    """

    laws: dict[int, Laws]
    typical: Laws = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user."""
        if not self.laws:
            return ()
        law = self.typical[0]
        said = "was given by hand"
        if law.transfer is not None:
            fits = law.transfer.fits
            said = "was fitted to them, and fits" if fits else "does not fit them well, so error bars may be wrong"
        kind = "independent from pixel to pixel" if law.white else "correlated between neighbouring pixels"
        return (
            "The images are noisy, and the model learns from them alone what they are without noise. The law of their noise "
            f"{said}: {law.gain:.3g} grey levels a photon, read noise {law.read_noise:.3g} grey levels, {kind}.",
        )

    def mark(self, planes: Sequence[Plane]) -> tuple[Plane, ...]:
        """Return planes with the laws of their noise, in scaled units."""
        return tuple(
            replace(plane, noise=_scaled(self.laws[plane.source], plane)) if plane.source in self.laws else plane
            for plane in planes
        )


def find_noise(
    planes: Sequence[Plane],
    mode: Literal["auto", "clean", "noisy"] = "auto",
    by_hand: tuple[float, float, float] | None = None,
    on_image: Callable[[], None] = lambda: None,
) -> NoisyFolder:
    """Decide whether images count as noisy, and fit the laws of their noise.

    Parameters
    ----------
    planes
        Of the folder.
    mode
        ``clean`` takes the images as they are, ``noisy`` fits every image; ``auto`` counts a folder as noisy if half of its
        images have noise of more than 4 % of the intensity range.
    by_hand
        Gain, offset and read noise in grey levels, instead of fitted ones; the images are noisy, then.
    on_image
        Called after each image; raise from it to stop.
    """
    if mode == "clean":
        return NoisyFolder({})
    channels = planes[0].pixels.shape[-1]
    images: defaultdict[int, list[Plane]] = defaultdict(list)
    for plane in planes:
        images[plane.source].append(plane)
    if by_hand is not None:
        laws = (NoiseLaw(*by_hand, white_correlation()),) * channels
        return NoisyFolder(dict.fromkeys(images, laws), laws)
    fitted: dict[int, Laws] = {}
    levels: dict[int, float] = {}

    def fit(sources: Sequence[int]) -> None:
        for source in sources:
            laws = [fit_noise_law([plane.pixels[..., channel] for plane in images[source]]) for channel in range(channels)]
            told = tuple(law for law in laws if law is not None)
            if len(told) == channels:
                fitted[source], levels[source] = told, _level(told, images[source][0])
            on_image()

    sources = list(images)
    if mode == "auto":
        asked = [sources[i] for i in np.unique(np.linspace(0, len(sources) - 1, _MOST_ASKED).round().astype(int))]
        fit(asked)
        if not levels or np.median(list(levels.values())) < NOISY_STD:
            return NoisyFolder({})
    fit([source for source in sources if source not in fitted])
    if not fitted:
        return NoisyFolder({})
    middle = sorted(levels, key=lambda source: levels[source])[len(levels) // 2]
    return NoisyFolder(fitted, fitted[middle])


def _level(laws: Laws, plane: Plane) -> float:
    spans = plane.scaling.span.tolist()
    return float(np.mean([relative_level(law, plane.pixels[..., c], spans[c]) for c, law in enumerate(laws)]))


def _scaled(laws: Laws, plane: Plane) -> Laws:
    return tuple(
        law.scaled(low, span)
        for law, low, span in zip(laws, plane.scaling.low.tolist(), plane.scaling.span.tolist(), strict=True)
    )
