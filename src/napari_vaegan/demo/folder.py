"""The folder that the demonstration writes to: it replaces what it wrote itself, and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from napari_vaegan.errors import OutputError
from napari_vaegan.images.atomic import atomic_write

_RECORD = ".written-by-the-demo.json"


@dataclass(frozen=True)
class DemoFolder:
    """A folder with a record of what the demonstration wrote into it.

    The record holds a checksum for each file, so that a file that a user put or changed there is told from one that may
    be replaced.
    """

    path: Path

    def claim(self, names: tuple[str, ...]) -> None:
        """Make the folder, and see that every one of these names may be written.

        Raises
        ------
        OutputError
            If a file of that name is there that the demonstration did not write, or no folder can be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The folder {self.path} cannot be made ({error.strerror}): choose another one for the demonstration."
            ) from error
        written = self._written()
        for name in names:
            file = self.path / name
            if file.exists() and (not file.is_file() or written.get(name) != _checksum(file)):
                raise OutputError(f"{file} was not written by the demonstration: move it away, or choose another folder.")

    def record(self, name: str) -> Path:
        """Note that a file was just written here by the demonstration; return its path."""
        file = self.path / name
        written = self._written() | {name: _checksum(file)}
        with atomic_write(self.path / _RECORD) as temporary:
            temporary.write_text(json.dumps(written, indent=1), encoding="utf-8")
        return file

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file and note it."""
        with atomic_write(self.path / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return self.record(name)

    def _written(self) -> dict[str, str]:
        try:
            record = json.loads((self.path / _RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
