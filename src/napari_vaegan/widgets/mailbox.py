"""What a working thread tells the GUI: put there at any rate, taken away when the GUI has time."""

from __future__ import annotations

from itertools import count
from threading import Lock
from typing import Any


class Mailbox:
    """Carries values from one thread to another, in order, without either waiting for the other.

    Parameters
    ----------
    latest_wins
        Of values of these types only the newest is kept, so that a slow reader never falls behind.
    """

    def __init__(self, *latest_wins: type) -> None:
        self._latest_wins = latest_wins
        self._values: dict[Any, Any] = {}
        self._numbers = count()
        self._lock = Lock()

    def put(self, value: Any) -> None:
        """Leave a value; never waits for a reader."""
        kind = type(value)
        with self._lock:
            key = kind if kind in self._latest_wins else next(self._numbers)
            self._values.pop(key, None)
            self._values[key] = value

    def take(self) -> list[Any]:
        """Take what has come since the last call, oldest first."""
        with self._lock:
            values, self._values = list(self._values.values()), {}
        return values
