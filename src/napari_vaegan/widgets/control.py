"""The line between a job in its thread and the runner in the GUI: progress one way, stop and pause the other."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any


class Cancelled(Exception):
    """Raised inside a job to leave it, because the user asked for it to stop."""


class Control:
    """Handed to a job, which knows nothing else of the GUI.

    Parameters
    ----------
    tell
        Where messages for the GUI are left.
    """

    def __init__(self, tell: Callable[[Any], None]) -> None:
        self.tell = tell
        self._stop = Event()
        self._leave = Event()
        self._pause = Event()

    def stop(self) -> None:
        """Ask the job to stop and to return what it has."""
        self._stop.set()

    def leave(self) -> None:
        """Ask the job to stop and to drop what it has: nobody will be there to receive it."""
        self._leave.set()
        self._stop.set()

    def pause(self, paused: bool) -> None:
        """Ask the job to wait, or to go on."""
        if paused:
            self._pause.set()
        else:
            self._pause.clear()

    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return self._stop.is_set()

    def leaving(self) -> bool:
        """Whether nobody waits for what the job returns."""
        return self._leave.is_set()

    def pausing(self) -> bool:
        """Whether the job was asked to wait."""
        return self._pause.is_set()

    def progress(self, share: float) -> None:
        """Tell the share that is done.

        Raises
        ------
        Cancelled
            If the job was asked to stop.
        """
        if self.stopping():
            raise Cancelled
        self.tell(float(share))
