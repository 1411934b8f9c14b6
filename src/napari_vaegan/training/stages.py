"""The stages of the method, each with its own step. The loop knows none of them by name.

1. ``VariationalStage``: the VAE on its own (reconstruction likelihood + KL), beside the deterministic mean.
2. ``DiscriminatorWarmUp``: its decoder becomes the generator; a discriminator is trained against it, frozen.
3. ``AdversarialStage``: the two in alternation, reconstruction, KL, adversarial and feature-matching terms together.

Last, ``PriorStage``: what latents real images have, learned while all else stands still, so that images can be generated.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from napari_vaegan.config import TrainingConfig
from napari_vaegan.training.batches import Batch, BatchSize
from napari_vaegan.training.best import learned_for_long_enough
from napari_vaegan.training.flow_gradient import flow_gradient
from napari_vaegan.training.game import learn_to_judge, play
from napari_vaegan.training.players import Players
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.terms import (
    adversarial_term,
    as_observed,
    discriminator_terms,
    draw_pairs,
    draw_sample,
    feature_matching_term,
    look,
    mean_terms,
    part_of,
    spread_term,
    unchanged,
    variational_terms,
)

STOCHASTIC_SHARE = 0.3
"""Share of a batch that trains the generator too: the mean, which is published, gets most of the time."""

BOUND_WEIGHT = 0.03
"""Weight of the evidence lower bound. Its gradient was measured to be 30 to 80 times that of the mean and of the spread, so
that with a weight of 1 neither learned anything beside it."""

VAE_RATE = 1e-3
"""Largest step size of the generator while it is trained as the VAE's decoder: the mean alone bears larger ones."""

WARM_UP_STEPS = 20
"""Reading images can take more than the first 2 % of a short training: its first step must not be a full one for that."""

JUDGED = 2
"""Patches of which something is observed that the discriminator judges beside the unobserved ones."""

ADVERSARIAL_RATE = 3e-4
"""Largest step size of the generator while it is trained against the discriminator."""

RENDERING_SHARE = 0.1
"""Of that step, for the layers that turn features into pixels. Its sums run over hundreds of weights: with a whole step each
could move a pixel by eight times the grain of a background, and what the players fought over was a grid (docs/trials.md)."""

DISCRIMINATOR_RATE = 6e-4
"""Largest step size of the discriminator: it learns faster than the generator, or it no longer sees what is wrong with its
samples (two time scales, Heusel et al. 2017)."""

ADVERSARIAL_MOMENTUM = 0.5
"""Of both players: they move against each other, so what was right some steps ago is right no more (Radford et al. 2016)."""

PRIOR_SHARE = 0.2
"""Of the time, for the flow over the latents."""

GUIDED_SHARE = 0.5
"""Of that time, at its end, in which the flow is guided away from what it was before."""

FLOW_RATE = 1e-3
"""Largest step size of the flow."""

BARE_STEPS = 2
"""Steps of the adversarial game alone after each with the whole VAE. They take half of the time, and a game needs many
moves: per minute they brought samples several times nearer to real images (docs/trials.md)."""


