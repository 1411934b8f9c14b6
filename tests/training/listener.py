"""A listener that keeps the events of a training and can stop it at a chosen point."""

from __future__ import annotations

from typing import Any

from napari_vaegan.training.events import Event, Stepped

TINY: dict[str, Any] = {"preset": "tiny", "patch_size": 32, "batch_size": 8, "device": "cpu", "precision": "float32"}


class Listener:
    """Keeps the events, and asks for a stop after so many steps and so many questions more."""

    def __init__(self, stop_after: int | None = None, questions: int = 0) -> None:
        self.events: list[Event] = []
        self.stop_after = stop_after
        self.questions = questions

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def stop(self) -> bool:
        if self.stop_after is None or len(self.of(Stepped)) < self.stop_after:
            return False
        self.questions -= 1
        return self.questions < 0

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]
