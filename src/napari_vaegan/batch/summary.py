"""What became of a folder, image by image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class FileDone:
    """One image of a folder run.

    Attributes
    ----------
    path
        Of the image.
    output
        Where its restoration goes.
    number, total
        Which one it is, counted from 1, of how many.
    status
        What became of it.
    reason
        Why it was skipped or failed, in one sentence; empty if it was restored.
    seconds
        That it took.
    warnings
        Sentences that the user should know.
    """

    path: Path
    output: Path
    number: int
    total: int
    status: Literal["restored", "skipped", "failed"]
    reason: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FolderSummary:
    """What became of a folder.

    Attributes
    ----------
    files
        Every image that was looked at, in order.
    stopped
        Whether the run was stopped before the last image.
    """

    files: tuple[FileDone, ...]
    stopped: bool = False

    @property
    def restored(self) -> tuple[FileDone, ...]:
        """The images that were restored."""
        return tuple(file for file in self.files if file.status == "restored")

    @property
    def skipped(self) -> tuple[FileDone, ...]:
        """The images that were done already."""
        return tuple(file for file in self.files if file.status == "skipped")

    @property
    def failed(self) -> tuple[FileDone, ...]:
        """The images that could not be restored."""
        return tuple(file for file in self.files if file.status == "failed")

    def __str__(self) -> str:
        seconds = sum(file.seconds for file in self.restored)
        lines = [f"{_images(len(self.restored))} restored in {seconds:.1f} s"]
        if self.skipped:
            lines[0] += f", {len(self.skipped)} skipped (done already)"
        if self.failed:
            lines[0] += f", {len(self.failed)} failed"
        if self.stopped:
            lines.append("Stopped before the end: the same call goes on with the images that are left.")
        warnings = Counter(warning for file in self.restored for warning in file.warnings)
        lines += [f"Note on {_images(number)}: {warning}" for warning, number in warnings.items()]
        if self.failed:
            lines.append("Failed:")
            lines += [f"  {file.path}: {file.reason}" for file in self.failed]
        return "\n".join(lines)


def _images(number: int) -> str:
    return f"{number} image{'' if number == 1 else 's'}"
