"""Writing the report, whole or not at all, and never over anything else."""

from __future__ import annotations

import os
from pathlib import Path

from napari_vaegan.errors import OutputError
from napari_vaegan.images.atomic import atomic_write
from napari_vaegan.report.page import MARK, page
from napari_vaegan.restoration.header import Header
from napari_vaegan.restoration.header_file import read_header


def report_of(model: str | os.PathLike[str]) -> Path:
    """Return where the report of a model file lies: beside it."""
    return Path(model).with_suffix(".html")


def write_report(model: Header | str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Path:
    """Write the quality report of a model: one HTML file that needs nothing beside it.

    Parameters
    ----------
    model
        A model file, or its header.
    out
        Where the report goes; beside the model file if None. An earlier report there is replaced.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    ModelFileError
        If the file is missing, not a model, or from a newer version.
    OutputError
        If a file of that name is there that is no such report, or it cannot be written.
    """
    if isinstance(model, Header):
        if out is None:
            raise TypeError("a header lies nowhere: say where its report goes")
        header, path = model, Path(out)
    else:
        header, path = read_header(model), Path(out) if out is not None else report_of(model)
    _check_place(path)
    with atomic_write(path) as temporary:
        temporary.write_text(page(header), encoding="utf-8")
    return path


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputError(f"The folder {path.parent} does not exist: create it or choose another.")
    if path.exists() and not _is_report(path):
        raise OutputError(f"{path} is there already and is no quality report: choose another place with --out.")


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(1024)
