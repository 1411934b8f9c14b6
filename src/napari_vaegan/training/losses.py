"""The terms of the objective, one function a term."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from napari_vaegan.observation.projections import block_means

AdversarialLoss = Callable[[list[Tensor], list[Tensor]], Tensor]

LOG_ERRORS = (-20.0, 5.0)
"""Range of the predicted logarithm of a squared error in scaled units."""

FREE_NATS = 0.1
"""Information that a latent may carry at no price, on average over its level: without it the coarsest levels died."""

GUIDANCE = 0.5
"""By which a flow is guided. It comes to move as far again as what it was before fell behind: 0.5 / (1 - 0.5)."""

SCALES = (1, 2, 4)
"""Block sizes in pixels of what samples and truth are compared in."""


def squared_error(image: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of every image of the batch: (batch,)."""
    return (image - truth).square().flatten(1).mean(1)


def excess_error(errors: Tensor, noise_variance: Tensor) -> Tensor:
    """Return what of squared errors (batch, …) is not the noise of the truth, whose mean variance is given alike.

    A tenth of an error is always counted: the law of the noise may be too large.
    """
    return torch.maximum(errors - noise_variance, 0.1 * errors)


def expected_error(log_error: Tensor, unknown: Tensor) -> Tensor:
    """Return the mean squared error of every image that a log error a pixel predicts: (batch,); known pixels have none."""
    return (log_error.clamp(*LOG_ERRORS).exp() * unknown).flatten(1).mean(1).clamp(min=1e-7)


def error_likelihood(log_error: Tensor, image: Tensor, truth: Tensor, unknown: Tensor, noise_variance: Tensor) -> Tensor:
    """Negative log likelihood of the error under a Gaussian of the predicted variance, mean over unknown pixels: (batch,).

    Kendall and Gal (2017), eq. 5; the truth's own noise adds its variance. The image is not moved by it.

    Parameters
    ----------
    log_error, image, truth, noise_variance
        (batch, channels, height, width); the last is that of the truth.
    unknown
        Of the same shape, bool: the pixels that were not known; the error of the others is no error.
    """
    squared = (image.detach() - truth).square()
    variance = log_error.clamp(*LOG_ERRORS).exp() + noise_variance
    cost = 0.5 * (variance.log() + (squared + 1e-8) / variance) * unknown
    return cost.flatten(1).sum(1) / unknown.flatten(1).sum(1).clamp(min=1)


def local_features(images: Tensor) -> list[Tensor]:
    """Return means of blocks of several sizes, and the differences of neighbouring ones along both axes."""
    features = []
    for scale in SCALES:
        means = block_means(images, scale) if scale > 1 else images
        features += [means, means[..., 1:] - means[..., :-1], means[..., 1:, :] - means[..., :-1, :]]
    return features


def ranked_probability_score(first: Tensor, second: Tensor, truth: Tensor) -> Tensor:
    """Continuous ranked probability score of two samples, mean over pixels and local features: (batch,).

    ``E|X - y| - E|X - X'| / 2`` (Gneiting and Raftery 2007, eq. 21) is least, on average, where samples are distributed as
    the truth is: it rewards samples that are near the truth and as far from each other as the truth is uncertain. That of
    differences and means, which are as proper, tells grain from smoothness.
    """
    scores = []
    for a, b, y in zip(*(local_features(images) for images in (first, second, truth)), strict=True):
        distance = 0.5 * ((a - y).abs() + (b - y).abs()) - 0.5 * (a - b).abs()
        scores.append(distance.flatten(1).mean(1))
    return torch.stack(scores).mean(0)


def divergence_beyond_free(divergences: list[Tensor], sizes: list[int], weights: list[float]) -> Tensor:
    """Weighted sum of the levels' KL divergences; each counts at least as much as a little information in all its latents.

    Free bits (Kingma et al. 2016, eq. 15): a level that tells less is not pressed further, so that none dies.

    Parameters
    ----------
    divergences
        Of each level in nats, scalars.
    sizes
        Numbers of latents of each level.
    weights
        Of each level.
    """
    counted = [kl.clamp(min=FREE_NATS * size) for kl, size in zip(divergences, sizes, strict=True)]
    return torch.stack([weight * kl for weight, kl in zip(weights, counted, strict=True)]).sum()


