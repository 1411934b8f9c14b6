"""``napari-vaegan generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_vaegan.cli.console import say
from napari_vaegan.cli.interruption import Interruption
from napari_vaegan.cli.options import DeviceOption, ModelOption, OverwriteOption, SeedOption
from napari_vaegan.cli.outputs import check_image_file
from napari_vaegan.cli.progress import progress
from napari_vaegan.errors import OutputError


def generate(
    *,
    model: ModelOption,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="A file (.tif) for one stack, or a folder for a file an image and a manifest; a folder run goes on.",
            show_default=False,
        ),
    ],
    count: Annotated[int, typer.Option(help="How many images.")] = 1,
    shape: Annotated[tuple[int, int], typer.Option(help="Height and width in pixels.")] = (256, 256),
    seed: SeedOption = 0,
    temperature: Annotated[
        float, typer.Option(help="How far images stray from the typical one: 1 as learned, 0 not at all, up to 2.")
    ] = 1.0,
    pixel_size: Annotated[float | None, typer.Option(help="In µm, to be written into the files.")] = None,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Draw images like those of the training folder. Every file says that it was generated."""
    from napari_vaegan.batch.generate import GeneratedSet, generate_folder
    from napari_vaegan.library import load
    from napari_vaegan.restoration.generate import check_count

    if out.suffix and not out.is_dir():
        check_image_file(out, overwrite)
        if out.suffix.lower() == ".png" and count > 1:
            raise OutputError(f"{out} can hold one image, not {count}: use a name that ends in .tif, or a folder.")
        check_count(count)
        images = GeneratedSet(load(model, device), shape, seed, temperature, pixel_size)
        with progress("Generating") as bar:
            images.write_stack(out, count, overwrite, bar)
        say(f"{count} image{'' if count == 1 else 's'} generated → {out}")
        return
    interruption = Interruption("Stopping: the images at hand are left.")
    with interruption, progress("Generating") as bar:
        result = generate_folder(
            load(model, device),
            out,
            count,
            shape,
            seed,
            temperature,
            pixel_size=pixel_size,
            overwrite=overwrite,
            on_progress=bar,
            stop=interruption,
        )
    say(f"{result} → {out}")
    if result.stopped:
        raise typer.Exit(interruption.exit_code or 1)
