"""Leaving work in its midst: on request, or because of what the listener to its progress raised."""

from __future__ import annotations

from collections.abc import Callable

from napari_vaegan.restoration.progress import OnProgress


class Left(Exception):
    """Raised inside work to leave it; its cause is what the listener raised, None on request."""


def watch(on_progress: OnProgress, stop: Callable[[], bool]) -> OnProgress:
    """Return a listener that leaves the work at hand when it is time to."""

    def watching(share: float) -> None:
        if stop():
            raise Left
        try:
            on_progress(share)
        except BaseException as error:
            raise Left from error

    return watching
