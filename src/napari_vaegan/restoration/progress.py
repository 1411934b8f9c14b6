"""How far a restoration is: told often enough that it can be stopped at any time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

OnProgress = Callable[[float], None]
"""Told the share that is done, from 0 to 1, about ten times a second; whatever it raises stops the restoration."""

INTERVAL = 0.1
"""Seconds between two calls of a listener as long as the share stays the same."""


def no_progress(share: float) -> None:
    """Tell nobody."""


def part_of(on_progress: OnProgress, index: int, count: int) -> OnProgress:
    """Return the listener of one of several equal parts of the work."""
    return lambda share: on_progress((index + share) / count)


class Progress(TorchFunctionMode):
    """While it is entered, a listener hears from every torch operation of this thread, and can raise to leave it.

    Also the networks are left in their midst, then: a large tile takes many seconds on one core, and a user who stops
    waits for no more than one operation. Modes of torch belong to the thread that entered them, so that two threads may
    use one model.

    Parameters
    ----------
    on_progress
        The listener. The shares that it is told never fall.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        super().__init__()
        self._on_progress = on_progress
        self._share = 0.0
        self._told = time.monotonic()

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: Sequence[Any] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> Any:
        """Do what torch was asked to do, and listen."""
        result = function(*arguments, **(settings or {}))
        self.pulse()
        return result

    def tell(self, share: float) -> None:
        """Tell the share that is done."""
        self._share = max(self._share, share)
        self._told = time.monotonic()
        self._on_progress(self._share)

    def pulse(self) -> None:
        """Tell the same share again, if the listener has not heard anything for a while."""
        if time.monotonic() - self._told >= INTERVAL:
            self.tell(self._share)
