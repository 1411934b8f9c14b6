"""The look of images: taken from references, kept in model files, and given to other images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import ShapeError
from napari_vaegan.restoration.style.change import Change, ChannelChange, ColourChange
from napari_vaegan.restoration.style.channel_look import SHARES, ChannelLook
from napari_vaegan.restoration.style.colour_look import ColourLook
from napari_vaegan.restoration.style.density import DensityScale, evenly, evenly_chosen, white_of
from napari_vaegan.restoration.style.record import LookRecord
from napari_vaegan.restoration.style.structure import describe_structure

_MOST_REFERENCES = 256
_PIXELS, _FEWEST_PIXELS = 1200, 100
"""Of the planes together and of each of them, to align colours."""

_PIXELS_OF_CHANNEL = 200_000
"""Of the planes together, to find the quantiles of a channel."""


@dataclass(frozen=True)
class Match:
    """How an image is given a look.

    Attributes
    ----------
    change
        Of its pixels; None if there is nothing in it to tell its look by.
    unlike
        How strange it is: up to 1 as the references are to each other.
    """

    change: Change | None
    unlike: float


@dataclass(frozen=True, eq=False)
class Look:
    """The look of a set of images.

    Attributes
    ----------
    images
        How many there are.
    dtype
        Of most of them.
    white
        Intensity of full light in them.
    colour
        The look of colour images; None of others.
    channels
        That of each channel of others.
    """

    images: int
    dtype: np.dtype[Any]
    white: float
    colour: ColourLook | None
    channels: tuple[ChannelLook, ...]

    @classmethod
    def of(
        cls,
        planes: Sequence[NDArray[Any]],
        colour: bool,
        seed: int = 0,
        on_reference: Callable[[], object] = lambda: None,
    ) -> Look:
        """Take the look of planes ``(Y, X, C)``, of at most 256 evenly chosen ones (of several channels, of fewer).

        Parameters
        ----------
        planes
            At least one, all of the same number of channels.
        colour
            Whether the channels are red, green and blue.
        seed
            Start of the random numbers with which the look is summarised.
        on_reference
            Called while references are looked at; raise from it to stop.

        Raises
        ------
        DataError
            If there is nothing in them.
        """
        most = _MOST_REFERENCES if colour else max(1, _MOST_REFERENCES // planes[0].shape[-1])
        chosen = [planes[index] for index in evenly_chosen(len(planes), most)]
        largest: dict[np.dtype[Any], float] = {}
        for plane in chosen:
            largest[plane.dtype] = max(largest.get(plane.dtype, 0.0), float(plane.max()))
        whites = {dtype: white_of(dtype, top) for dtype, top in largest.items()}
        dtype = Counter(plane.dtype for plane in chosen).most_common(1)[0][0]
        random = np.random.default_rng(seed)
        if colour:
            densities = [DensityScale(whites[plane.dtype]).density(evenly(plane, _PIXELS)) for plane in chosen]
            return cls(len(planes), dtype, whites[dtype], ColourLook.of(densities, random), ())
        channels = [
            ChannelLook.of([plane[..., channel] / whites[plane.dtype] for plane in chosen], random, on_reference)
            for channel in range(chosen[0].shape[-1])
        ]
        return cls(len(planes), dtype, whites[dtype], None, tuple(channels))

    def match(self, planes: Sequence[NDArray[Any]], colour: bool) -> Match:
        """Find the one change that brings an image, a series, or all images of a source to this look.

        Parameters
        ----------
        planes
            ``(Y, X, C)``, at least one, all of the same dtype.
        colour
            Whether their channels are red, green and blue.

        Raises
        ------
        ShapeError
            If the look is of other channels.
        """
        self._check(planes[0].shape[-1], colour)
        dtype = planes[0].dtype
        own = white_of(dtype, max(float(plane.max()) for plane in planes))
        if self.colour is None:
            # Of the same dtype intensities are compared as they are, be they of 12 bits or of 16.
            return self._match_channels(planes, max(own, self.white) if dtype == self.dtype else own)
        scale, each = DensityScale(own), max(_PIXELS // len(planes), _FEWEST_PIXELS)
        densities = np.concatenate([scale.density(evenly(plane, each)) for plane in planes])
        if not self.colour.has_tissue(densities):
            return Match(None, np.inf)
        aligned = self.colour.align(densities)
        limited = aligned.limited()
        return Match(ColourChange(scale, limited, limited is not aligned), self.colour.unlikeness(densities, aligned))

    def record(self) -> LookRecord:
        """Return what a header keeps."""
        return LookRecord(
            images=self.images,
            dtype=self.dtype.name,
            white=self.white,
            colour=None if self.colour is None else self.colour.record(),
            channels=[channel.record() for channel in self.channels],
        )

    @classmethod
    def from_record(cls, record: LookRecord) -> Look:
        """Rebuild what ``record`` returned."""
        colour = None if record.colour is None else ColourLook.from_record(record.colour)
        channels = tuple(ChannelLook.from_record(channel) for channel in record.channels)
        return cls(record.images, np.dtype(record.dtype), record.white, colour, channels)

    def _check(self, channels: int, colour: bool) -> None:
        if (self.colour is not None) != colour or (self.channels and len(self.channels) != channels):
            own, other = _say(self.colour is not None, len(self.channels)), _say(colour, channels)
            raise ShapeError(f"The look is that of {own}, the image has {other}: give references of the same channels.")

    def _match_channels(self, planes: Sequence[NDArray[Any]], white: float) -> Match:
        curves, unlike = [], 0.0
        for channel, look in enumerate(self.channels):
            shares = [plane[..., channel] / white for plane in planes]
            pooled = np.concatenate([evenly(share[..., None], _PIXELS_OF_CHANNEL // len(planes)) for share in shares])
            if np.ptp(pooled) == 0:
                return Match(None, np.inf)
            structure = np.median([describe_structure(share) for share in shares], axis=0)
            curves.append(look.curve(np.quantile(pooled, SHARES), structure))
            unlike = max(unlike, look.unlikeness(structure))
        return Match(ChannelChange(white, tuple(curves)), unlike)


def _say(colour: bool, channels: int) -> str:
    if colour:
        return "red, green and blue"
    return f"{channels} channel{'' if channels == 1 else 's'}"
