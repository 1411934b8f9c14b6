"""Where a training is: its stage, step, rate and the time left, in words."""

from __future__ import annotations

from qtpy.QtWidgets import QLabel, QWidget

from napari_vaegan.durations import in_words
from napari_vaegan.training.events import Continued, Event, Measuring, Paused, StageChanged, Started, Stepped


class Status(QLabel):
    """Two lines: the stage, and how fast it goes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setToolTip("The stage of training, and how fast it goes.")
        self.begin()

    def begin(self) -> None:
        """Show that a training begins."""
        self._stages = 0
        self._stage, self._pace = "", "Reading the images…"
        self._paused = ""
        self._show()

    def show_event(self, event: Event) -> None:
        """Show what happened, if it changes the two lines."""
        match event:
            case Started():
                self._stages = len(event.stages)
                self._pace = f"Learning from {event.images} images on {event.device}…"
            case StageChanged():
                self._stage = f"<b>Stage {event.index + 1} of {self._stages}, {event.stage}:</b> {event.description}"
            case Stepped():
                left = in_words(event.seconds_left)
                self._pace = f"Step {event.step:,}, {_rate(event.steps_per_second)}, {left} left"
            case Measuring():
                self._stage = "<b>Trained.</b>"
                self._pace = f"Measuring the model on images held apart, for about {in_words(event.seconds)}…"
            case Paused():
                self._paused = f"Paused at step {event.step:,}."
            case Continued():
                self._paused = ""
            case _:
                return
        self._show()

    def _show(self) -> None:
        self.setText("<br>".join(line for line in (self._stage, self._paused or self._pace) if line))


def _rate(steps_per_second: float) -> str:
    if steps_per_second >= 1:
        return f"{steps_per_second:.1f} steps/s"
    return f"{1 / max(steps_per_second, 1e-6):.1f} s a step"
