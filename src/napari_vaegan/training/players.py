"""What lives through a training: the networks, their running average, optimisers and running errors."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from napari_vaegan.config import TrainingConfig
from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.networks.latent_flow import LatentFlow
from napari_vaegan.networks.presets import ARCHITECTURES, rate_by_width
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import CONDITION_SIZE
from napari_vaegan.training.averaged import Averaged
from napari_vaegan.training.beside import Beside
from napari_vaegan.training.device import place
from napari_vaegan.training.flow_optimiser import FlowOptimiser
from napari_vaegan.training.interruption import Interrupted
from napari_vaegan.training.losses import informative_shares
from napari_vaegan.training.running_error import RunningError

GRADIENT_CLIP = 1.0

MOMENTUM, MOMENTUM_OF_SQUARES = 0.9, 0.99

AT_ONCE = 16
"""Patches that are encoded together."""

VAE = ("encoder", "mean_decoder", "generator")
"""The parts of the networks that one optimiser moves."""


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

    Attributes
    ----------
    adversarial_share, kl_shares, rate_share
        What repairs have left of the adversarial weight, of that of every latent level's KL divergence, and of the learning
        rates.
    latent_shares
        Of each level: by how much of its variance every latent channel tells of the image, as far as that was measured.
    earlier_flow
        What the flow was when it had learned less, from which it is guided away; None as long as it is not.
    sound
        Whether the last step of the whole VAE was made: only then does the adversarial game go on alone.
    """

    def __init__(self, config: TrainingConfig, channels: int, kinds: Sequence[Kind], device: torch.device) -> None:
        architecture, tuned = ARCHITECTURES[config.preset], ARCHITECTURES["small"]
        of_others = rate_by_width(architecture.widths, tuned.widths)
        of_generator = rate_by_width(architecture.generator_widths, tuned.generator_widths)
        self._rates_by_width = (of_others, of_generator, of_generator)
        self._rate_of_discriminator = rate_by_width(architecture.discriminator_widths, tuned.discriminator_widths)
        self._fresh = partial(VaeGan, channels, architecture, CONDITION_SIZE)
        networks = self._fresh()
        discriminator = Discriminator(channels, architecture.discriminator_widths, config.spectral_normalisation)
        self.networks = place(networks, device)
        self.discriminator = place(discriminator, device)
        self._weights = list(self.networks.parameters())
        self.average = Averaged(self.networks, config.average_memory)
        self.beside = Beside(device)
        others = [*self.networks.encoder.parameters(), *self.networks.mean_decoder.parameters()]
        rendering = self.networks.generator.rendering
        rendered = {id(weight) for weight in rendering}
        ladder = [weight for weight in self.networks.generator.parameters() if id(weight) not in rendered]
        self.optimiser = torch.optim.AdamW(
            [{"params": others}, {"params": ladder}, {"params": rendering}],
            lr=config.learning_rate,
            betas=(MOMENTUM, MOMENTUM_OF_SQUARES),
            weight_decay=1e-4,
            fused=True,
        )
        self.flow_optimiser = FlowOptimiser(self.networks.flow, (MOMENTUM, MOMENTUM_OF_SQUARES), GRADIENT_CLIP)
        self.latent_shares = [torch.ones(count, device=device) for count in networks.generator.latents[:-1]]
        self.earlier_flow: LatentFlow | None = None
        self.discriminator_optimiser = torch.optim.Adam(
            self.discriminator.parameters(), betas=(0.5, MOMENTUM_OF_SQUARES), fused=True
        )
        self.adversarial_share, self.rate_share = 1.0, 1.0
        self.kl_shares = [1.0] * len(networks.generator.levels)
        self.sound = False
        self.mean_errors = RunningError(len(kinds))
        self.residual_errors = RunningError(len(kinds), columns=1 + len(self.networks.generator.levels))

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All networks, the running average among them."""
        return self.networks, self.discriminator, self.average.module

    def start_gradient(self, loss: Tensor) -> Future[list[Tensor | None]]:
        """Begin to find the gradient of a loss by the VAE's weights, beside what follows."""
        return self.beside.start(lambda: list(torch.autograd.grad(loss, self._weights, allow_unused=True)))

    def differentiate(self, loss: Tensor, other: Future[list[Tensor | None]] | None = None) -> None:
        """Find the gradient of a loss by the VAE's weights, which stay as they are, and add one that was started, if any."""
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if other is None:
            return
        for weight, gradient in zip(self._weights, other.result(), strict=True):
            if gradient is None:
                continue
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)  # of the weight's own layout, which the optimiser relies on
            weight.grad.add_(gradient)

    def differentiate_discriminator(self, loss: Tensor) -> None:
        """Find the gradient of a loss by the discriminator's weights, which stay as they are."""
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)

    def update(self, rates: tuple[float, float, float], momentum_of_generator: float = MOMENTUM) -> bool:
        """Make one step of the VAE's optimiser; rates for encoder and mean, the generator's ladder, and its rendering.

        They are the rates of the preset small: wider networks take shorter steps.
        """
        momenta = (MOMENTUM, momentum_of_generator, momentum_of_generator)
        rates_of_groups = zip(self.optimiser.param_groups, rates, self._rates_by_width, momenta, strict=True)
        for group, rate, by_width, momentum in rates_of_groups:
            group["lr"] = rate * by_width * self.rate_share
            group["betas"] = (momentum, MOMENTUM_OF_SQUARES)
        made = _update(self.optimiser)
        if made:
            self.average.update(*VAE)
        return made

    def update_flow(self, gradients: Sequence[Tensor], rate: float) -> bool:
        """Make one step of the flow's optimiser."""
        made = self.flow_optimiser.step(gradients, rate * self.rate_share)
        if made:
            self.average.update("flow")
        return made

    def remember_flow(self) -> None:
        """Keep the running average of the flow as it is, to guide the flow away from it."""
        self.earlier_flow = copy.deepcopy(self.average.module.flow)

    @torch.no_grad()
    def measure_latents(self, truth: Tensor) -> None:
        """Tell the flow how the latents that the running average infers of patches (batch, …) are distributed."""
        average = self.average.module
        parts = torch.split(truth, AT_ONCE)
        spreads = [average.normal_noise(len(part), *part.shape[2:]) for part in parts]
        means = _joined([average.infer(part) for part in parts])
        drawn = _joined([average.infer(part, spread) for part, spread in zip(parts, spreads, strict=True)])
        self.latent_shares = informative_shares(means, drawn)
        for flow in (self.networks.flow, average.flow):
            flow.measure(means)

    def update_discriminator(self, rate: float) -> bool:
        """Make one step of the discriminator's optimiser."""
        for group in self.discriminator_optimiser.param_groups:
            group["lr"] = rate * self._rate_of_discriminator
        return _update(self.discriminator_optimiser)

    def go_on_from(self, weights: Mapping[str, Tensor]) -> None:
        """Go on from earlier weights of encoder, mean and generator, without the momentum of what came after."""
        self.networks.load_state_dict(weights)
        self.average.module.load_state_dict(weights)
        self.optimiser.state.clear()
        self.flow_optimiser.clear()
        self.earlier_flow = None

    def begin_anew(self) -> None:
        """Begin with other weights, as if no step had been made; the discriminator stays."""
        self.go_on_from(self._fresh().state_dict())
        self.average.updates.clear()
        self.sound = False
        for errors in (self.mean_errors, self.residual_errors):
            errors.reset()

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
            "average_updates": dict(self.average.updates),
            "optimiser": self.optimiser.state_dict(),
            "flow_optimiser": self.flow_optimiser.state(),
            "latent_shares": self.latent_shares,
            "earlier_flow": None if self.earlier_flow is None else self.earlier_flow.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
            "sound": self.sound,
            "shares": [self.adversarial_share, self.rate_share],
            "kl_shares": self.kl_shares,
            "mean_errors": self.mean_errors.state(),
            "residual_errors": self.residual_errors.state(),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.networks.load_state_dict(state["networks"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.module.load_state_dict(state["average"])
        self.average.updates = Counter(state["average_updates"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.flow_optimiser.set_state(state["flow_optimiser"])
        self.latent_shares = [share.to(self.beside.device) for share in state["latent_shares"]]
        self.earlier_flow = None
        if (earlier := state["earlier_flow"]) is not None:
            self.earlier_flow = copy.deepcopy(self.average.module.flow)
            self.earlier_flow.load_state_dict(earlier)
        self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])
        self.adversarial_share, self.rate_share = state["shares"]
        self.kl_shares = state["kl_shares"]
        self.sound = state["sound"]
        self.mean_errors.set_state(state["mean_errors"])
        self.residual_errors.set_state(state["residual_errors"])


def _joined(parts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Join the latents of several batches, a tensor a level each."""
    return [torch.cat(level) for level in zip(*parts, strict=True)]


def _update(optimiser: torch.optim.Optimizer) -> bool:
    """Make one step unless a gradient is not finite; say whether it was made.

    Every group's gradient is clipped by its own norm: the generator's is much larger than the mean's, and its rendering's
    was measured to be 2 to 55 where that of its coarsest level was 0.03 to 0.3.
    """
    groups = [[weight for weight in group["params"] if weight.grad is not None] for group in optimiser.param_groups]
    # A group without gradients would give its norm on the CPU, wherever the others are.
    norms = [nn.utils.clip_grad_norm_(weights, GRADIENT_CLIP) for weights in groups if weights]
    if not torch.isfinite(torch.stack(norms)).all():
        return False
    optimiser.step()
    return True