def level_errors(level_images: list[Tensor], residual: Tensor) -> list[Tensor]:
    """Mean squared error of every level's own image, against the residual averaged to its grid: (batch,) a level."""
    errors = []
    for image in level_images:
        factor = residual.shape[-1] // image.shape[-1]
        errors.append(squared_error(image.float(), block_means(residual, factor)))
    return errors


def relativistic_generator_loss(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Pair every sample with a real image: it should look at least as real (Huang et al. 2024, eq. 3)."""
    losses = [functional.softplus(r - f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(losses).mean()


def relativistic_discriminator_loss(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Pair every real image with a sample: it should look more real (Huang et al. 2024, eq. 2)."""
    return relativistic_generator_loss(fake, real)


def non_saturating_generator_loss(_: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Make every sample look real (Goodfellow et al. 2014, section 3: the form whose gradient does not vanish)."""
    return torch.stack([functional.softplus(-f).mean() for f in fake]).mean()


def non_saturating_discriminator_loss(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Make real images look real, and samples not (Goodfellow et al. 2014, eq. 1)."""
    losses = [functional.softplus(-r).mean() + functional.softplus(f).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(losses).mean()


ADVERSARIAL_LOSSES: dict[str, tuple[AdversarialLoss, AdversarialLoss]] = {
    "relativistic": (relativistic_generator_loss, relativistic_discriminator_loss),
    "non-saturating": (non_saturating_generator_loss, non_saturating_discriminator_loss),
}
"""By name: what the generator and what the discriminator makes small, given verdicts on real images and on samples."""


def zero_centred_gradient_penalty(images: Tensor, verdicts: list[Tensor]) -> Tensor:
    """Squared gradient of the verdicts by the images, a pixel: R1 on real images, R2 on samples (Mescheder et al. 2018)."""
    total = torch.stack([verdict.float().mean(dim=(1, 2, 3)).sum() for verdict in verdicts]).sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()


def informative_shares(means: Sequence[Tensor], drawn: Sequence[Tensor]) -> list[Tensor]:
    """Return by how much of its variance every latent channel tells of the image, (latents,) a level: from 0 to 1.

    Parameters
    ----------
    means, drawn
        A tensor a level, (batch, latents, height, width): the posterior's mean of some images, and what is drawn from it.
    """
    variances = [(mean.var((0, 2, 3)), one.var((0, 2, 3))) for mean, one in zip(means, drawn, strict=True)]
    return [(of_mean / of_drawn.clamp(min=1e-6)).clamp(max=1) for of_mean, of_drawn in variances]


def flow_matching(
    velocities: Sequence[Tensor], noise: Sequence[Tensor], targets: Sequence[Tensor], shares: Sequence[Tensor]
) -> Tensor:
    """Squared distance of velocities to those of the straight lines from noise to targets (Lipman et al. 2023, eq. 23).

    A latent channel counts by its share, (latents,) a level, however many places it has: on EM a few channels were found to
    tell nearly all of the image, and the flow has no time for the others.
    """
    errors = [
        (share * (v - (end - begin)).square().mean((0, 2, 3))).sum()
        for v, begin, end, share in zip(velocities, noise, targets, shares, strict=True)
    ]
    return torch.stack(errors).sum() / torch.cat(list(shares)).sum().clamp(min=1e-6)


def guided(targets: Sequence[Tensor], velocities: Sequence[Tensor], earlier: Sequence[Tensor]) -> list[Tensor]:
    """Move targets on by what a flow's velocities differ from those of its earlier self, which knew less.

    Where the two differ the flow is likely to be wrong still, in the same direction: guidance by a bad version of itself
    (Karras et al. 2024), learned instead of computed at every draw (model guidance, Tang et al. 2025).
    """
    return [end + GUIDANCE * (now.detach() - before) for end, now, before in zip(targets, velocities, earlier, strict=True)]


def feature_matching(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Distance in the discriminator's features: the learned similarity of Larsen et al. (2016)."""
    distances = [
        (r.detach() - f).abs().mean() / r.detach().abs().mean().clamp(min=1e-6) for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(distances).mean()
