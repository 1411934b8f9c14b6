"""The gradient of the flow, which learns what latents real images have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_vaegan.networks.latent_flow import LatentFlow
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.training.beside import Beside
from napari_vaegan.training.losses import flow_matching, guided

LINES = 2
"""Pairs of noise and a point in time for each patch that is encoded: to encode it costs as much as to learn from one."""


@dataclass(frozen=True)
class FlowGradient:
    """The flow-matching loss of some latents, and its gradient by the flow's weights."""

    loss: Tensor
    gradients: tuple[Tensor, ...]

    def joined(self, other: FlowGradient) -> FlowGradient:
        """Return the mean with that of as many other latents."""
        gradients = ((one + another) / 2 for one, another in zip(self.gradients, other.gradients, strict=True))
        return FlowGradient((self.loss + other.loss) / 2, tuple(gradients))


def flow_gradient(
    flow: LatentFlow,
    vae: VaeGan,
    truth: Tensor,
    shares: Sequence[Tensor],
    beside: Beside,
    earlier: LatentFlow | None = None,
) -> FlowGradient:
    """Encode patches and compute the flow's gradient, both halves side by side.

    The flow learns the posterior's *means*. What is drawn from the posterior is mostly noise, from which there is nothing to
    learn, and images decoded from means are no worse, or better (docs/trials.md).

    Parameters
    ----------
    flow, vae
        What learns, and what infers the latents that it learns from.
    truth
        (batch, channels, height, width).
    shares
        Of each level: by how much every latent channel counts.
    beside
        Computes one half.
    earlier
        What the flow is guided away from, if anything.
    """
    half = len(truth) // 2
    if half == 0:
        return _plan(flow, vae, truth, shares, earlier)()
    first, second = (_plan(flow, vae, part, shares, earlier) for part in (truth[:half], truth[half : 2 * half]))
    other = beside.start(second)
    return first().joined(other.result())


def _plan(
    flow: LatentFlow, vae: VaeGan, truth: Tensor, shares: Sequence[Tensor], earlier: LatentFlow | None
) -> Callable[[], FlowGradient]:
    """Return what computes the gradient, in this thread or another; all its random numbers are drawn before."""
    count, _, height, width = truth.shape
    noise = vae.normal_noise(LINES * count, height, width)
    # Logit-normal times: half-way, where the velocity is hardest to tell, comes most often (Esser et al. 2024).
    time = torch.sigmoid(torch.randn(LINES * count, device=truth.device))

    def compute() -> FlowGradient:
        with torch.no_grad():
            ends = [latent.repeat(LINES, 1, 1, 1) for latent in flow.standardised(vae.infer(truth))]
        share = time[:, None, None, None]
        between = [torch.lerp(begin, end, share) for begin, end in zip(noise, ends, strict=True)]
        velocities = flow(between, time)
        if earlier is not None:
            with torch.no_grad():
                ends = guided(ends, velocities, earlier(between, time))
        loss = flow_matching(velocities, noise, ends, shares)
        return FlowGradient(loss.detach(), torch.autograd.grad(loss, list(flow.parameters())))

    return compute
