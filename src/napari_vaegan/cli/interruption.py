"""Ctrl-C and SIGTERM: the first asks to stop, a second one leaves at once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self

from napari_vaegan.cli.console import note


class Interruption:
    """While it is entered, the first Ctrl-C is remembered and no longer raises.

    Parameters
    ----------
    promise
        What the user is told to expect, once the request is noticed.
    """

    def __init__(self, promise: str) -> None:
        self.promise = promise
        self.signal: int | None = None
        self._told = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._notice)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Whether to stop. Whoever asks first also tells the user: a signal handler must not write."""
        if self.signal is not None and not self._told:
            self._told = True
            note(self.promise, "yellow")
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """What a shell expects of a command that a signal ended."""
        return 0 if self.signal is None else 128 + self.signal

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
