"""``napari-vaegan train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_vaegan.cli.console import note, say
from napari_vaegan.cli.interruption import Interruption
from napari_vaegan.cli.options import OverwriteOption, with_training_options
from napari_vaegan.cli.outputs import check_file
from napari_vaegan.config import TrainingConfig
from napari_vaegan.errors import OutputError, SettingError, Stopped


@with_training_options
def train(
    source: Annotated[list[Path], typer.Argument(help="Folders (with sub-folders) or files of images.", show_default=False)],
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Where the model goes, such as nuclei.vaegan.", show_default=False)
    ],
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from the checkpoint, with its settings where none are given here."),
    ] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Where the checkpoint is kept meanwhile.", show_default="OUT.checkpoint")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the model.", show_default="the folder's")] = None,
    overwrite: OverwriteOption = False,
    **settings: Any,
) -> None:
    """Train a model on a folder of images. Ctrl-C saves what was learned so far; --resume goes on from there."""
    kept = checkpoint or out.with_name(f"{out.name}.checkpoint")
    config = None if resume else TrainingConfig(**settings)
    # Going on means that the model of the interrupted training, if it left one, is to be replaced by a better one.
    check_file(out, overwrite or resume)
    check_file(kept, overwrite=True)
    if kept.exists() and not (resume or overwrite):
        raise OutputError(f"{kept} is left of an interrupted training: go on with --resume, or start anew with --overwrite.")

    from napari_vaegan import library
    from napari_vaegan.cli.training_view import training_view
    from napari_vaegan.training.events import Event, Finished

    config = config or _resumed(kept, settings)
    stopping = Interruption("Stopping: what was learned is saved. Ctrl-C again leaves at once.")
    finished: Finished | None = None

    with stopping, training_view() as view:

        def listen(event: Event) -> None:
            nonlocal finished
            if isinstance(event, Finished):
                finished = event
            view(event)

        try:
            model = library.train(
                source[0] if len(source) == 1 else source,
                config,
                on_event=listen,
                stop=stopping,
                checkpoint=kept,
                resume=resume,
                name=name or (out.stem if len(source) > 1 else None),
            )
        except Stopped as nothing:
            note(str(nothing), "yellow")
            raise typer.Exit(stopping.exit_code) from None
        model.save(out, overwrite=overwrite or resume)
    assert finished is not None
    say(f"Saved {out} ({out.stat().st_size / 1e6:.1f} MB)")
    _report(out)
    if finished.stopped:
        where = f" --checkpoint {kept}" if checkpoint else ""
        say(f"Training was stopped at step {finished.step}. It goes on from {kept} with:")
        say(f"  napari-vaegan train {' '.join(map(str, source))} --out {out}{where} --resume")
        raise typer.Exit(stopping.exit_code)
    kept.unlink(missing_ok=True)


def _report(model: Path) -> None:
    """Write the quality report beside the model; a place where it cannot go does not spoil the training."""
    from napari_vaegan.report import write_report

    try:
        say(f"Wrote {write_report(model)}, its quality report")
    except OutputError as error:
        note(f"The quality report was not written: {error}", "yellow")


def _resumed(checkpoint: Path, settings: dict[str, Any]) -> TrainingConfig:
    """Return the settings of an interrupted training, changed where others were given."""
    from napari_vaegan.training.checkpoint import describe_checkpoint

    saved = describe_checkpoint(checkpoint).config.model_dump()
    if "minutes" in settings and "steps" in settings:
        raise SettingError("Minutes and steps exclude each other: give one of them.")
    if "minutes" in settings or "steps" in settings:
        saved = {name: value for name, value in saved.items() if name not in ("minutes", "steps")}
    return TrainingConfig(**{**saved, **settings})
