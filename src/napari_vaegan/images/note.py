"""The note in an image file: what whoever opens it should know of it."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import tifffile
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

PNG_KEY = "Description"


def png_note(note: str) -> PngInfo:
    """Return the metadata of a PNG with this note, or with none if it is empty."""
    info = PngInfo()
    if note:
        info.add_itxt(PNG_KEY, note)
    return info


def read_note(path: str | os.PathLike[str]) -> str:
    """Return the note that ``write_image`` left in a file; empty if there is none, or the file is damaged."""
    try:
        return _read_png(Path(path)) if Path(path).suffix.lower() == ".png" else _read_tiff(Path(path))
    except (OSError, ValueError, ElementTree.ParseError):
        return ""


def _read_png(path: Path) -> str:
    with PillowImage.open(path) as image:
        return str(image.info.get(PNG_KEY, ""))


def _read_tiff(path: Path) -> str:
    with tifffile.TiffFile(path) as tiff:
        if tiff.ome_metadata is not None:
            found = ElementTree.fromstring(tiff.ome_metadata).find("{*}Image/{*}Description")
            return (found.text or "") if found is not None else ""
        return str((tiff.imagej_metadata or {}).get("Info", ""))
