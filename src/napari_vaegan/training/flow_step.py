"""The gradient of the flow, which learns what latents real images have, in two halves side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_vaegan.training import losses
from napari_vaegan.training.batches import Batch
from napari_vaegan.training.players import Players
from napari_vaegan.training.terms import Look, part_of

LINES = 2
"""Pairs of noise and a point in time for every patch that was encoded: to encode it costs as much as to learn from one."""


@dataclass(frozen=True)
class FlowGradient:
    """The flow-matching loss of some patches, and its gradient by the flow's weights."""

    loss: Tensor
    gradients: tuple[Tensor, ...]

    def joined(self, other: FlowGradient) -> FlowGradient:
        """Return the mean with that of as many other patches."""
        return FlowGradient(
            (self.loss + other.loss) / 2, tuple((a + b) / 2 for a, b in zip(self.gradients, other.gradients, strict=True))
        )


def plan_flow_gradient(players: Players, batch: Batch, seen: Look) -> Callable[[], FlowGradient]:
    """Return what computes the gradient on patches of which nothing is observed, in this thread or another.

    All its random numbers are drawn here, so that they are the same wherever and whenever it is computed.
    """
    networks = players.networks
    count, _, height, width = batch.truth.shape
    spread = networks.normal_noise(count, height, width)
    noise = networks.normal_noise(LINES * count, height, width)
    # Logit-normal times: half-way, where the velocity is hardest to tell, comes most often (Esser et al. 2024).
    time = torch.sigmoid(torch.randn(LINES * count, device=batch.truth.device))
    features = [feature.detach() for feature in seen.features]

    def compute() -> FlowGradient:
        with torch.no_grad():
            truth = networks.see_truth(batch.truth)
            drawn = networks.generator.encode(features, truth, seen.condition, lambda level, _: spread[level])
        latents = [level.float().repeat(LINES, 1, 1, 1) for level in drawn[: len(spread)]]
        share = time[:, None, None, None]
        between = [torch.lerp(begin, end, share) for begin, end in zip(noise, latents, strict=True)]
        with torch.enable_grad():
            loss = losses.flow_matching(networks.flow(between, time), noise, latents)
            return FlowGradient(loss.detach(), torch.autograd.grad(loss, list(networks.flow.parameters())))

    return compute


def flow_gradient(players: Players, batch: Batch, seen: Look) -> FlowGradient:
    """Compute the gradient of both halves of a batch side by side."""
    half = len(batch.kinds) // 2
    if half == 0:
        return plan_flow_gradient(players, batch, seen)()
    parts = (slice(half), slice(half, 2 * half))
    first, second = (plan_flow_gradient(players, batch.select(part), part_of(seen, part)) for part in parts)
    beside = players.beside.start(second)
    return first().joined(beside.result())
