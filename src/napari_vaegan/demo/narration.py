"""Training told in lines of text: stage changes, validations, warnings."""

from __future__ import annotations

from napari_vaegan.training.events import Event, Finished, StageChanged, Started, Stepped, Validated, Warned


class Narrator:
    """Turns events into lines; remembers the time left that the last step told."""

    def __init__(self) -> None:
        self._seconds_left = 0.0

    def line(self, event: Event) -> str | None:
        """Return what there is to say of an event; None for nothing."""
        line = None
        match event:
            case Started():
                line = (
                    f"Training {event.parameters / 1e6:.1f} million parameters on {event.planes} planes "
                    f"({event.device}, {event.precision})."
                )
            case StageChanged():
                line = f"Stage {event.index + 1}, {event.stage}: {event.description}"
            case Stepped():
                self._seconds_left = event.seconds_left
            case Validated():
                figures = ", ".join(f"{kind} {value:.1f}" for kind, value in event.psnr.items())
                line = f"  step {event.step}, {self._seconds_left:.0f} s left; validation PSNR in dB: {figures}"
            case Warned():
                line = f"  {event.message}"
            case Finished():
                line = f"Trained {event.step} steps in {event.seconds:.0f} s."
        return line
