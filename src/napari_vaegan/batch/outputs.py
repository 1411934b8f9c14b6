"""Where results go: their names, the folder, and what is written beside a restored image."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_vaegan.errors import OutputError
from napari_vaegan.images.image import Image
from napari_vaegan.images.raster import JPEG_SIGNATURE, PNG_SIGNATURE
from napari_vaegan.images.writing import write_image
from napari_vaegan.restoration.restoration import Restoration

_TIFF_ENDINGS = (".ome.tif", ".ome.tiff", ".tif", ".tiff")


def plan_outputs(folder: Path, names: Sequence[Path], kinds: Sequence[str] = ()) -> list[Path]:
    """Return under which name each image is written: its own, with ``.tif`` for what cannot be written without loss.

    No two images get the same name, nor do what is written beside them: of ``a.tif`` and ``a.jpg`` the first keeps its
    name, and the second becomes ``a.jpg.tif``. Systems that do not tell capitals apart are allowed for.

    Parameters
    ----------
    folder
        Of the images.
    names
        Their paths in the folder.
    kinds
        What is written beside each; see ``side_output``.
    """
    planned: dict[Path, Path] = {}
    taken: set[str] = set()

    def claim(name: Path, candidate: Path) -> bool:
        claimed = {str(path).casefold() for path in (candidate, *(side_output(candidate, kind) for kind in kinds))}
        if claimed & taken:
            return False
        taken.update(claimed)
        planned[name] = candidate
        return True

    changed = [name for name in names if not (_keeps_name(folder / name) and claim(name, name))]
    for name in changed:
        numbered = (name.with_name(f"{name.name}.{number}.tif") for number in count(2))
        candidates = chain((name.with_suffix(".tif"), name.with_name(f"{name.name}.tif")), numbered)
        next(candidate for candidate in candidates if claim(name, candidate))
    return [planned[name] for name in names]


def side_output(output: Path, kind: str) -> Path:
    """Return where what belongs to an image goes: ``cell.ome.tif`` has its ``std`` in ``cell.std.tif``."""
    return output.with_name(f"{stem(output.name)}.{kind}.tif")


def write_sides(
    output: Path,
    result: Restoration,
    image: Image,
    *,
    std: bool,
    samples: bool,
    magnification: int,
    overwrite: bool,
) -> None:
    """Write standard deviation and samples of a restored image beside it, as far as they are wanted.

    Parameters
    ----------
    output
        Where the restored image goes.
    result
        The restoration.
    image
        What was restored: its axes, pixel size and channel names are kept.
    std, samples
        Whether to write them.
    magnification
        How many times finer the result's grid is.
    overwrite
        Whether files that are there already are replaced; if not, they are left as they are.
    """
    wanted: list[tuple[str, NDArray[Any], str]] = []
    if std:
        wanted.append(("std", result.std, image.axes))
    if samples:
        wanted.append(("samples", result.samples, _sample_axis(image) + image.axes))
    for kind, pixels, axes in wanted:
        path = side_output(output, kind)
        if overwrite or not path.exists():
            write_image(path, pixels, axes, like=image, magnification=magnification, overwrite=overwrite)


def notes_on(result: Restoration, image: Image) -> tuple[str, ...]:
    """Return what the user should know of a restoration, as sentences."""
    notes = list(result.report["warnings"])
    if image.axes_guessed:
        notes.append(f"The axes were taken to be {image.axes}: give them if that is wrong.")
    if clipped := result.report["clipped_pixels"]:
        notes.append(f"Values outside the range of {result.image.dtype} were clipped: {clipped}.")
    return tuple(notes)


def note_in_file(result: Restoration) -> str:
    """Return what the file of a restored image says of it: nothing of a best estimate."""
    report = result.report
    return f"napari-vaegan: {report['image']}" if report["realism"] > 0 or "purpose" in report else ""


def make_writable_folder(folder: Path) -> None:
    """Make a folder if it is not there, and try to write to it.

    Raises
    ------
    OutputError
        If that fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"The folder {folder} cannot be written ({reason}): choose another.") from None


def _keeps_name(path: Path) -> bool:
    """Whether what is in a file can be written without loss under a name of the same ending."""
    if path.name.lower().endswith(_TIFF_ENDINGS):
        return True
    if path.suffix.lower() != ".png":
        return False
    try:
        with path.open("rb") as file:
            return file.read(8).startswith((PNG_SIGNATURE, JPEG_SIGNATURE))
    except OSError:
        return False  # it is going to be listed as unreadable


def stem(name: str) -> str:
    """Return a file's name without its ending."""
    for ending in (*_TIFF_ENDINGS, ".png"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _sample_axis(image: Image) -> str:
    """Return a letter for the axis that counts samples: one that the image does not use."""
    free = [letter for letter in "TZC" if letter not in image.axes]
    if not free:
        raise OutputError(f"The samples of an image of axes {image.axes} have more axes than a TIFF: write none of them.")
    return free[0]