class Stage(Protocol):
    """A part of training with a name, a share of the time, and its own step."""

    name: str
    description: str
    share: float
    adversarial: bool
    """Whether the generator is trained against the discriminator."""
    settled: bool
    """Whether the VAE stands still."""

    def batch_size(self, progress: Progress) -> BatchSize:
        """Return how large a batch the next step takes."""
        ...

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step; return the terms of the loss. No weight changes before all gradients are there."""
        ...


def vae_share(config: TrainingConfig, unconditional: int) -> float:
    """Return the share of the time in which the VAE learns; in the rest of it the flow does, where a prior is learned."""
    return 1 - PRIOR_SHARE if config.learned_prior and config.variational and unconditional >= 0 else 1.0


def learning_rate(config: TrainingConfig, progress: Progress, share: float = 1.0) -> float:
    """Warm up linearly over the first 2 % of training, and some steps at least, then descend by half a cosine.

    It ends with that share of the training.
    """
    warm_up = min(1.0, progress.total / 0.02 + 0.02, (progress.step + 1) / WARM_UP_STEPS)
    return config.learning_rate * warm_up * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress.total / share))))


def descent(progress: Progress) -> float:
    """Return what share of their step sizes both players keep: all until the last third of the stage, then ever less.

    Had the discriminator's stayed, it would have outrun a generator that hardly moves any more.
    """
    return min(1.0, 3 * (1 - progress.stage) + 0.02)


def grown(config: TrainingConfig) -> BatchSize:
    """Return the batch once patches have grown by half, at about the same cost."""
    side = config.patch_size * 3 // 2 // 32 * 32
    return BatchSize(max(2, round(config.batch_size * (config.patch_size / side) ** 2)), side)


class _Configured:
    """What all stages are given."""

    adversarial = False
    settled = False

    def __init__(self, config: TrainingConfig, share: float, unconditional: int) -> None:
        self.config = config
        self.share = share
        self.unconditional = unconditional

    def learning_rate(self, progress: Progress) -> float:
        """Return the step size of encoder and mean."""
        return learning_rate(self.config, progress, vae_share(self.config, self.unconditional))


class VariationalStage(_Configured):
    """Stage 1: the VAE on its own, beside the deterministic mean."""

    name = "vae"
    description = "Encoder and decoder learn alone: reconstruction likelihood and KL divergence."

    def batch_size(self, progress: Progress) -> BatchSize:
        """Return the size of a batch: small patches first, half as large again in the second half."""
        if self.config.progressive and progress.stage >= 0.5:
            return grown(self.config)
        return BatchSize(self.config.batch_size, self.config.patch_size)

    def opened(self, players: Players, progress: Progress) -> int:
        """Return how many latent levels learn, coarse to fine over the first 40 % of the stage."""
        count = len(players.networks.generator.levels)
        if not self.config.progressive:
            return count
        return min(count, 1 + int(count * progress.stage / 0.4))

    def kl_weight(self, progress: Progress) -> float:
        """Return the weight of the KL divergence: from a twentieth up to all of it over half of the stage."""
        return self.config.kl_weight * min(1.0, 0.05 + 0.95 * progress.stage / 0.5)

    def weights(self, progress: Progress) -> dict[str, float]:
        """Return the weight of each of the generator's terms: its loss is their sum."""
        return {
            "reconstruction": BOUND_WEIGHT,
            "kl": BOUND_WEIGHT * self.kl_weight(progress),
            "spread": self.config.spread_weight,
        }

    def stochastic(self, batch: Batch, progress: Progress) -> int:
        """Return how many of the first patches train the generator: unconditional ones first, others join later."""
        free = int((batch.kinds == self.unconditional).sum())
        return free if free > 1 and progress.stage < 1 / 3 else max(2, free, math.ceil(STOCHASTIC_SHARE * len(batch.kinds)))

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step of the VAE."""
        seen = look(players, batch, self.unconditional)
        count = self.stochastic(batch, progress)
        terms = mean_terms(players, batch, seen, self.unconditional)
        gradient_of_mean = players.start_gradient(terms["mean"] + terms["error"])
        part, seen_part = batch.select(slice(count)), part_of(seen, slice(count))
        bound, _, levels = variational_terms(players, part, seen_part, self.opened(players, progress))
        terms |= bound
        free = int((part.kinds == self.unconditional).sum())
        terms["spread"] = spread_term(players, part, draw_pairs(players, part, seen_part, free), free)
        players.differentiate(_weighted_sum(terms, self.weights(progress)), gradient_of_mean)
        rate = self.learning_rate(progress)
        rate_of_generator = min(rate, VAE_RATE)
        made = players.sound = players.update((rate, rate_of_generator, rate_of_generator))
        return _report(terms, made) | {f"kl level {i}": value for i, value in enumerate(levels)}


class DiscriminatorWarmUp(_Configured):
    """Stage 2: the VAE's decoder is the generator now; the discriminator learns against it while it stands still."""

    name = "warm-up"
    description = "The decoder becomes the generator; a discriminator learns to tell its samples from real patches."

    def batch_size(self, progress: Progress) -> BatchSize:
        """Return the size of a batch: most of it unobserved."""
        return BatchSize(max(2, self.config.batch_size // 4), self.config.patch_size, self.config.batch_size // 2)

    @torch.no_grad()
    def _samples(self, players: Players, batch: Batch) -> Tensor:
        return as_observed(batch, draw_sample(players, batch, look(players, batch, self.unconditional)))

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step of the discriminator."""
        samples = self._samples(players, batch)
        terms = learn_to_judge(players, discriminator_terms(players, batch, samples, self.config, progress.step))
        return _report(terms, players.update_discriminator(DISCRIMINATOR_RATE))


class AdversarialStage(_Configured):
    """Stage 3: generator and discriminator in alternation; reconstruction and KL stay beside the adversarial term.

    The adversarial loss reaches the generator alone, never the mean or the encoder; feature matching compares
    reconstructions from the posterior, never samples from the prior, whose diversity it would kill.
    """

    name = "adversarial"
    description = "Generator and discriminator in alternation, with reconstruction, KL and feature matching beside."
    adversarial = True

    def bare(self, progress: Progress) -> bool:
        """Whether the next step is one of the game alone."""
        return self.unconditional >= 0 and progress.step % (1 + BARE_STEPS) > 0

    def batch_size(self, progress: Progress) -> BatchSize:
        """Return the size of a batch: half as many patches again of which nothing is observed; they grow as in stage 1.

        The game alone takes nothing but such patches, and they stay small: it lives on many of them.
        """
        if self.bare(progress):
            return BatchSize(0, self.config.patch_size, unobserved=self.config.batch_size)
        size = BatchSize(self.config.batch_size, self.config.patch_size)
        if self.config.progressive and progress.stage >= 0.5:
            size = grown(self.config)
        return replace(size, unobserved=size.count // 2)

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step of the generator, with the whole VAE or of the game alone, and one of the discriminator."""
        return (
            self._bare_step(players, batch, progress) if self.bare(progress) else self._whole_step(players, batch, progress)
        )

    def _bare_step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step of the game alone."""
        if not players.sound:
            return {"skipped": 1.0}
        with torch.no_grad():
            seen = look(players, batch, self.unconditional)
        terms = play(players, batch, seen, self.config, self._adversarial_weight(players, progress), progress.step)
        # Where the adversary is alone its weight cannot tell in Adam's steps: what repairs left of it shortens them.
        return _report(terms, self._update(players, progress, 0.0, players.adversarial_share))

    def weights(self, players: Players, progress: Progress) -> dict[str, float]:
        """Return the weight of each of the generator's terms in a step with the whole VAE: its loss is their sum."""
        return {
            "spread": self.config.spread_weight,
            "adversarial": self._adversarial_weight(players, progress),
            "reconstruction": BOUND_WEIGHT,
            "kl": BOUND_WEIGHT * self.config.kl_weight,
            "feature matching": self.config.feature_matching_weight,
        }

    def _adversarial_weight(self, players: Players, progress: Progress) -> float:
        return self.config.adversarial_weight * players.adversarial_share * min(1.0, progress.stage / 0.1)

    def _update(self, players: Players, progress: Progress, rate: float, share: float = 1.0) -> bool:
        """Make both updates at the very end: an interrupted step has moved neither."""
        rate_of_generator = ADVERSARIAL_RATE * descent(progress) * share
        rates = (rate, rate_of_generator, RENDERING_SHARE * rate_of_generator)
        updated = players.update(rates, ADVERSARIAL_MOMENTUM)
        return players.update_discriminator(DISCRIMINATOR_RATE * descent(progress)) and updated

    def _whole_step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        free = int((batch.kinds == self.unconditional).sum())
        seen = look(players, batch, self.unconditional)
        terms = mean_terms(players, batch, seen, self.unconditional)
        gradient_of_mean = players.start_gradient(terms["mean"] + terms["error"])

        judged = slice(min(len(batch.kinds), free + JUDGED))
        shown, seen_of_shown = batch.select(judged), part_of(seen, judged)
        samples = draw_pairs(players, shown, seen_of_shown, free)
        made = as_observed(shown, samples[0])
        terms["spread"] = spread_term(players, shown, samples, free)
        levels: list[float] = []
        with unchanged(players.discriminator):
            terms["adversarial"], real_features = adversarial_term(players, shown, made, self.config)
            if self.config.variational:
                inferred = slice(max(0, free - 1), None)
                part, seen_of_part = shown.select(inferred), part_of(seen_of_shown, inferred)
                opened = len(players.networks.generator.levels)
                bound, reconstruction, levels = variational_terms(players, part, seen_of_part, opened)
                features_of_part = [features[inferred] for features in real_features]
                terms |= bound
                terms["feature matching"] = feature_matching_term(players, part, reconstruction, features_of_part)
        loss = _weighted_sum(terms, self.weights(players, progress))
        critic = players.beside.start(
            lambda: learn_to_judge(players, discriminator_terms(players, shown, made, self.config, progress.step))
        )
        players.differentiate(loss, gradient_of_mean)
        terms |= critic.result()

        updated = self._update(players, progress, self.learning_rate(progress))
        players.sound = updated
        return _report(terms, updated) | {f"kl level {i}": value for i, value in enumerate(levels)}


class PriorStage(_Configured):
    """At the end: a flow learns what latents real images have, by the running average of the VAE that is to be saved."""

    name = "prior"
    description = "A flow learns which latents real images have: images are generated from such."
    settled = True

    def batch_size(self, progress: Progress) -> BatchSize:
        """Return the size of a batch: in one step of three patches of twice the side, as generated images may be large."""
        config = self.config
        if progress.step % 3 == 0:
            return BatchSize(0, 2 * config.patch_size, unobserved=max(2, config.batch_size // 2))
        return BatchSize(0, config.patch_size, unobserved=2 * config.batch_size)

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step of the flow."""
        if players.earlier_flow is None and self._guides(players, progress):
            players.remember_flow()
        vae = players.average.module
        flow, shares, earlier = players.networks.flow, players.latent_shares, players.earlier_flow
        made = flow_gradient(flow, vae, batch.truth, shares, players.beside, earlier)
        rate = FLOW_RATE * min(1.0, progress.stage / 0.05 + 0.02, 2.5 * (1 - progress.stage) + 0.02)
        return _report({"flow": made.loss}, players.update_flow(made.gradients, rate))

    def _guides(self, players: Players, progress: Progress) -> bool:
        """Say whether the flow knows enough for what it is now to lead it on."""
        return progress.stage >= 1 - GUIDED_SHARE and learned_for_long_enough(players.flow_optimiser.steps)


def method_stages(config: TrainingConfig, unconditional: int) -> list[Stage]:
    """Return the stages in their order, with their shares of the time."""
    left = vae_share(config, unconditional)
    stages: list[Stage]
    if not config.adversarial:
        stages = [VariationalStage(config, left, unconditional)]
    elif not config.variational:
        stages = [DiscriminatorWarmUp(config, 0.03, unconditional), AdversarialStage(config, 0.97, unconditional)]
    else:
        stages = [
            VariationalStage(config, 0.62 * left, unconditional),
            DiscriminatorWarmUp(config, 0.03 * left, unconditional),
            AdversarialStage(config, 0.35 * left, unconditional),
        ]
    return [*stages, PriorStage(config, PRIOR_SHARE, unconditional)] if left < 1 else stages


def _weighted_sum(terms: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """Sum those terms that have a weight; what trains encoder and mean alone has none."""
    return torch.stack([weight * terms[name] for name, weight in weights.items() if name in terms]).sum()


def _report(terms: dict[str, Tensor], made: bool) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in terms.items()} | ({} if made else {"skipped": 1.0})
