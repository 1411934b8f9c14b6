"""How long a job will still take."""

from __future__ import annotations

import time

from napari_vaegan.durations import in_words


class TimeLeft:
    """Estimates the time left of a job that began now, from the share that is done."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def say(self, share: float) -> str:
        """Return ", 40 s left"; nothing while too little is done to tell."""
        elapsed = time.monotonic() - self._begin
        if elapsed < 1 or not 0.02 < share < 1:
            return ""
        return f", {in_words(elapsed * (1 - share) / share)} left"
