"""What lives through a training: the networks, their running average, optimisers and running errors."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from napari_vaegan.config import TrainingConfig
from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.networks.presets import ARCHITECTURES
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import CONDITION_SIZE
from napari_vaegan.training.averaged import Averaged
from napari_vaegan.training.beside import Beside
from napari_vaegan.training.device import place
from napari_vaegan.training.interruption import Interrupted
from napari_vaegan.training.running_error import RunningError

GRADIENT_CLIP = 1.0


class Players:
    """The networks in training, with all that a checkpoint must hold of them.

    Parameters
    ----------
    config
        How to train.
    channels
        Image channels.
    kinds
        The kinds of observation that are trained.
    device
        Where.
    """

    def __init__(self, config: TrainingConfig, channels: int, kinds: Sequence[Kind], device: torch.device) -> None:
        architecture = ARCHITECTURES[config.preset]
        networks = VaeGan(channels, architecture, CONDITION_SIZE)
        discriminator = Discriminator(channels, architecture.discriminator_widths, config.spectral_normalisation)
        self.networks = place(networks, device)
        self.discriminator = place(discriminator, device)
        self.average = Averaged(self.networks, config.average_memory)
        self.beside = Beside(device)
        generator = list(self.networks.generator.parameters())
        others = [*self.networks.encoder.parameters(), *self.networks.mean_decoder.parameters()]
        self.optimiser = torch.optim.AdamW(
            [{"params": others}, {"params": generator}],
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
            fused=True,
        )
        self.discriminator_optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=2e-4, betas=(0.0, 0.99), fused=True
        )
        self.mean_errors = RunningError(len(kinds))
        self.residual_errors = RunningError(len(kinds), columns=1 + len(self.networks.generator.levels))

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All networks, the running average among them."""
        return self.networks, self.discriminator, self.average.module

    def start_gradient(self, loss: Tensor) -> Future[list[Tensor | None]]:
        """Begin to find the gradient of a loss by the VAE's weights, beside what follows."""
        weights = list(self.networks.parameters())
        return self.beside.start(lambda: list(torch.autograd.grad(loss, weights, allow_unused=True)))

    def differentiate(self, loss: Tensor, other: Future[list[Tensor | None]]) -> None:
        """Find the gradient of a loss by the VAE's weights, which stay as they are, and add one that was started."""
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        for weight, gradient in zip(self.networks.parameters(), other.result(), strict=True):
            if gradient is None:
                continue
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)  # of the weight's own layout, which the optimiser relies on
            weight.grad.add_(gradient)

    def differentiate_discriminator(self, loss: Tensor) -> None:
        """Find the gradient of a loss by the discriminator's weights, which stay as they are."""
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)

    def update(self, rates: tuple[float, float]) -> bool:
        """Make one step of the VAE's optimiser; rates for encoder and mean, and for the generator."""
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["lr"] = rate
        made = _update(self.optimiser)
        if made:
            self.average.update(self.networks)
        return made

    def update_discriminator(self) -> bool:
        """Make one step of the discriminator's optimiser."""
        return _update(self.discriminator_optimiser)

    @contextmanager
    def unchanged_if_interrupted(self) -> Iterator[None]:
        """Undo what an interrupted step did before its updates: running errors, and the estimates of singular values."""
        errors = (self.mean_errors, self.residual_errors)
        before = [copy.deepcopy(error.state()) for error in errors]
        buffers = {name: buffer.clone() for name, buffer in self.discriminator.named_buffers()}
        try:
            yield
        except Interrupted:
            self.beside.wait()
            for error, state in zip(errors, before, strict=True):
                error.set_state(state)
            self.discriminator.load_state_dict(buffers, strict=False)
            raise

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {
            "networks": self.networks.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.module.state_dict(),
            "average_updates": self.average.updates,
            "optimiser": self.optimiser.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
            "mean_errors": self.mean_errors.state(),
            "residual_errors": self.residual_errors.state(),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.networks.load_state_dict(state["networks"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.module.load_state_dict(state["average"])
        self.average.updates = state["average_updates"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])
        self.mean_errors.set_state(state["mean_errors"])
        self.residual_errors.set_state(state["residual_errors"])


def _update(optimiser: torch.optim.Optimizer) -> bool:
    """Make one step unless a gradient is not finite; say whether it was made.

    Every group's gradient is clipped by its own norm: the generator's is much larger than the mean's.
    """
    norms = [nn.utils.clip_grad_norm_(group["params"], GRADIENT_CLIP) for group in optimiser.param_groups]
    if not torch.isfinite(torch.stack(norms)).all():
        return False
    optimiser.step()
    return True
