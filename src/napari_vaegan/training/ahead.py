"""Batches that are drawn ahead, beside the step that learns from the one before."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from napari_vaegan.training.batches import Batch, BatchSize, BatchSource
from napari_vaegan.training.beside import Beside


@dataclass(frozen=True)
class _Drawing:
    """A batch under way: how large it is, and the state of chance before it."""

    size: BatchSize
    before: dict[str, Any]
    batch: Future[Batch]


class AheadSource:
    """Draws the same batches as its source, each beside the step before it.

    Parameters
    ----------
    source
        Where batches come from.
    beside
        The thread beside the step.
    """

    def __init__(self, source: BatchSource, beside: Beside) -> None:
        self.source = source
        self.beside = beside
        self._next: _Drawing | None = None

    def take(self, size: BatchSize, following: BatchSize | None = None) -> Batch:
        """Return a batch, and begin to draw the following one, as large as this one if nothing else is said."""
        following = following or size
        batch = self._drawn(size) or self.source.draw(size)
        before = self.source.state()
        self._next = _Drawing(following, before, self.beside.start(lambda: self.source.draw(following)))
        return batch

    def _drawn(self, size: BatchSize) -> Batch | None:
        if self._next is None:
            return None
        if self._next.size != size:
            self.set_state(self._next.before)
            return None
        batch, self._next = self._next.batch.result(), None
        return batch

    def state(self) -> dict[str, Any]:
        """Return the state of chance after the batches that were taken; one drawn ahead does not count."""
        return self.source.state() if self._next is None else self._next.before

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned; a batch drawn ahead is dropped."""
        if self._next is not None:
            self._next.batch.exception()  # waits for its end
            self._next = None
        self.source.set_state(state)
