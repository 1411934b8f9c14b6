"""``napari-vaegan inpaint``, ``super-resolve``, ``denoise`` and ``match-style``: one image each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_vaegan.cli.console import note, say
from napari_vaegan.cli.options import (
    AxesOption,
    DeviceOption,
    FactorOption,
    ImageArgument,
    ModelOption,
    OutOption,
    OverwriteOption,
    QualityOption,
    RealismOption,
    SamplesOption,
    SeedOption,
    SourceOption,
    StrengthOption,
    StyleOption,
    WriteSamplesOption,
    WriteStdOption,
)
from napari_vaegan.cli.outputs import check_image_file
from napari_vaegan.cli.progress import progress
from napari_vaegan.errors import OutputError

if TYPE_CHECKING:
    from napari_vaegan.images.image import Image
    from napari_vaegan.restoration.model import Model
    from napari_vaegan.restoration.progress import OnProgress
    from napari_vaegan.restoration.restoration import Restoration


@dataclass(frozen=True)
class Order:
    """What is read, with which model, and what is to be written."""

    image: Path
    model: Path
    device: str
    axes: str | None
    out: Path
    write_std: bool
    write_samples: bool
    overwrite: bool


def inpaint(
    image: ImageArgument,
    mask: Annotated[Path, typer.Argument(help="Mask file: any value above 0 is a missing pixel.", show_default=False)],
    *,
    model: ModelOption,
    out: OutOption,
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
    """Fill the masked pixels of an image; the others are never changed."""

    def run(drawer: Model, picture: Image, on_progress: OnProgress) -> Restoration:
        from napari_vaegan.images.reading import read_image

        missing = read_image(mask).pixels
        drawn = samples if write_samples else 0
        return drawer.inpaint(picture.pixels, missing, drawn, seed, picture.axes, quality, on_progress, realism=realism)

    _restore("Inpainted", Order(image, model, device, axes, out, write_std, write_samples, overwrite), run)


def super_resolve(
    image: ImageArgument,
    *,
    model: ModelOption,
    out: OutOption,
    factor: FactorOption = 2,
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
    """Refine the grid of an image 2, 3 or 4 times; the means of the new pixels equal the old ones."""

    def run(drawer: Model, picture: Image, on_progress: OnProgress) -> Restoration:
        drawn = samples if write_samples else 0
        return drawer.super_resolve(picture.pixels, factor, drawn, seed, picture.axes, quality, on_progress, realism=realism)

    order = Order(image, model, device, axes, out, write_std, write_samples, overwrite)
    _restore(f"Super-resolved ×{factor}", order, run, magnification=factor)


def denoise(
    image: ImageArgument,
    *,
    model: ModelOption,
    out: OutOption,
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
    """Remove photon and read noise from an image."""

    def run(drawer: Model, picture: Image, on_progress: OnProgress) -> Restoration:
        drawn = samples if write_samples else 0
        return drawer.denoise(picture.pixels, drawn, seed, picture.axes, quality, on_progress, realism=realism)

    _restore("Denoised", Order(image, model, device, axes, out, write_std, write_samples, overwrite), run)


def match_style(
    image: ImageArgument,
    *,
    model: ModelOption,
    out: OutOption,
    style: StyleOption = None,
    source: SourceOption = None,
    strength: StrengthOption = 1.0,
    seed: SeedOption = 0,
    axes: AxesOption = None,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
) -> None:
    """Give an image the look of the training folder or of other images; for viewing, not for measuring."""

    def run(drawer: Model, picture: Image, on_progress: OnProgress) -> Restoration:
        return drawer.match_style(picture.pixels, style, strength, seed, picture.axes, on_progress, source)

    order = Order(image, model, device, axes, out, write_std=False, write_samples=False, overwrite=overwrite)
    _restore("Style matched", order, run)


def _restore(
    done: str,
    order: Order,
    run: Callable[[Model, Image, OnProgress], Restoration],
    magnification: int = 1,
) -> None:
    """Read, restore and write one image, and say what was done."""
    from napari_vaegan.batch.outputs import note_in_file, notes_on, side_output, write_sides
    from napari_vaegan.images.reading import read_image
    from napari_vaegan.images.writing import write_image
    from napari_vaegan.library import load

    out = order.out
    kinds = ("std",) * order.write_std + ("samples",) * order.write_samples
    check_image_file(out, order.overwrite, kinds)
    picture = read_image(order.image, order.axes)
    if out.suffix.lower() == ".png" and set(picture.axes) & set("TZ"):
        raise OutputError(f"{out} cannot hold the stack {order.image} ({picture.axes}): use a name that ends in .tif.")
    drawer = load(order.model, order.device)
    with progress(order.image.name) as on_progress:
        result = run(drawer, picture, on_progress)
    common: dict[str, Any] = {"magnification": magnification, "overwrite": order.overwrite}
    write_sides(out, result, picture, std=order.write_std, samples=order.write_samples, **common)
    write_image(out, result.image, picture.axes, like=picture, note=note_in_file(result), **common)
    say(f"{done}: {order.image} → {', '.join(str(path) for path in (out, *(side_output(out, kind) for kind in kinds)))}")
    say(_report(result))
    if result.report["realism"] > 0:
        note(f"Note: the image is {result.report['image']}.", "yellow")
    for sentence in notes_on(result, picture):
        note(f"Note: {sentence}", "yellow")


def _report(result: Restoration) -> str:
    report = result.report
    size = " × ".join(str(length) for length in result.image.shape)
    if "purpose" in report:
        kept = f"structure kept to {report['structure']:.3f}, strength {report['strength']:g}"
        return f"  {size} {result.image.dtype} in {report['seconds']:.1f} s; {kept}\n  {report['purpose']}"
    tiles = f"{report['tiles']} tile{'' if report['tiles'] == 1 else 's'}"
    uncertain = result.std[result.std > 0]
    error = f"; expected error ± {uncertain.mean():.3g}" if uncertain.size else "; nothing was missing"
    return f"  {size} {result.image.dtype} in {report['seconds']:.1f} s on {report['device']} ({tiles}){error}"
