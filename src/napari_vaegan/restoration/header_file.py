"""The header at the front of a model file, read without the weights and without torch."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import ValidationError

from napari_vaegan.errors import ModelFileError, SettingError
from napari_vaegan.restoration.header import FORMAT_VERSION, Header

HEADER_KEY = "napari-vaegan"
LARGEST_HEADER = 2**25
"""Bytes; a header that claims more is refused before memory is taken."""


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read what a model file says of itself; the weights are neither read nor checked.

    Raises
    ------
    ModelFileError
        If the file is missing, not a model, or from a newer version.
    """
    path = Path(path)
    check_claimed_header(path)
    with path.open("rb") as file:
        claimed = int.from_bytes(file.read(8), "little")
        front = file.read(claimed)
    try:
        text = json.loads(front)["__metadata__"][HEADER_KEY]
    except (ValueError, KeyError, TypeError):
        raise not_a_model(path) from None
    return parse_header(path, text)


def check_claimed_header(path: Path) -> None:
    """Refuse a file whose first eight bytes claim a header larger than the file or than any header of ours.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is no model.
    """
    if not path.is_file():
        raise ModelFileError(f"There is no model file at {path}: check the path.")
    with path.open("rb") as file:
        first = file.read(8)
    claimed = int.from_bytes(first, "little")
    if len(first) < 8 or claimed > min(path.stat().st_size - 8, LARGEST_HEADER):
        raise ModelFileError(f"{path} is truncated or not a model file: get the file anew.")


def not_a_model(path: Path) -> ModelFileError:
    """Return the error about a safetensors file of another kind."""
    return ModelFileError(f"{path} is a safetensors file, but not a napari-vaegan model: choose another file.")


def parse_header(path: Path, text: str) -> Header:
    """Understand the header of the model file at this path.

    Raises
    ------
    ModelFileError
        If it is of another version, or not a header.
    """
    try:
        version = json.loads(text)["format_version"]
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise ModelFileError(
                f"{path} is of format {version}, this version of napari-vaegan reads up to {FORMAT_VERSION}: "
                "update napari-vaegan."
            )
        if version != FORMAT_VERSION:
            raise ModelFileError(
                f"{path} is of format {version}, whose networks this version of napari-vaegan no longer has: train it anew."
            )
        return Header.model_validate_json(text)
    except (ValidationError, SettingError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelFileError(f"The header of {path} cannot be understood ({reason}): get the file anew.") from None
