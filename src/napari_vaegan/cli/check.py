"""``napari-vaegan check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from napari_vaegan.cli.console import output
from napari_vaegan.cli.options import with_training_options
from napari_vaegan.cli.progress import progress
from napari_vaegan.config import TrainingConfig
from napari_vaegan.durations import in_words

if TYPE_CHECKING:
    from napari_vaegan.training_check import TrainingCheck

_LISTED = 10


@with_training_options
def check(
    source: Annotated[list[Path], typer.Argument(help="Folders (with sub-folders) or files of images.", show_default=False)],
    **settings: Any,
) -> None:
    """Check images before training: what is found and skipped, what training will need, and what may spoil it."""
    config = TrainingConfig(**settings)

    from napari_vaegan import training_check

    with progress("Checking") as on_progress:
        found = training_check.check(source[0] if len(source) == 1 else source, config, on_progress=on_progress)
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(found, config):
        table.add_row(name, Text(value, style="yellow" if name == "Warning" else ""))
    output.print(table)


def _rows(found: TrainingCheck, config: TrainingConfig) -> list[tuple[str, str]]:
    smallest, largest = (" × ".join(map(str, size)) for size in (found.smallest, found.largest))
    sizes = smallest if smallest == largest else f"{smallest} to {largest}"
    channels = "colour" if found.colour else f"{found.channels} channel{'' if found.channels == 1 else 's'}"
    low, high = found.intensities
    rows = [
        ("Images", f"{found.images}, {found.planes} planes of {sizes} pixels"),
        ("Axes", f"{', '.join(found.axes)}; {channels}"),
        ("Intensities", f"{low:g} to {high:g} ({found.dtype})"),
    ]
    rows += [("Skipped", f"{item.name}: {item.reason}") for item in found.skipped[:_LISTED]]
    if len(found.skipped) > _LISTED:
        rows.append(("Skipped", f"and {len(found.skipped) - _LISTED} more"))
    rows += [
        ("Model", f"{config.preset}, {found.parameters:,} parameters"),
        ("Device", found.device),
        ("Memory", f"about {_gigabytes(found.memory_bytes)} of {_gigabytes(found.available_bytes)} that are free"),
        ("Training", _training(found, config)),
    ]
    return rows + [("Warning", warning) for warning in found.warnings]


def _training(found: TrainingCheck, config: TrainingConfig) -> str:
    steps = "an unknown number of" if found.steps is None else f"{found.steps:,}"
    time = "an unknown time" if found.seconds is None else in_words(found.seconds)
    return f"{steps} steps in about {time}" if config.steps is not None else f"about {steps} steps in {time}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
