"""What a batch contributes to the objectives: each stage's step is a sum of these terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_vaegan.config import TrainingConfig
from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.networks.generator import Reconstruction
from napari_vaegan.networks.vae_gan import VaeGan
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

LARGEST_EXCESS = 20.0
"""No patch counts for more than that many typical ones of its kind."""

NOISE_DOUBT = 0.1
"""How much the noise of a truth lowers its weight: its gradient says less."""

UNCONDITIONAL_MEAN_WEIGHT = 0.1
"""The mean of unconditional patches is next to constant: it needs little of the training."""

PENALTY_STRIDE = 4
"""One patch in so many pays the gradient penalty: real ones and samples by turns, step by step. All of them in one step
of sixteen (lazy regularisation, Karras et al. 2020) cost less, but where gradients are clipped what is rare has next to no
say (docs/trials.md)."""


@dataclass(frozen=True)
class Look:
    """One pass over a batch: what was seen, the mean and its expected error."""

    features: list[Tensor]
    condition: Tensor
    mean: Tensor
    log_error: Tensor


def look(networks: VaeGan, batch: Batch, unconditional: int) -> Look:
    """See the observations and estimate the mean, brought into agreement with them.

    Unconditional patches, which come first, all look alike: the networks see one of them, and the rest share what it gave.
    """
    repeated = max(0, int((batch.kinds == unconditional).sum()) - 1)
    observation = batch.observation.select(slice(repeated, None))
    condition = observation.condition
    features = networks.see(observation.estimate, observation.known, observation.noise, condition)
    mean, log_error = networks.mean(observation.estimate, features, condition)
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
    empty patches drown the rest. See docs/trials.md for what was measured.

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


def part_of(seen: Look, part: slice) -> Look:
    """Return the look at some patches of the batch."""
    return Look([f[part] for f in seen.features], seen.condition[part], seen.mean[part], seen.log_error[part])


def variational_terms(
    players: Players, batch: Batch, seen: Look, opened: int
) -> tuple[dict[str, Tensor], Tensor, Reconstruction]:
    """Evidence lower bound of the residual, in nats a pixel: likelihoods of the image and of every level, and KL.

    The generator reads the observation's features without changing them: they belong to the mean. So do the truth's, which
    are those of the running average: what the live encoder made of the truth changed faster than latents could follow.

    Returns the terms, the reconstruction (batch, channels, height, width), and what it was made of.
    """
    with torch.no_grad():
        truth_features = players.average.module.see_truth(batch.truth)
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
    divergences = [level.mean() for level in made.divergences]
    inferred = players.networks.generator.latents[:-1]  # the texture is only ever drawn
    sizes = [latents * image[0, 0].numel() for latents, image in zip(inferred, made.level_images, strict=True)]
    divergence = losses.divergence_beyond_free(divergences, sizes, players.kl_shares)
    return {"reconstruction": likelihood, "kl": divergence / pixels}, reconstruction, made


def texture_term(players: Players, batch: Batch, seen: Look, made: Reconstruction) -> Tensor:
    """Score two textures on the same latents: what the latents leave open should be drawn as it is in the truth.

    It is the details that are compared, as the discriminator sees them. Beside the contrast of bright objects, in whose
    units samples are scored, the grain of a dark background is next to nothing (docs/trials.md).
    """
    features = [feature.detach() for feature in seen.features]
    residuals = players.networks.generator.textured(made, features, seen.condition)
    images = [seen.mean.detach() + project_residual(residual.float(), batch.observation) for residual in residuals]
    compared = [*(as_observed(batch, image) for image in images), batch.truth]
    return losses.pixel_score(*(players.discriminator.scaled_details(image) for image in compared)).mean()


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


def draw_pairs(players: Players, batch: Batch, seen: Look, free: int) -> tuple[Tensor, Tensor]:
    """Draw two samples of every patch; those of the first, unobserved ones serve each other as the second."""
    first = draw_sample(players, batch, seen)
    if free < 2:
        return first, draw_sample(players, batch, seen)
    rest = slice(free, None)
    second = [first[:free].roll(1, 0)]
    if free < len(batch.kinds):
        second.append(draw_sample(players, batch.select(rest), part_of(seen, rest)))
    return first, torch.cat(second)


def spread_term(players: Players, batch: Batch, samples: tuple[Tensor, Tensor], free: int) -> Tensor:
    """Score two samples of every patch, in units of the error that the mean has of its kind.

    The first, unobserved patches together count as much as all others.
    """
    first, second = (as_observed(batch, sample) for sample in samples)
    expected = players.mean_errors.of(batch.kinds)[:, 0] * difficulty(batch) + batch.noise.mean_variance(batch.truth)
    scores = losses.ranked_probability_score(first, second, batch.truth) / expected.sqrt()
    groups = [group for group in (scores[:free], scores[free:]) if len(group)]
    return torch.stack([group.mean() for group in groups]).mean()


@contextmanager
def unchanged(discriminator: Discriminator) -> Iterator[None]:
    """Let gradients pass through the discriminator without reaching its weights."""
    discriminator.requires_grad_(False)
    try:
        yield
    finally:
        discriminator.requires_grad_(True)


def adversarial_term(players: Players, batch: Batch, made: Tensor, config: TrainingConfig) -> tuple[Tensor, list[Tensor]]:
    """Return what the generator makes small to fool the discriminator, and the discriminator's features of the truth."""
    with torch.no_grad():
        real, features = judge(players, batch, batch.truth)
    fake, _ = judge(players, batch, made)
    loss, _ = losses.ADVERSARIAL_LOSSES[config.adversarial_loss]
    return loss(real, fake), features


