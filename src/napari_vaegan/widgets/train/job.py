"""The training as a job of a worker thread: the library's call, its events told to the GUI, the model saved at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from napari_vaegan.config import TrainingConfig
from napari_vaegan.errors import OutputError, Stopped
from napari_vaegan.training.events import CheckpointSaved, Event, Finished, Previewed, Stepped, Warned
from napari_vaegan.widgets.control import Cancelled, Control
from napari_vaegan.widgets.train.model_file import checkpoint_of
from napari_vaegan.widgets.train.source import Source

LATEST_WINS = (Stepped, Previewed)
"""Events of which only the newest is shown."""


@dataclass(frozen=True)
class TrainingJob:
    """What is trained, on what, and where the model goes; the checkpoint lies beside it.

    Attributes
    ----------
    source, config
        As ``library.train`` takes them.
    model
        Where the model goes.
    resume
        Whether to go on from the checkpoint, and to replace the model so far.
    """

    source: Source
    config: TrainingConfig
    model: Path
    resume: bool

    def __call__(self, control: Control) -> Finished:
        """Train, save the model, and write its quality report beside it. The checkpoint is kept if training was stopped.

        Raises
        ------
        Cancelled
            If it was stopped before its first step, or nobody waits for it any more: the checkpoint is there.
        """
        from napari_vaegan import library

        ends: list[Finished] = []
        listen = _listener(control, ends)
        try:
            model = library.train(
                self.source,
                self.config,
                on_event=listen,
                stop=control.stopping,
                pause=control.pausing,
                checkpoint=checkpoint_of(self.model),
                resume=self.resume,
                name=self.model.stem,
            )
        except Stopped:
            raise Cancelled from None
        model.save(self.model, overwrite=self.resume)
        (end,) = ends
        if not end.stopped:  # who stops waits for nothing more, and a model that was stopped is not measured
            self._report(control)
            checkpoint_of(self.model).unlink(missing_ok=True)
        return end

    def _report(self, control: Control) -> None:
        """Write the quality report beside the model; a place where it cannot go does not spoil the training."""
        from napari_vaegan.report import write_report

        try:
            write_report(self.model)
        except OutputError as error:
            control.tell(Warned(f"The quality report was not written: {error}"))


def _listener(control: Control, ends: list[Finished]) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        control.tell(event)
        if isinstance(event, Stepped):
            control.tell(float(event.progress))
        elif isinstance(event, Finished):
            ends.append(event)
        elif isinstance(event, CheckpointSaved) and control.leaving():
            raise Cancelled

    return listen
