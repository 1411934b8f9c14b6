"""``napari-vaegan demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_vaegan.cli.console import say


def demo(
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures and figures.")] = Path("demo"),
    minutes: Annotated[float, typer.Option(help="Minutes of training.")] = 5.0,
) -> None:
    """Train on real images that come with a package, restore unseen ones, and make a picture of it all."""
    from napari_vaegan.demo.run import run

    run(folder, minutes, say)
