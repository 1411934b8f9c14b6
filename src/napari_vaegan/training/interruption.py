"""Stopping in the middle of a step: a pass through the networks is given up as soon as a stop is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from torch import Tensor, nn

_here = threading.local()


class Interrupted(Exception):
    """A stop was asked for; what was being computed is lost. It never leaves the training."""


def heed(stop: Callable[[], bool]) -> None:
    """Raise if a stop is asked for.

    Raises
    ------
    Interrupted
        If it is.
    """
    if not getattr(_here, "left_alone", False) and stop():
        raise Interrupted


def leave_this_thread_alone() -> None:
    """Ask for no stop in this thread from now on: it works beside another one, which is asked."""
    _here.left_alone = True


@contextmanager
def interruptible(networks: Iterable[nn.Module], stop: Callable[[], bool]) -> Iterator[None]:
    """Let a stop interrupt passes through networks meanwhile, forward and backward.

    Nothing else could: a step of a large network takes seconds, and a thread cannot be ended from outside.

    Parameters
    ----------
    networks
        What is trained or used.
    stop
        Asked at every convolution that mixes places, when it is computed and again when the gradient passes it. There is one
        in every block, and between two of them a laptop needs a few hundredths of a second.

    Raises
    ------
    Interrupted
        Out of the pass, if a stop is asked for.
    """

    def ask(gradient: Tensor) -> None:
        heed(stop)

    def watch(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        heed(stop)
        if output.requires_grad:
            cast(Any, output).register_hook(ask)  # which torch's annotations leave out

    with ExitStack() as hooks:
        for network in networks:
            for module in network.modules():
                if isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1:
                    hooks.callback(module.register_forward_hook(watch).remove)
        yield
