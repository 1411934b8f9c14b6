"""What moves the flow's weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from napari_vaegan.networks.latent_flow import LatentFlow

KERNEL_RATE = 3.0
"""Step size of the convolutions between the levels, in units of that of all other weights (docs/trials.md)."""

MOMENTUM_OF_KERNELS = 0.95


class FlowOptimiser:
    """Muon for the convolutions inside of the flow, AdamW for all other weights.

    Muon makes all directions of a weight matrix move alike (Jordan et al. 2024; in PyTorch since 2.9). A convolution is the
    matrix that maps its window to a pixel. As advised there, what enters and leaves the flow is AdamW's.

    Parameters
    ----------
    flow
        Whose weights are moved; they must stay where they are in memory.
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
        self._matrices = [_matrix(weight.detach()) for weight in self._kernels]
        self._clip = clip
        self._muon = torch.optim.Muon(
            self._matrices, weight_decay=0.0, momentum=MOMENTUM_OF_KERNELS, adjust_lr_fn="match_rms_adamw"
        )
        self._adamw = torch.optim.AdamW(self._others, betas=momenta, weight_decay=1e-4, fused=True)
        self.steps = 0

    def step(self, gradients: Sequence[Tensor], rate: float) -> bool:
        """Make one step by the gradients of all weights, unless one is not finite; say whether it was made."""
        if not torch.isfinite(nn.utils.get_total_norm(gradients)):
            return False
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            assert kernel.grad is not None
            matrix.grad = _matrix(kernel.grad.contiguous(memory_format=torch.channels_last))
        nn.utils.clip_grad_norm_(self._others, self._clip)
        self._adamw.param_groups[0]["lr"] = rate
        self._muon.param_groups[0]["lr"] = KERNEL_RATE * rate
        self._adamw.step()
        self._muon.step()  # type: ignore[no-untyped-call]
        self.steps += 1
        return True

    def clear(self) -> None:
        """Forget all momentum and start counting anew."""
        self._muon.state.clear()
        self._adamw.state.clear()
        self.steps = 0

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {"muon": self._muon.state_dict(), "adamw": self._adamw.state_dict(), "steps": self.steps}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._muon.load_state_dict(state["muon"])
        self._adamw.load_state_dict(state["adamw"])
        self.steps = state["steps"]


def _matrix(kernel: Tensor) -> Tensor:
    """View a convolution's weight (out, in, height, width), channels last in memory, as (out, height * width * in)."""
    return kernel.permute(0, 2, 3, 1).view(len(kernel), -1)