def feature_matching_term(players: Players, batch: Batch, reconstruction: Tensor, real_features: list[Tensor]) -> Tensor:
    """Compare reconstructions with the truth in the discriminator's features, which are given of the truth."""
    _, features = judge(players, batch, as_observed(batch, reconstruction))
    return losses.feature_matching(real_features, features)


def discriminator_terms(
    players: Players, batch: Batch, samples: Tensor, config: TrainingConfig, step: int
) -> dict[str, Tensor]:
    """Adversarial loss of the discriminator, and its gradient penalty."""
    players.discriminator.adapt(batch.truth)
    real, fake = (judge(players, batch, images.detach())[0] for images in (batch.truth, samples))
    _, loss = losses.ADVERSARIAL_LOSSES[config.adversarial_loss]
    return {"discriminator": loss(real, fake)} | penalty_term(players, batch, samples, config, step)


def penalty_term(players: Players, batch: Batch, samples: Tensor, config: TrainingConfig, step: int) -> dict[str, Tensor]:
    """R1 on some of the real patches, in every other step R2 on as many samples; nothing where its weight is 0."""
    if config.gradient_penalty == 0:
        return {}
    part = slice(None, None, PENALTY_STRIDE)
    images = (batch.truth, samples)[step % 2][part].detach()
    penalty = _gradient_penalty(players.discriminator, batch.select(part), images)
    return {"gradient penalty": config.gradient_penalty * penalty}


def judge(players: Players, batch: Batch, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Return the discriminator's verdicts and features of images, of which it sees what was observed of the batch."""
    discriminator = players.discriminator
    judged: tuple[list[Tensor], list[Tensor]] = discriminator(
        discriminator.view(images), batch.observation.estimate, batch.observation.known
    )
    return judged


def _gradient_penalty(discriminator: Discriminator, batch: Batch, images: Tensor) -> Tensor:
    """Penalise how steep verdicts are at some images; in full precision, as a gradient of a gradient needs it."""
    view = discriminator.view(images).float().requires_grad_()
    with torch.autocast(view.device.type, enabled=False):
        verdicts, _ = discriminator(view, batch.observation.estimate, batch.observation.known)
        return losses.zero_centred_gradient_penalty(view, verdicts)
