"""Work that is done in a second thread beside the step of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from napari_vaegan.training.interruption import leave_this_thread_alone

Result = TypeVar("Result")


class Beside:
    """Runs functions one after another in a thread of its own, on a CPU of several cores; elsewhere at once.

    The convolutions of a small batch hardly gain from a second core, and wait for each other where another program takes
    part of it. Two independent parts of a step, each on half of the cores, gain much more, and compute the same up to
    rounding.

    Parameters
    ----------
    device
        Where is computed. A GPU computes side by side on its own.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._executor: ThreadPoolExecutor | None = None

    @contextmanager
    def halved_threads(self) -> Iterator[None]:
        """Give each of the two half of the threads meanwhile."""
        if self.threads < 2:
            yield
            return
        torch.set_num_threads(self.threads // 2)
        try:
            arguments = (self.device.type, self.threads // 2)
            with ThreadPoolExecutor(1, "beside training", _prepare, arguments) as self._executor:
                yield
        finally:
            self._executor = None
            torch.set_num_threads(self.threads)

    def start(self, function: Callable[[], Result]) -> Future[Result]:
        """Begin, in the number format of the caller; the future gives the result, or raises what the function raised."""
        if self._executor is None:
            future: Future[Result] = Future()
            future.set_result(function())
            return future
        kind = self.device.type
        enabled, dtype = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)

        def in_the_same_format() -> Result:
            with torch.autocast(kind, dtype=dtype, enabled=enabled, cache_enabled=False):
                return function()

        return self._executor.submit(in_the_same_format)

    def wait(self) -> None:
        """Wait until all is done that was started."""
        if self._executor is not None:
            self._executor.submit(lambda: None).result()


def _prepare(kind: str, threads: int) -> None:
    """Make the thread ready.

    It neither keeps converted weights nor leaves its outermost autocast region, which is never closed: torch has one place
    for them in all threads, and emptied in the midst of a step how gradients are summed would hang on the clock.
    """
    torch.autocast(kind, enabled=False, cache_enabled=False).__enter__()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    leave_this_thread_alone()
