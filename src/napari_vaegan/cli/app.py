"""The commands put together, and what becomes of errors."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from napari_vaegan.cli.check import check
from napari_vaegan.cli.console import errors
from napari_vaegan.cli.demo import demo
from napari_vaegan.cli.folder import restore_folder
from napari_vaegan.cli.generate import generate
from napari_vaegan.cli.info import info
from napari_vaegan.cli.latents import interpolate, variations
from napari_vaegan.cli.restore import denoise, inpaint, match_style, super_resolve
from napari_vaegan.cli.train import train
from napari_vaegan.errors import VaeganError


class OneSentenceErrors(TyperGroup):
    """Commands whose users get one sentence for what they can mend; a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except VaeganError as error:
            errors.print(Text(f"Error: {error}", style="red"), soft_wrap=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=OneSentenceErrors,
    name="napari-vaegan",
    help="Train one model on a folder of microscopy images; generate, inpaint, super-resolve, denoise, match style.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    *(check, train, generate, variations, interpolate),
    *(inpaint, super_resolve, denoise, match_style, restore_folder, info, demo),
):
    app.command(_command.__name__.replace("_", "-"))(_command)


def main() -> None:
    """Run the terminal command."""
    app()
