"""Whether results can be written where they are asked for: known before anything is computed."""

from __future__ import annotations

from pathlib import Path

from napari_vaegan.errors import OutputError

_ENDINGS = (".tif", ".tiff", ".png")


def check_file(path: Path, overwrite: bool) -> None:
    """Refuse a file that is there already, or whose folder is missing or cannot be written.

    Raises
    ------
    OutputError
        With the reason.
    """
    from napari_vaegan.batch.outputs import make_writable_folder

    if path.is_dir():
        raise OutputError(f"{path} is a folder: give the name of a file.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already: choose another name, or replace it with --overwrite.")
    if not path.parent.is_dir():
        raise OutputError(f"The folder {path.parent} does not exist: create it or choose another.")
    make_writable_folder(path.parent)


def check_image_file(path: Path, overwrite: bool, kinds: tuple[str, ...] = ()) -> None:
    """Refuse a place for an image, and for what is written beside it, that cannot be used.

    Raises
    ------
    OutputError
        With the reason.
    """
    from napari_vaegan.batch.outputs import side_output

    if path.suffix.lower() not in _ENDINGS:
        raise OutputError(f"{path} cannot hold the result without loss: use a name that ends in .tif, .ome.tif or .png.")
    for file in (path, *(side_output(path, kind) for kind in kinds)):
        check_file(file, overwrite)
