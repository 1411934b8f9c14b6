"""The running average of the weights: what is validated and saved."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


class Averaged:
    """Exponential moving average of a module's weights, with a short memory at the start.

    Parameters
    ----------
    module
        The module that is trained.
    decay
        Memory of the average, a step, once it has run for a while.
    """

    def __init__(self, module: Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the weights after a step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averages, weights = list(self.module.parameters()), [p.detach() for p in module.parameters()]
        torch._foreach_lerp_(averages, weights, 1 - decay)
