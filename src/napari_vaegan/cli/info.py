"""``napari-vaegan info``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from napari_vaegan.cli.console import output, say
from napari_vaegan.durations import in_words
from napari_vaegan.errors import SettingError

if TYPE_CHECKING:
    from napari_vaegan.restoration.header import Header

_TECHNIQUES = ("adversarial", "spectral_normalisation", "progressive")


def info(
    model: Annotated[Path, typer.Argument(help="Model file, as train wrote it.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print the whole header as JSON.")] = False,
    html: Annotated[
        bool, typer.Option("--html", help="Write the quality report, a page with figures and pictures, beside the model.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the quality report goes.", show_default="MODEL.html")
    ] = None,
) -> None:
    """Say what a model was trained on, how, and how well it does."""
    if html:
        from napari_vaegan.report import write_report

        say(f"Wrote {write_report(model, out)}")
        return
    if out is not None:
        raise SettingError("Only the quality report goes to a file: give --html with --out.")
    from napari_vaegan.restoration.model_file import read_model

    _, header = read_model(model)
    if json:
        typer.echo(header.model_dump_json(indent=1))
        return
    table = Table(show_header=False, box=None, pad_edge=False, title=Text(str(model)), title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(header):
        table.add_row(name, Text(value))
    output.print(table)


def _rows(header: Header) -> list[tuple[str, str]]:
    images = header.training_set
    config = header.config.model_dump()
    defaults = type(header.config)().model_dump()
    changed = [f"{name} = {_plain(value)}" for name, value in config.items() if value != defaults[name]]
    channels = "colour" if header.colour else f"{header.channels} channel{'' if header.channels == 1 else 's'}"
    smallest, largest = (" × ".join(map(str, images[name])) for name in ("smallest", "largest"))
    sizes = smallest if smallest == largest else f"{smallest} to {largest}"
    low, high = images["intensities"]
    rows = [
        ("Name", header.name),
        ("Created", header.created),
        ("Trained on", f"{images['images']} images, {images['planes']} planes of {sizes} pixels"),
        (
            "",
            f"{channels}, {header.dtype}, intensities {low:g} to {high:g}",
        ),
    ]
    if images["skipped"]:
        rows.append(("", f"{images['skipped']} skipped"))
    rows += [("", note) for note in images["notes"]]
    rows += [
        ("Tasks", ", ".join(header.config.tasks)),
        ("Stages", " → ".join(header.stages)),
        (
            "Techniques",
            ", ".join(f"{name.replace('_', ' ')} {'on' if config[name] else 'off'}" for name in _TECHNIQUES),
        ),
        ("Settings changed", ", ".join(changed) or "none"),
        ("Training", f"{header.steps:,} steps in {in_words(header.seconds)} on {header.device} ({header.precision})"),
    ]
    label = "PSNR on held-out patches"
    for kind, psnr in header.psnr.items():
        rows.append((label, f"{kind}: {psnr:.1f} dB"))
        label = ""
    label = "90 % of errors within"
    for kind, record in header.calibration.items():
        widths = [_ninety_percent(point.quantiles) for point in record.points]
        said = f"{widths[0]:.2f}" if len(widths) == 1 else f"{min(widths):.2f} to {max(widths):.2f}"
        rows.append((label, f"{kind}: ± {said} standard deviations"))
        label = ""
    rows.append(("Versions", ", ".join(f"{name} {version}" for name, version in header.versions.items())))
    return rows


def _ninety_percent(quantiles: Sequence[float]) -> float:
    from napari_vaegan.restoration.uncertainty import interval_width

    return interval_width(quantiles, 0.9)


def _plain(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
