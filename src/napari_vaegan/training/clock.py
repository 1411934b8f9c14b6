"""How far training is: by the time given, or by steps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from napari_vaegan.config import TrainingConfig
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.stages import Stage


class Clock:
    """Measures training against what it was given, also across interruptions and pauses.

    Parameters
    ----------
    config
        Gives either minutes or steps.
    started
        ``time.perf_counter()`` when the time given began to run.
    elapsed
        Seconds already spent before, when training goes on from a checkpoint.
    kept_back
        Seconds of the time given that are kept for what follows the training.
    """

    def __init__(self, config: TrainingConfig, started: float, elapsed: float = 0.0, kept_back: float = 0.0) -> None:
        self.seconds_given = None if config.seconds is None else config.seconds - kept_back
        self.steps_given = config.steps
        self.started = started - elapsed
        self.reserve = 0.0
        self._still_since: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds spent so far."""
        now = time.perf_counter() if self._still_since is None else self._still_since
        return now - self.started

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let no time pass meanwhile."""
        self._still_since = time.perf_counter()
        try:
            yield
        finally:
            self.started += time.perf_counter() - self._still_since
            self._still_since = None

    def total(self, step: int) -> float:
        """Return how far training is after so many steps, from 0 to 1. The last validation is part of the time given."""
        if self.steps_given is not None:
            return min(1.0, step / self.steps_given)
        assert self.seconds_given is not None
        return min(1.0, self.elapsed / max(self.seconds_given - self.reserve, 1e-3))

    def seconds_left(self, step: int, steps_per_second: float) -> float:
        """Return the seconds that training will still take."""
        if self.steps_given is not None:
            return (self.steps_given - step) / max(steps_per_second, 1e-6)
        assert self.seconds_given is not None
        return max(0.0, self.seconds_given - self.elapsed)


def locate(stages: Sequence[Stage], total: float, step: int) -> tuple[int, Progress]:
    """Return the index of the stage that is on at this point of the whole, and how far it is."""
    begin = 0.0
    for index, stage in enumerate(stages):
        end = begin + stage.share
        if total < end or index == len(stages) - 1:
            return index, Progress(min(1.0, (total - begin) / stage.share), total, step)
        begin = end
    raise AssertionError("there is always a last stage")
