"""Which change of look an image gets: one found from itself, or one found from all images of its slide or laboratory."""

from __future__ import annotations

from typing import Any

from napari_vaegan.errors import DataError
from napari_vaegan.images.collection import collect_images
from napari_vaegan.restoration.header import Header
from napari_vaegan.restoration.style.density import evenly_chosen
from napari_vaegan.restoration.style.look import Look, Match
from napari_vaegan.restoration.style.source import LookSource, fingerprint
from napari_vaegan.restoration.subject import Subject

_MOST_PLANES, _MOST_SOURCES = 8, 64
"""Of a series, and of a source, to find its change."""


class Matcher:
    """Finds changes of look, and keeps the last one of a source: it is the same for every image of it.

    Parameters
    ----------
    header
        Of the model whose training folder's look is taken where no other is asked for.
    """

    def __init__(self, header: Header) -> None:
        self._looks = LookSource(header)
        self._kept: tuple[str, Match] | None = None

    def match(self, subject: Subject, style: Any, source: Any, seed: int) -> Match:
        """Find the change of an image.

        Parameters
        ----------
        subject
            The image or series.
        style
            Where the look comes from; see ``LookSource``.
        source
            Images that look as this one does, and get the same change: arrays, files, folders. If None, it is found from
            the image alone.
        seed
            Start of the random numbers with which references are summarised.

        Raises
        ------
        SettingError
            If a model has no look recorded.
        DataError, ShapeError, ModelFileError
            If image, style or source cannot be used.
        """
        channels = subject.shape[-1]
        if source is None:
            planes = [subject.finite_plane(index) for index in evenly_chosen(len(subject), _MOST_PLANES)]
            return self._looks.look(style, channels, seed).match(planes, subject.colour)
        dtype = subject.dtype.newbyteorder("=")
        key = f"{fingerprint(style, channels, seed)} {fingerprint(source, channels, seed)} {dtype} {subject.colour}"
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, _match_source(source, subject, self._looks.look(style, channels, seed)))
        return self._kept[1]


def _match_source(source: Any, subject: Subject, look: Look) -> Match:
    """Find the change from the images of a source that are of a subject's dtype."""
    dtype = subject.dtype.newbyteorder("=")
    collection = collect_images(source, channels=subject.shape[-1])
    if collection.colour != subject.colour:
        raise DataError(
            "Of the image and the source, one is red, green and blue, and one is not: give a source like the image."
        )
    planes = [plane.pixels for plane in collection.planes if plane.pixels.dtype == dtype]
    if not planes:
        raise DataError(f"The image is of {dtype}, but the source of {collection.dtype}: give a source of the image's.")
    return look.match([planes[index] for index in evenly_chosen(len(planes), _MOST_SOURCES)], subject.colour)
