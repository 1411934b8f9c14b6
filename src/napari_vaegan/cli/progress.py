"""The progress of one restoration, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from napari_vaegan.cli.console import errors


@contextmanager
def progress(description: str) -> Iterator[Callable[[float], None]]:
    """Show a bar, and give what moves it: a function of the share that is done."""
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(description, total=1.0)
        yield lambda share: bar.update(task, completed=share)
