"""The options that several commands share, and one option for every field of ``TrainingConfig``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from napari_vaegan.config import TrainingConfig

ImageArgument = Annotated[Path, typer.Argument(help="Image file: TIFF, PNG or JPEG.", show_default=False)]
ModelOption = Annotated[Path, typer.Option("--model", "-m", help="Model file, as train wrote it.", show_default=False)]
OutOption = Annotated[
    Path, typer.Option("--out", "-o", help="Where the result goes: .tif, .ome.tif or .png.", show_default=False)
]
FactorOption = Annotated[int, typer.Option(help="How many times finer Y and X become: 2, 3 or 4.")]
StyleOption = Annotated[
    Path | None,
    typer.Option(
        help="Where the look comes from: an image, a folder of images, or another model file.",
        show_default="the model's training folder",
    ),
]
StrengthOption = Annotated[float, typer.Option(help="How much of the look, from 0 to 1.")]
SourceOption = Annotated[
    Path | None,
    typer.Option(
        help="A folder of images that look as this one does: the change is found from all of them, the same for each.",
        show_default="the image alone",
    ),
]
OneChangeOption = Annotated[
    bool, typer.Option("--one-change", help="To match style: one change for all images, found from all of them.")
]
SamplesOption = Annotated[int, typer.Option(help="How many possible truths to draw, if they are written.")]
SeedOption = Annotated[int, typer.Option(help="The same seed draws the same samples.")]
RealismOption = Annotated[
    float,
    typer.Option(help="0: best estimate, least error; 1: one possible truth, which looks real and is partly invented."),
]
QualityOption = Annotated[
    Literal["fast", "best"],
    typer.Option(help="best averages all flips and quarter turns: a little nearer to the truth, 8 times slower."),
]
AxesOption = Annotated[
    str | None,
    typer.Option(help="Axes of the image, such as TYX, if its file does not say.", show_default="the file's, or a guess"),
]
WriteStdOption = Annotated[bool, typer.Option("--write-std", help="Also write the standard deviation, as NAME.std.tif.")]
WriteSamplesOption = Annotated[
    bool, typer.Option("--write-samples", help="Also write the samples as one stack, NAME.samples.tif.")
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")]
DeviceOption = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1, mps.")]


def with_training_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for every field of ``TrainingConfig``.

    Parameters
    ----------
    command
        Takes keyword arguments beside its own: it is called with those settings that the user gave.
    """
    own = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    fields = TrainingConfig.model_fields

    @functools.wraps(command)
    def with_settings(**arguments: Any) -> None:
        settings = {name: _plain(arguments.pop(name)) for name in fields}
        command(**arguments, **{name: value for name, value in settings.items() if value is not None})

    options = [_option(name, field) for name, field in fields.items()]
    # Typer reads the signature; the names of settings are those of the fields, so none can be forgotten.
    with_settings.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    with_settings.__annotations__ = {}
    return with_settings


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    extra = field.json_schema_extra
    expert = isinstance(extra, dict) and bool(extra.get("expert"))
    kebab = name.replace("_", "-")
    annotation: Any = field.annotation
    metavar: str | None = None
    declaration, shown = f"--{kebab}", str(field.default)
    if annotation is bool:
        declaration, shown = f"--{kebab}/--no-{kebab}", kebab if field.default else f"no-{kebab}"
    elif get_origin(annotation) is tuple:
        annotation, shown, metavar = list[str], ",".join(field.default), "<name,name,...>"
    option = typer.Option(
        declaration,
        metavar=metavar,
        help=field.description,
        show_default=False if field.default is None else shown,
        rich_help_panel="Expert settings" if expert else "Training",
    )
    optional = annotation if type(None) in get_args(annotation) else annotation | None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[optional, option])


def _plain(value: Any) -> Any:
    """Return a list option as a tuple, whether it was repeated or its values joined by commas; None if not given."""
    if not isinstance(value, list):
        return value
    return tuple(part.strip() for text in value for part in text.split(",")) or None
