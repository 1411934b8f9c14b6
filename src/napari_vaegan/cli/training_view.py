"""What a training shows: a live picture of it on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from napari_vaegan.cli.console import errors, note, say
from napari_vaegan.durations import in_words
from napari_vaegan.training.diagnosis.words import in_words as diagnosis_in_words
from napari_vaegan.training.events import (
    Diagnosed,
    Event,
    Finished,
    Measuring,
    StageChanged,
    Started,
    Stepped,
    Validated,
    Warned,
)

_LISTED = 10
"""So many of the images that were skipped are named."""


@contextmanager
def training_view() -> Iterator[Callable[[Event], None]]:
    """Give a listener that shows a training."""
    lines = PlainLines()
    if not errors.is_terminal:
        yield lines
        return
    picture = LivePicture(lines)
    with Live(get_renderable=picture.render, console=errors, refresh_per_second=4, transient=True):
        yield picture


class PlainLines:
    """A line for each stage, validation, sentence of the diagnosis and warning."""

    def __init__(self) -> None:
        self._stages = 0

    def __call__(self, event: Event) -> None:
        """Print what happened, if it is worth a line."""
        match event:
            case Started():
                self._stages = len(event.stages)
                _tell_start(event)
            case StageChanged():
                note(f"Stage {event.index + 1} of {self._stages}, {event.stage}: {event.description}", "bold")
            case Validated():
                note(f"  step {event.step}: PSNR {_psnr(event)}{' (best so far)' if event.best else ''}")
            case Diagnosed():  # its repairs are told as warnings
                for sentence in diagnosis_in_words(event.diagnosis):
                    note(f"  {sentence}", "dim")
                for sentence in event.watched:
                    note(f"Note: {sentence}", "yellow")
            case Warned():
                note(f"Note: {event.message}", "yellow")
            case Finished():
                say(f"Trained {event.step:,} steps in {in_words(event.seconds)}")
            case Measuring():
                note(f"Measuring it on images held apart, for about {in_words(event.seconds)}")


class LivePicture:
    """A bar with the time left, the losses, the last validation and the last diagnosis, redrawn in place.

    Parameters
    ----------
    lines
        Prints, above it, what should stay on the screen.
    """

    def __init__(self, lines: PlainLines) -> None:
        self._lines = lines
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]} left, {task.fields[rate]:.1f} steps/s"),
            console=errors,
        )
        self._task = self._bar.add_task("starting", total=1.0, left="?", rate=0.0, visible=False)
        self._step: Stepped | None = None
        self._losses: dict[str, float] = {}
        self._validated: Validated | None = None
        self._diagnosed: Diagnosed | None = None

    def __call__(self, event: Event) -> None:
        """Remember what happened for the next redrawing."""
        match event:
            case Stepped():
                before = self._losses if self._step is not None and self._step.stage == event.stage else {}
                self._losses = before | event.losses  # not every step has every term
                self._step = event
                self._bar.update(
                    self._task,
                    completed=event.progress,
                    description=event.stage,
                    left=in_words(event.seconds_left),
                    rate=event.steps_per_second,
                    visible=True,
                )
            case Validated():
                self._validated = event
            case Diagnosed():
                self._diagnosed = event
            case _:
                self._lines(event)

    def render(self) -> Group:
        """Draw the picture."""
        parts: list[Progress | Text | Table] = [self._bar]
        if self._step is not None:
            losses = "   ".join(f"{name} {value:.3g}" for name, value in self._losses.items())
            parts.append(Text(f"Step {self._step.step:,}   {losses}", style="dim"))
        if self._validated is not None:
            parts.append(_psnr_table(self._validated))
        if self._diagnosed is not None:
            parts += [Text(sentence, style="dim") for sentence in diagnosis_in_words(self._diagnosed.diagnosis)]
            parts += [Text(sentence, style="yellow") for sentence in self._diagnosed.watched]
        return Group(*parts)


def _tell_start(event: Started) -> None:
    if event.resumed_at_step:
        note(f"Going on from step {event.resumed_at_step:,}")
    note(
        f"{event.images} images: {event.planes} planes to learn from, {event.validation_planes} held apart to judge "
        f"the model; {event.parameters:,} parameters on {event.device} ({event.precision})"
    )
    for skipped in event.skipped[:_LISTED]:
        note(f"Skipped {skipped}", "yellow")
    if len(event.skipped) > _LISTED:
        note(f"Skipped {len(event.skipped) - _LISTED} more", "yellow")


def _psnr(event: Validated) -> str:
    """Return the PSNR of each kind, and what the networks add to their first estimate."""
    return ", ".join(
        f"{kind} {psnr:.1f} dB ({psnr - event.first_estimate_psnr[kind]:+.1f})" for kind, psnr in event.psnr.items()
    )


def _psnr_table(event: Validated) -> Table:
    table = Table(box=None, title=f"Validation at step {event.step:,}", title_justify="left", pad_edge=False)
    for title in ("", "PSNR", "gain"):
        table.add_column(title, justify="left" if not title else "right")
    for kind, psnr in event.psnr.items():
        table.add_row(kind, f"{psnr:.1f} dB", f"{psnr - event.first_estimate_psnr[kind]:+.1f} dB")
    return table
