"""The three stages of the method, each with its own step. The loop knows none of them by name.

1. ``VariationalStage``: the VAE on its own (reconstruction likelihood + KL), beside the deterministic mean.
2. ``DiscriminatorWarmUp``: its decoder becomes the generator; a discriminator is trained against it, frozen.
3. ``AdversarialStage``: the two in alternation, reconstruction, KL, adversarial and feature-matching terms together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from napari_vaegan.config import TrainingConfig
from napari_vaegan.observation.projections import project, project_residual
from napari_vaegan.training import losses
from napari_vaegan.training.batches import Batch
from napari_vaegan.training.players import Players

LARGEST_LIKELIHOOD_VARIANCE = 0.003
"""Observation noise of each likelihood never exceeds this: else the latents are not worth their price and collapse."""

LEVEL_WEIGHT = 8.0
"""Weight of a coarse pixel in the likelihood of a latent level's own image."""

TYPICAL_NOISE = 0.01
"""Mean square of a noise of middling strength, in scaled units."""

STOCHASTIC_SHARE = 0.3
"""Share of a batch that trains the generator too: the mean, which is published, gets most of the time."""

LARGEST_EXCESS = 20.0
"""No patch counts for more than that many typical ones of its kind."""

NOISE_DOUBT = 0.1
"""How much the noise of a truth lowers its weight: its gradient says less."""

UNCONDITIONAL_MEAN_WEIGHT = 0.1
"""The mean of unconditional patches is next to constant: it needs little of the training."""

PENALTY_INTERVAL = 16
"""Steps between two gradient penalties, which are weighed accordingly (lazy regularisation, Karras et al. 2020)."""

BOUND_WEIGHT = 0.03
"""Weight of the evidence lower bound. Its gradient was measured to be 30 to 80 times that of the mean and of the spread, so
that with a weight of 1 neither learned anything beside it."""

VAE_RATE = 1e-3
"""Largest step size of the generator while it is trained as the VAE's decoder: the mean alone bears larger ones."""

ADVERSARIAL_RATE = 3e-4
"""Largest step size of the generator while it is trained against the discriminator."""


@dataclass(frozen=True)
class Progress:
    """How far training is: of the stage and of the whole, each from 0 to 1; and the step."""

    stage: float
    total: float
    step: int


