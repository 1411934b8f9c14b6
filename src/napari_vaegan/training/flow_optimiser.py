"""What moves the flow's weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from napari_vaegan.networks.latent_flow import LatentFlow

KERNEL_RATE = 3.0
"""Step size of the convolutions between the levels, in units of that of all other weights (docs/trials.md)."""

KERNEL_MOMENTUM = 0.95

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of an odd polynomial that, applied five times, brings all singular values near to 1 (Jordan et al. 2024)."""

NEWTON_SCHULZ_STEPS = 5


def orthogonalised(matrix: Tensor) -> Tensor:
    """Return a matrix of the same directions whose singular values are all near to 1 (Jordan et al. 2024).

    Computed in autocast's number format where that is on: ``torch.optim.Muon`` computes in bfloat16 always, and took eleven
    times as long where the processor does not multiply that itself.
    """
    upright = len(matrix) > matrix.shape[1]
    x: Tensor = matrix.T if upright else matrix
    x = x / x.norm().clamp(min=1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if upright else x


class FlowOptimiser:
    """Muon for the convolutions inside of the flow, AdamW for all other weights.

    Muon makes all directions of a weight matrix move alike (Jordan et al. 2024), here about as far as AdamW would move them
    (Liu et al. 2025). A convolution is the matrix that maps its window to a pixel. As Jordan et al. advise, what enters and
    leaves the flow is AdamW's.

    Parameters
    ----------
    flow
        Whose weights are moved.
    momenta
        Of AdamW: of the gradient and of its square.
    clip
        Largest norm of a gradient that AdamW sees; Muon is indifferent to it.

    Attributes
    ----------
    steps
        Made since the beginning, or since ``clear``.
    """

    def __init__(self, flow: LatentFlow, momenta: tuple[float, float], clip: float) -> None:
        inside = [weight for part in (flow.downs, flow.before, flow.ups, flow.after) for weight in part.parameters()]
        self._kernels = [weight for weight in inside if weight.ndim == 4]
        taken = {id(weight) for weight in self._kernels}
        self._weights = list(flow.parameters())
        self._others = [weight for weight in self._weights if id(weight) not in taken]
        self._averages = [torch.zeros_like(weight, requires_grad=False) for weight in self._kernels]
        self._clip = clip
        self._adamw = torch.optim.AdamW(self._others, betas=momenta, weight_decay=1e-4, fused=True)
        self.steps = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: float) -> bool:
        """Make one step by the gradients of all weights, unless one is not finite; say whether it was made."""
        if not torch.isfinite(torch.stack([gradient.norm() for gradient in gradients])).all():
            return False
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient
        nn.utils.clip_grad_norm_(self._others, self._clip)
        self._adamw.param_groups[0]["lr"] = rate
        self._adamw.step()
        self._step_kernels(KERNEL_RATE * rate)
        self.steps += 1
        return True

    def _step_kernels(self, rate: float) -> None:
        for kernel, average in zip(self._kernels, self._averages, strict=True):
            assert kernel.grad is not None
            average.lerp_(kernel.grad, 1 - KERNEL_MOMENTUM)
            ahead = kernel.grad.lerp(average, KERNEL_MOMENTUM).flatten(1)  # Nesterov's
            as_adamw = 0.2 * math.sqrt(max(ahead.shape))  # Liu et al. 2025
            kernel.add_(orthogonalised(ahead).reshape(kernel.shape), alpha=-rate * as_adamw)

    def clear(self) -> None:
        """Forget all momentum and start counting anew."""
        for average in self._averages:
            average.zero_()
        self._adamw.state.clear()
        self.steps = 0

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {"averages": self._averages, "adamw": self._adamw.state_dict(), "steps": self.steps}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        for average, saved in zip(self._averages, state["averages"], strict=True):
            average.copy_(saved)
        self._adamw.load_state_dict(state["adamw"])
        self.steps = state["steps"]
