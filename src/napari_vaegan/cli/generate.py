"""``napari-vaegan generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_vaegan.cli.console import say
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
            "--out", "-o", help="A file (.tif) for one stack, or a folder for a file an image.", show_default=False
        ),
    ],
    count: Annotated[int, typer.Option(help="How many images.")] = 1,
    shape: Annotated[tuple[int, int], typer.Option(help="Height and width in pixels.")] = (256, 256),
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Draw images like those of the training folder."""
    from napari_vaegan.batch.outputs import make_writable_folder
    from napari_vaegan.images.writing import write_image
    from napari_vaegan.library import load

    one_file = bool(out.suffix) and not out.is_dir()
    if one_file:
        check_image_file(out, overwrite)
        if out.suffix.lower() == ".png" and count > 1:
            raise OutputError(f"{out} can hold one image, not {count}: use a name that ends in .tif, or a folder.")
    drawer = load(model, device)
    as_png = drawer.channels == 3 if drawer.header.colour else drawer.channels == 1
    ending = "png" if as_png and drawer.header.dtype == "uint8" else "tif"
    files = [out] if one_file else [out / f"generated-{index:04d}.{ending}" for index in range(max(count, 0))]
    if not one_file:
        make_writable_folder(out)
        for file in files:
            check_image_file(file, overwrite)
    with progress("Generating") as on_progress:
        images = drawer.generate(count, shape, seed, on_progress=on_progress)
    axes = "YX" if drawer.channels == 1 else "YXC"
    if one_file and count > 1:
        write_image(out, images, f"T{axes}", overwrite=overwrite)
    else:
        for file, image in zip(files, images, strict=True):
            write_image(file, image, axes, overwrite=overwrite)
    plural = "" if count == 1 else "s"
    say(f"Generated {count} image{plural} of {shape[0]} × {shape[1]} pixels ({images.dtype}) → {out}")
