"""``napari-vaegan restore-folder``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from napari_vaegan.cli.console import errors, note, say
from napari_vaegan.cli.interruption import Interruption
from napari_vaegan.cli.options import (
    AxesOption,
    DeviceOption,
    FactorOption,
    ModelOption,
    OneChangeOption,
    OverwriteOption,
    QualityOption,
    RealismOption,
    SamplesOption,
    SeedOption,
    StrengthOption,
    StyleOption,
    WriteSamplesOption,
    WriteStdOption,
)
from napari_vaegan.cli.progress import progress

if TYPE_CHECKING:
    from napari_vaegan.batch.summary import FileDone

_MARKS = {"restored": ("✓", "green"), "skipped": ("–", "dim"), "failed": ("✗", "red")}


def restore_folder(
    source: Annotated[Path, typer.Argument(help="Folder of images, with its sub-folders.", show_default=False)],
    destination: Annotated[Path, typer.Argument(help="Folder for the restored ones.", show_default=False)],
    *,
    model: ModelOption,
    task: Annotated[
        Literal["denoise", "super-resolve", "inpaint", "match-style"], typer.Option(help="What to do.")
    ] = "denoise",
    factor: FactorOption = 2,
    mask: Annotated[
        Path | None,
        typer.Option(help="To inpaint: a mask file for all images, or a folder of masks of the same names."),
    ] = None,
    style: StyleOption = None,
    strength: StrengthOption = 1.0,
    one_change: OneChangeOption = False,
    samples: SamplesOption = 8,
    seed: SeedOption = 0,
    axes: AxesOption = None,
    realism: RealismOption = 0.0,
    quality: QualityOption = "fast",
    write_std: WriteStdOption = False,
    write_samples: WriteSamplesOption = False,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Restore every image of a folder. What is done already is skipped, so that the same command goes on."""
    from napari_vaegan import batch
    from napari_vaegan.library import load

    interruption = Interruption("Stopping: the image at hand is left.")
    with interruption, progress(source.name) as bar:
        summary = batch.restore_folder(
            load(model, device),
            source,
            destination,
            task,
            factor=factor,
            mask=mask,
            style=style,
            strength=strength,
            one_change=one_change,
            samples=samples,
            seed=seed,
            axes=axes,
            realism=realism,
            quality=quality,
            write_std=write_std,
            write_samples=write_samples,
            overwrite=overwrite,
            on_file_started=lambda path, number, total: bar.describe(f"{number}/{total} {escape(path.name)}"),
            on_file=_show,
            on_progress=bar,
            stop=interruption,
        )
    say(str(summary))
    if summary.stopped or summary.failed:
        raise typer.Exit(interruption.exit_code or 1)


def _show(file: FileDone) -> None:
    mark, style = _MARKS[file.status]
    # A terminal that knows ASCII alone cannot print the mark.
    mark = mark if errors.encoding.startswith("utf") else file.status
    note(f"{mark} {file.path}" + (f" ({file.seconds:.1f} s)" if file.status == "restored" else ""), style)
