"""Sparing the window the longest garbage collections while a job runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_jobs = 0


@contextmanager
def older_objects_exempt() -> Iterator[None]:
    """Leave the objects that are there by now out of garbage collections meanwhile.

    With napari and torch loaded there are more than a million of them, and a full collection holds Python's lock, and so the
    window, for 0.2 to 0.3 s. Of several jobs at once the first to begin and the last to end count. Nothing is lost: from
    then on the objects are collected as ever.
    """
    global _jobs  # noqa: PLW0603
    with _lock:
        _jobs += 1
        if _jobs == 1:
            gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _jobs -= 1
            if not _jobs:
                gc.unfreeze()
