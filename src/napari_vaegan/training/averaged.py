"""The running average of the weights: what is validated and saved."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


class Averaged(Generic[Module]):
    """Running average of a module's weights that remembers a fixed share of the training so far.

    Its memory grows with training (the power-function average of Karras et al. 2024), so that it suits a minute and a day.

    Parameters
    ----------
    module
        The module that is trained.
    memory
        Share of the steps so far over which the average reaches; 0: the last weights alone.
    """

    def __init__(self, module: Module, memory: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.memory = memory
        self.updates: Counter[str] = Counter()
        self._averages, self._weights = _weights_of_parts(self.module), _weights_of_parts(module)

    @torch.no_grad()
    def update(self, *parts: str) -> None:
        """Take in the weights of some parts after a step of theirs; each has its own count of them."""
        for part in parts:
            self.updates[part] += 1
            share = 1 / max(1.0, self.memory * self.updates[part])
            torch._foreach_lerp_(self._averages[part], self._weights[part], share)


def _weights_of_parts(module: nn.Module) -> dict[str, list[Tensor]]:
    """Return the weights of each part. To gather them takes milliseconds: too long for every step."""
    return {name: [weight.detach() for weight in part.parameters()] for name, part in module.named_children()}
