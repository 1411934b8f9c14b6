"""Where a look comes from: the training folder, other images, a folder of them, or another model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_vaegan.errors import DataError, SettingError
from napari_vaegan.images.collection import collect_images
from napari_vaegan.restoration.header import Header
from napari_vaegan.restoration.header_file import read_header
from napari_vaegan.restoration.style.look import Look

MODEL_ENDING = ".vaegan"


class LookSource:
    """Finds the look that is asked for, and keeps the last one: to take a look takes longer than to give it to an image.

    Parameters
    ----------
    header
        Of the model whose training folder's look is taken where no other is asked for.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self._kept: tuple[str, Look] | None = None

    def look(self, style: Any, channels: int, seed: int) -> Look:
        """Return a look.

        Parameters
        ----------
        style
            None for the training folder's; a model or its file; or else images: arrays, files, folders.
        channels
            Of the image that is to get the look.
        seed
            Start of the random numbers with which images are summarised.

        Raises
        ------
        SettingError
            If a model has no look recorded.
        DataError, ShapeError, ModelFileError
            If images or model cannot be used.
        """
        key = fingerprint(style, channels, seed)
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, self._take(style, channels, seed))
        return self._kept[1]

    def _take(self, style: Any, channels: int, seed: int) -> Look:
        if style is None:
            return recorded_look(self._header)
        if hasattr(style, "header"):
            return recorded_look(style.header)
        if _is_model_file(style):
            return recorded_look(read_header(style))
        collection = collect_images(style, channels=channels)
        return Look.of([plane.pixels for plane in collection.planes], collection.colour, seed)


def recorded_look(header: Header) -> Look:
    """Return the look of a model's training folder.

    Raises
    ------
    SettingError
        If none is recorded.
    """
    if header.look is None:
        raise SettingError(
            f"The model {header.name} has no look recorded, as it was trained by an earlier version or without one to be "
            "seen: give style= images, a folder, or another model."
        )
    return Look.from_record(header.look)


def describe_style(style: Any) -> str | None:
    """Name a style in a word or two, for a record of how an image was made."""
    if style is None:
        return None
    if isinstance(style, str | os.PathLike):
        return str(style)
    if hasattr(style, "header"):
        return f"the model {style.header.name}"
    count = len(style) if isinstance(style, list | tuple) else 1
    return f"{count} image{'' if count == 1 else 's'}"


def _is_model_file(style: Any) -> bool:
    return isinstance(style, str | os.PathLike) and Path(style).suffix.lower() == MODEL_ENDING


def fingerprint(style: Any, channels: int, seed: int) -> str:
    """Return what tells images, folders or models, used in one way, from others."""
    digest = hashlib.blake2b(f"{channels} {seed} ".encode())
    for part in _parts(style):
        digest.update(part)
    return digest.hexdigest()


def _parts(style: Any) -> Iterator[bytes]:
    """Yield what tells one style from another: bytes of arrays; names, times and sizes of files."""
    if isinstance(style, list | tuple):
        for part in style:
            yield from _parts(part)
    elif isinstance(style, str | os.PathLike):
        path = Path(style)
        files = [path, *sorted(path.rglob("*"))] if path.is_dir() else [path]
        for file in files:
            state = file.stat() if file.exists() else None
            yield f"{file} {state and (state.st_mtime_ns, state.st_size)};".encode()
    elif hasattr(style, "header"):
        yield style.header.model_dump_json(include={"name", "created", "look"}).encode()
    elif style is not None:
        pixels = np.asarray(getattr(style, "pixels", style))
        if pixels.dtype.kind not in "buif":
            raise DataError(f"A look cannot be taken from {pixels.dtype} numbers: give images, a folder, or a model.")
        yield f"{pixels.shape} {pixels.dtype};".encode()
        yield np.ascontiguousarray(pixels).tobytes()
