"""Sparing the window the longest garbage collections while a job runs."""

from __future__ import annotations

import gc


class Exemption:
    """While any of its holders works, the objects that were there when it began are left out of garbage collections.

    With napari and torch loaded there are more than a million of them, and a full collection holds Python's lock, and so the
    window, for 0.2 to 0.3 s. Nothing is lost: as the last holder ends they are collected as ever.
    """

    def __init__(self) -> None:
        self._holders = 0

    def begin(self) -> None:
        """Count a holder; the first one's objects are exempt."""
        if not self._holders:
            gc.freeze()
        self._holders += 1

    def end(self) -> None:
        """Take a holder away."""
        self._holders -= 1
        if not self._holders:
            gc.unfreeze()


running_jobs = Exemption()
"""Held by every job of a dock that computes."""