class Stage(Protocol):
    """A part of training with a name, a share of the time, and its own step."""

    name: str
    description: str
    share: float

    def patches(self, progress: Progress) -> tuple[int, int]:
        """Return how many patches of which side the next step takes."""
        ...

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step; return the terms of the loss. No weight changes before all gradients are there."""
        ...


@dataclass(frozen=True)
class Look:
    """One pass over a batch: what was seen, the mean and its expected error."""

    features: list[Tensor]
    condition: Tensor
    mean: Tensor
    log_error: Tensor


def learning_rate(config: TrainingConfig, progress: Progress) -> float:
    """Warm up linearly over the first 2 % of training, then descend by half a cosine."""
    warm_up = min(1.0, progress.total / 0.02 + 0.02)
    return config.learning_rate * warm_up * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress.total))))


def grown_patches(config: TrainingConfig) -> tuple[int, int]:
    """Count and side of the patches once they have grown by half, at about the same cost."""
    size = config.patch_size * 3 // 2 // 32 * 32
    return max(2, round(config.batch_size * (config.patch_size / size) ** 2)), size


def look(players: Players, batch: Batch, unconditional: int) -> Look:
    """See the observations and estimate the mean, brought into agreement with them.

    Unconditional patches, which come first, all look alike: the networks see one of them, and the rest share what it gave.
    """
    repeated = max(0, int((batch.kinds == unconditional).sum()) - 1)
    observation = batch.observation.select(slice(repeated, None))
    condition = observation.condition
    features = players.networks.see(observation.estimate, observation.known, observation.noise, condition)
    mean, log_error = players.networks.mean(observation.estimate, features, condition)
    rows = (torch.arange(len(batch.kinds), device=mean.device) - repeated).clamp(min=0)
    features = [feature.index_select(0, rows) for feature in features]
    mean = project(mean.index_select(0, rows), batch.observation)
    return Look(features, condition.index_select(0, rows), mean, log_error.index_select(0, rows))


def difficulty(batch: Batch) -> Tensor:
    """How large an error is to be expected of each patch, beside others of its kind: (batch,).

    The error after denoising grows with about the 0.6th power of the noise's; without this the noisiest patches alone
    would train denoising.
    """
    own = batch.noise.mean_variance(batch.truth)
    noise = (losses.squared_error(batch.observation.image, batch.truth) - own).clamp(min=1e-6)
    noisy = ~batch.observation.noiseless.flatten()
    return torch.where(noisy, (noise / TYPICAL_NOISE) ** 0.6, 1.0)


def mean_terms(players: Players, batch: Batch, seen: Look, unconditional: int) -> dict[str, Tensor]:
    """Squared error of the mean, each patch weighed by the error to be expected, and the likelihood of that error.

    Expected is the geometric mean of the running error of its kind and of the error that the networks predict of the patch:
    with the former alone, the few holes that nothing tells of drown those that can be filled well; with the latter alone,
    empty patches drown the rest. See docs/method.md for what was measured.

    The predicted log error is relative to the running error of its kind: else the large errors of unconditional patches
    and holes would be all that it learns. The calibration of each kind brings it back.
    """
    noise = batch.noise.variance(seen.mean.detach())
    own = noise.flatten(1).mean(1) / difficulty(batch)
    errors = losses.squared_error(seen.mean, batch.truth) / difficulty(batch)
    excess = losses.excess_error(errors.detach(), own)
    weight = torch.where(batch.kinds == unconditional, UNCONDITIONAL_MEAN_WEIGHT, 1.0)
    typical = players.mean_errors.of(batch.kinds)[:, 0]
    players.mean_errors.update(batch.kinds, excess)
    unknown = ((batch.observation.known < 1) | ~batch.observation.noiseless).expand_as(batch.truth)
    log_error = seen.log_error + typical.log()[:, None, None, None]
    predicted = losses.expected_error(log_error.detach(), unknown) / difficulty(batch)
    expected = torch.maximum((typical * predicted).sqrt(), excess / LARGEST_EXCESS) + NOISE_DOUBT * own
    likelihood = losses.error_likelihood(log_error, seen.mean, batch.truth, unknown, noise)
    return {"mean": (weight * errors / expected).mean(), "error": 0.1 * (weight * likelihood).mean()}


def part_of(seen: Look, count: int) -> Look:
    """Return the look at the first patches of the batch."""
    return Look([f[:count] for f in seen.features], seen.condition[:count], seen.mean[:count], seen.log_error[:count])


def variational_terms(
    players: Players, batch: Batch, seen: Look, opened: int
) -> tuple[dict[str, Tensor], Tensor, list[float]]:
    """Evidence lower bound of the residual, in nats a pixel: likelihoods of the image and of every level, and KL.

    The generator reads the observation's features without changing them: they belong to the mean.

    Returns the terms, the reconstruction (batch, channels, height, width), and the KL of each level.
    """
    truth_features = players.networks.see_truth(batch.truth)
    seen_features = [feature.detach() for feature in seen.features]
    made = players.networks.generator.reconstruct(seen_features, truth_features, seen.condition, opened)
    mean = seen.mean.detach()
    reconstruction = mean + project_residual(made.residual.float(), batch.observation)
    errors = [losses.squared_error(reconstruction, batch.truth)]
    errors += losses.level_errors(made.level_images, batch.truth - mean)
    stacked = torch.stack(errors, dim=1)
    own = noise_of_levels(batch, mean, made.level_images)
    expected = difficulty(batch)[:, None]
    variance = (players.residual_errors.of(batch.kinds) * expected).clamp(min=1e-6, max=LARGEST_LIKELIHOOD_VARIANCE) + own
    players.residual_errors.update(batch.kinds, losses.excess_error(stacked.detach(), own) / expected)
    pixels = batch.truth[0].numel()
    shares = [1.0] + [LEVEL_WEIGHT * batch.truth.shape[1] * image[0, 0].numel() / pixels for image in made.level_images]
    likelihood = (0.5 * stacked / variance * stacked.new_tensor(shares)).sum(1).mean()
    divergences = [divergence.mean() for divergence in made.divergences]
    terms = {"reconstruction": likelihood, "kl": torch.stack(divergences).sum() / pixels}
    return terms, reconstruction, [float(divergence.detach()) for divergence in divergences]


def noise_of_levels(batch: Batch, mean: Tensor, level_images: list[Tensor]) -> Tensor:
    """Variance of the truth's own noise in the image and in every level's averages: (batch, 1 + levels).

    With it in the likelihoods, latents gain nothing by keeping noise.
    """
    variance = batch.noise.mean_variance(mean)
    pixels = [image[0, 0].numel() / mean[0, 0].numel() for image in level_images]
    return variance[:, None] * variance.new_tensor([1.0, *pixels])


def as_observed(batch: Batch, images: Tensor) -> Tensor:
    """Return images with noise like the truth's: what is compared with a noisy truth must be noisy too.

    The generator learns clean images by that (AmbientGAN, Bora et al. 2018).
    """
    return images if batch.noise.absent.all() else images + batch.noise.draw(images.detach())


def draw_sample(players: Players, batch: Batch, seen: Look) -> Tensor:
    """Draw a sample of every patch from the prior; its gradient reaches the generator alone, never mean or encoder."""
    features = [feature.detach() for feature in seen.features]
    residual = players.networks.generator.sample(features, seen.condition)
    return seen.mean.detach() + project_residual(residual.float(), batch.observation)


def spread_term(players: Players, batch: Batch, samples: tuple[Tensor, Tensor]) -> Tensor:
    """Score two samples of every patch, in units of the error that the mean has of its kind."""
    first, second = (as_observed(batch, sample) for sample in samples)
    expected = players.mean_errors.of(batch.kinds)[:, 0] * difficulty(batch) + batch.noise.mean_variance(batch.truth)
    return (losses.ranked_probability_score(first, second, batch.truth) / expected.sqrt()).mean()


class VariationalStage:
    """Stage 1: the VAE on its own, beside the deterministic mean."""

    name = "vae"
    description = "Encoder and decoder learn alone: reconstruction likelihood and KL divergence."

    def __init__(self, config: TrainingConfig, share: float, unconditional: int) -> None:
        self.config = config
        self.share = share
        self.unconditional = unconditional

    def patches(self, progress: Progress) -> tuple[int, int]:
        """Return count and side of the patches: small first, half as large again in the second half."""
        if self.config.progressive and progress.stage >= 0.5:
            return grown_patches(self.config)
        return self.config.batch_size, self.config.patch_size

    def opened(self, players: Players, progress: Progress) -> int:
        """Return how many latent levels learn, coarse to fine over the first 40 % of the stage."""
        count = len(players.networks.generator.levels)
        if not self.config.progressive:
            return count
        return min(count, 1 + int(count * progress.stage / 0.4))

    def kl_weight(self, progress: Progress) -> float:
        """Return the weight of the KL divergence: from a twentieth up to all of it over half of the stage."""
        return self.config.kl_weight * min(1.0, 0.05 + 0.95 * progress.stage / 0.5)

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
        part, seen_part = batch.select(slice(count)), part_of(seen, count)
        bound, _, levels = variational_terms(players, part, seen_part, self.opened(players, progress))
        terms |= bound
        samples = (draw_sample(players, part, seen_part), draw_sample(players, part, seen_part))
        terms["spread"] = spread_term(players, part, samples)
        loss = (
            BOUND_WEIGHT * (terms["reconstruction"] + self.kl_weight(progress) * terms["kl"])
            + self.config.spread_weight * terms["spread"]
        )
        players.differentiate(loss, gradient_of_mean)
        rate = learning_rate(self.config, progress)
        made = players.update((rate, min(rate, VAE_RATE)))
        return _report(terms, made) | {f"kl level {i}": value for i, value in enumerate(levels)}


class DiscriminatorWarmUp:
    """Stage 2: the VAE's decoder is the generator now; the discriminator learns against it while it stands still."""

    name = "warm-up"
    description = "The decoder becomes the generator; a discriminator learns to tell its samples from real patches."

    def __init__(self, config: TrainingConfig, share: float, unconditional: int) -> None:
        self.config = config
        self.share = share
        self.unconditional = unconditional

    def patches(self, progress: Progress) -> tuple[int, int]:
        """Return count and side of the patches."""
        return (self.config.batch_size // 2, self.config.patch_size)

    @torch.no_grad()
    def _samples(self, players: Players, batch: Batch) -> Tensor:
        return as_observed(batch, draw_sample(players, batch, look(players, batch, self.unconditional)))

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step of the discriminator."""
        terms = discriminator_terms(players, batch, self._samples(players, batch), progress, self.config)
        players.differentiate_discriminator(torch.stack(list(terms.values())).sum())
        return _report(terms, players.update_discriminator())


class AdversarialStage:
    """Stage 3: generator and discriminator in alternation; reconstruction and KL stay beside the adversarial term.

    The adversarial loss reaches the generator alone, never the mean or the encoder; feature matching compares
    reconstructions from the posterior, never samples from the prior, whose diversity it would kill.
    """

    name = "adversarial"
    description = "Generator and discriminator in alternation, with reconstruction, KL and feature matching beside."

    def __init__(self, config: TrainingConfig, share: float, unconditional: int) -> None:
        self.config = config
        self.share = share
        self.unconditional = unconditional

    def patches(self, progress: Progress) -> tuple[int, int]:
        """Return count and side of the patches."""
        return grown_patches(self.config) if self.config.progressive else (self.config.batch_size, self.config.patch_size)

    def step(self, players: Players, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one step of the generator, with the whole VAE, and one of the discriminator."""
        count = max(2, math.ceil(STOCHASTIC_SHARE * len(batch.kinds)))
        part = batch.select(slice(count))
        seen = look(players, batch, self.unconditional)
        seen_part = part_of(seen, count)
        terms = mean_terms(players, batch, seen, self.unconditional)
        gradient_of_mean = players.start_gradient(terms["mean"] + terms["error"])
        bound, reconstruction, levels = variational_terms(players, part, seen_part, len(players.networks.generator.levels))
        terms |= bound

        samples = (draw_sample(players, part, seen_part), draw_sample(players, part, seen_part))
        terms["spread"] = spread_term(players, part, samples)
        players.discriminator.requires_grad_(False)
        sight = (part.observation.estimate, part.observation.known)
        with torch.no_grad():
            real, real_features = players.discriminator(part.truth, *sight)
        shown = as_observed(part, samples[0])
        fake, _ = players.discriminator(shown, *sight)
        _, reconstructed_features = players.discriminator(as_observed(part, reconstruction), *sight)
        terms["adversarial"] = losses.relativistic_generator_loss(real, fake)
        terms["feature matching"] = losses.feature_matching(real_features, reconstructed_features)
        players.discriminator.requires_grad_(True)

        weight = self.config.adversarial_weight * min(1.0, progress.stage / 0.2)
        loss = (
            BOUND_WEIGHT * (terms["reconstruction"] + self.config.kl_weight * terms["kl"])
            + self.config.spread_weight * terms["spread"]
            + weight * terms["adversarial"]
            + self.config.feature_matching_weight * terms["feature matching"]
        )
        critic = players.beside.start(lambda: self._discriminate(players, part, shown.detach(), progress))
        players.differentiate(loss, gradient_of_mean)
        terms |= critic.result()

        # Both updates at the very end: an interrupted step has moved neither.
        rate = learning_rate(self.config, progress)
        made = players.update((rate, min(rate, ADVERSARIAL_RATE)))
        made &= players.update_discriminator()
        return _report(terms, made) | {f"kl level {i}": value for i, value in enumerate(levels)}

    def _discriminate(self, players: Players, batch: Batch, samples: Tensor, progress: Progress) -> dict[str, Tensor]:
        terms = discriminator_terms(players, batch, samples, progress, self.config)
        players.differentiate_discriminator(torch.stack(list(terms.values())).sum())
        return terms


def discriminator_terms(
    players: Players, batch: Batch, samples: Tensor, progress: Progress, config: TrainingConfig
) -> dict[str, Tensor]:
    """Relativistic loss of the discriminator, with R1 on the real patches and R2 on the samples every few steps."""
    lazy = config.gradient_penalty > 0 and progress.step % PENALTY_INTERVAL == 0
    truth = batch.truth.detach().requires_grad_(lazy)
    samples = samples.detach().requires_grad_(lazy)
    sight = (batch.observation.estimate, batch.observation.known)
    with torch.autocast(truth.device.type, enabled=False) if lazy else torch.enable_grad():
        real, _ = players.discriminator(truth, *sight)
        fake, _ = players.discriminator(samples, *sight)
        terms = {"discriminator": losses.relativistic_discriminator_loss(real, fake)}
        if lazy:
            r1 = losses.zero_centred_gradient_penalty(truth, real)
            r2 = losses.zero_centred_gradient_penalty(samples, fake)
            terms["gradient penalty"] = 0.5 * config.gradient_penalty * PENALTY_INTERVAL * (r1 + r2)
    return terms


def method_stages(config: TrainingConfig, unconditional: int) -> list[Stage]:
    """Return the stages in their order, with their shares of the time."""
    if not config.adversarial:
        return [VariationalStage(config, 1.0, unconditional)]
    return [
        VariationalStage(config, 0.62, unconditional),
        DiscriminatorWarmUp(config, 0.03, unconditional),
        AdversarialStage(config, 0.35, unconditional),
    ]


def _report(terms: dict[str, Tensor], made: bool) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in terms.items()} | ({} if made else {"skipped": 1.0})
