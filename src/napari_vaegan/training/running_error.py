"""A running mean of each kind's error: every task is weighed by its own."""

from __future__ import annotations

import torch
from torch import Tensor

LARGEST_RISE = 10.0
"""A batch counts for no more than so many times the mean: one patch with a hot spot would spoil it for hundreds of steps."""


class RunningError:
    """Exponential running means, one a row (a kind of observation) and column.

    With a plain squared error the unconditional patches, whose mean cannot be predicted, drown super-resolution, whose
    error is a hundred times smaller.

    Parameters
    ----------
    rows, columns
        How many means are kept.
    start
        Value before the first update.
    decay
        Memory of a mean, an update.
    """

    def __init__(self, rows: int, columns: int = 1, start: float = 0.01, decay: float = 0.98) -> None:
        self.start = start
        self.values = torch.full((rows, columns), start)
        self.counts = torch.zeros(rows)
        self.decay = decay

    def reset(self) -> None:
        """Forget all updates."""
        self.values, self.counts = torch.full_like(self.values, self.start), torch.zeros_like(self.counts)

    def update(self, kinds: Tensor, errors: Tensor) -> None:
        """Take in errors (batch, columns) of kinds (batch,)."""
        errors = errors.detach().float().cpu().reshape(len(kinds), -1)
        for kind in set(kinds.tolist()):
            new = errors[kinds.cpu() == kind].mean(0)
            if not torch.isfinite(new).all():
                continue
            if self.counts[kind]:
                new = torch.minimum(new, LARGEST_RISE * self.values[kind])
            decay = min(self.decay, float(self.counts[kind] / (self.counts[kind] + 1)))
            self.values[kind] = decay * self.values[kind] + (1 - decay) * new
            self.counts[kind] += 1

    def of(self, kinds: Tensor) -> Tensor:
        """Return the running means (batch, columns) of kinds (batch,), on their device."""
        return self.values[kinds.cpu()].clamp(min=1e-7).to(kinds.device)

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint needs."""
        return {"values": self.values, "counts": self.counts}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self.values, self.counts = state["values"], state["counts"]
