"""The progress of a restoration or of a folder of them, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress

from napari_vaegan.cli.console import errors


class Bar:
    """A bar on a terminal."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=1.0)

    def __call__(self, share: float) -> None:
        """Show the share that is done."""
        self._progress.update(self._task, completed=share)

    def describe(self, description: str) -> None:
        """Say what is being done."""
        self._progress.update(self._task, description=description)


@contextmanager
def progress(description: str) -> Iterator[Bar]:
    """Show a bar, and give what moves it."""
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as shown:
        yield Bar(shown, description)
