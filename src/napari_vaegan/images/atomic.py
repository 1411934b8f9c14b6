"""Files that are either whole or not there, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from napari_vaegan.errors import OutputError


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, and move it to `path` once it is whole and on the disk.

    The temporary file lies in the same folder, hidden, and ends in ``.partial``; it is removed if writing
    fails. A file that is already at `path` is replaced in one step.

    Parameters
    ----------
    path : path
        Where the finished file goes. Its folder must exist.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputError
        If the system refuses to write there: no such folder, no permission, a full disk.
    """
    path = Path(path)
    temporary = path.parent / f".{uuid.uuid4().hex}.partial"
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written ({reason}): check the folder, its rights and space.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Put the new name itself on the disk; systems that cannot open folders keep names safe by themselves."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
