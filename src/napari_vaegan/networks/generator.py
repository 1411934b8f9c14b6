"""The stochastic decoder: a ladder of latents and, last, of texture. The VAE's decoder, and then the GAN's generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from napari_vaegan.networks.blocks import Blocks, Upsample, zero_convolution
from napari_vaegan.networks.full_resolution import FullResolution
from napari_vaegan.networks.presets import TEXTURE_STRIDE

LARGEST_SHIFT = 6.0
"""Of a latent by the posterior, in standard deviations of the prior: without a bound one patch with a hot spot made images
of a thousand times the usual contrast, and the gradient of its divergence silenced the coarsest level."""

DrawNoise = Callable[[int, Tensor], Tensor]
"""Called with a level's index (coarsest first) and a tensor: standard normal noise of that tensor's shape."""


def random_noise(level: int, like: Tensor) -> Tensor:
    """Draw from torch's own generator: what training uses."""
    return torch.randn_like(like)


def with_texture(latents: Sequence[Tensor]) -> DrawNoise:
    """Return the noise of latents that are given, coarsest first, and of texture that is drawn by ``random_noise``."""
    return lambda level, like: latents[level] if level < len(latents) else random_noise(level, like)


@dataclass(frozen=True)
class Reconstruction:
    """What the generator makes of latents drawn from the posterior.

    Attributes
    ----------
    residual
        (batch, channels, height, width): to be added to the mean.
    divergences
        Per level, coarsest first: KL(posterior ‖ prior) in nats, (batch,), summed over the patch.
    level_images
        Per level, coarsest first: the residual averaged to that level's grid, as that level predicts it.
    features
        Of the last level: what is turned into pixels.
    """

    residual: Tensor
    divergences: list[Tensor]
    level_images: list[Tensor]
    features: Tensor


class LatentLevel(nn.Module):
    """One rung of the ladder: prior, posterior and what a latent adds (Child 2021, VDVAE).

    The posterior is given relative to the prior, so that an unused latent costs nothing. It starts at random, not as the
    prior: a latent that told nothing would never be read, and one that is not read never learns to tell (docs/trials.md).
    """

    def __init__(self, channels: int, width: int, seen_width: int, latents: int, blocks: int, condition_size: int):
        super().__init__()
        self.seen = nn.Conv2d(seen_width, width, 1)
        self.before = Blocks(blocks, width, condition_size)
        self.prior = zero_convolution(width, 2 * latents)
        self.posterior_truth = nn.Conv2d(seen_width, width, 1)
        self.posterior = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, 2 * latents, 3, padding=1)
        )
        self.inject = nn.Conv2d(latents, width, 1)
        self.after = Blocks(blocks, width, condition_size)
        self.image = zero_convolution(width, channels, 1)

    def prior_of(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log standard deviation of the prior, each (batch, latents, height, width)."""
        mean, log_std = self.prior(h).float().chunk(2, dim=1)
        return mean, 3 * torch.tanh(log_std / 3)

    def posterior_of(self, h: Tensor, truth: Tensor, prior: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return mean and log standard deviation of the posterior, given the truth's features."""
        shift, log_ratio = self.posterior(torch.cat([h, self.posterior_truth(truth)], dim=1)).float().chunk(2, dim=1)
        mean, log_std = prior
        shift = LARGEST_SHIFT * torch.tanh(shift / LARGEST_SHIFT)
        return mean + shift * log_std.exp(), log_std + 4 * torch.tanh(log_ratio / 4)


def gaussian_divergence(posterior: tuple[Tensor, Tensor], prior: tuple[Tensor, Tensor]) -> Tensor:
    """KL(q ‖ p) of two diagonal Gaussians, each given as mean and log standard deviation; summed to (batch,)."""
    (mean_q, log_q), (mean_p, log_p) = posterior, prior
    kl = log_p - log_q + 0.5 * (((mean_q - mean_p) / log_p.exp()) ** 2 + (2 * (log_q - log_p)).exp() - 1)
    return kl.flatten(1).sum(1)


class Generator(nn.Module):
    """Residual images from what was observed and from latents, coarse to fine.

    Below the latents comes texture: noise of one number a pixel and channel, as StyleGAN's (Karras et al. 2019), which the
    last convolutions turn into grain. It is only ever drawn, never inferred from an image.

    Attributes
    ----------
    levels
        Those whose latents are inferred, coarsest first.
    strides, latents
        Strides and channels of all that is drawn, coarsest first: the levels' latents, then the texture.

    Parameters
    ----------
    channels
        Image channels.
    widths
        Feature channels of this decoder at strides 2, 4, 8, …
    seen_widths
        Feature channels of the encoder at the same strides.
    latents
        Latent channels at the same strides; 0: no latents there.
    blocks
        Gated blocks before and after each latent.
    condition_size
        Length of the vector that tells the kind of observation.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        seen_widths: Sequence[int],
        latents: Sequence[int],
        blocks: int,
        condition_size: int,
    ) -> None:
        super().__init__()
        order = [index for index in reversed(range(len(widths))) if latents[index]]
        self.strides: list[int] = [*(2 ** (index + 1) for index in order), TEXTURE_STRIDE]
        self.latents: list[int] = [*(latents[index] for index in order), TEXTURE_STRIDE**2 * channels]
        self.start = nn.Parameter(torch.zeros(1, widths[order[0]], 1, 1))
        self.levels = nn.ModuleList(
            LatentLevel(channels, widths[i], seen_widths[i], latents[i], blocks, condition_size) for i in order
        )
        self.ups = nn.ModuleList(Upsample(widths[a], widths[b]) for a, b in pairwise(order))
        finest = order[-1]
        self.finish = nn.ModuleList(Upsample(widths[i + 1], widths[i]) for i in reversed(range(finest)))
        self.finish_seen = nn.ModuleList(nn.Conv2d(seen_widths[i], widths[i], 1) for i in reversed(range(finest)))
        self.finish_blocks = Blocks(2, widths[0], condition_size)
        self.full_resolution = FullResolution(channels, widths[0])

    @property
    def ladder(self) -> list[LatentLevel]:
        """The latent levels, coarsest first."""
        return cast("list[LatentLevel]", list(self.levels))

    @property
    def rendering(self) -> list[nn.Parameter]:
        """The weights below the last level, which turn its features into pixels."""
        parts = (self.finish, self.finish_seen, self.finish_blocks, self.full_resolution)
        return [weight for part in parts for weight in part.parameters()]

    def _descend(self, index: int, h: Tensor | None, seen: list[Tensor], condition: Tensor) -> Tensor:
        """Bring the features down to a level and let it see what was observed there."""
        level = self.ladder[index]
        observed = level.seen(seen[self._feature_index(index)])
        h = self.start + observed if h is None else self.ups[index - 1](h) + observed
        out: Tensor = level.before(h, condition)
        return out

    def _feature_index(self, index: int) -> int:
        return self.strides[index].bit_length() - 2

    def _finish(self, h: Tensor, seen: list[Tensor], condition: Tensor) -> Tensor:
        """Bring the features of the last level down to the finest stride."""
        finest = self._feature_index(len(self.levels) - 1)
        for step, (up, look) in enumerate(zip(self.finish, self.finish_seen, strict=True), start=1):
            h = up(h) + look(seen[finest - step])
        finished: Tensor = self.finish_blocks(h, condition)
        return finished

    def _draw_texture(self, h: Tensor, draw: DrawNoise) -> Tensor:
        """Turn features at the finest stride into the residual, with texture."""
        like = h.new_empty(len(h), self.latents[-1], *h.shape[2:], dtype=torch.float32)
        residual: Tensor = self.full_resolution(h, draw(len(self.levels), like))
        return residual

    def sample(self, seen: list[Tensor], condition: Tensor, draw: DrawNoise = random_noise) -> Tensor:
        """Draw a residual (batch, channels, height, width) from the prior, given the observation's features."""
        h: Tensor | None = None
        for index, level in enumerate(self.ladder):
            h = self._descend(index, h, seen, condition)
            mean, log_std = level.prior_of(h)
            latent = mean + log_std.exp() * draw(index, mean)
            h = level.after(h + level.inject(latent), condition)
        assert h is not None
        return self._draw_texture(self._finish(h, seen, condition), draw)

    def textured(self, made: Reconstruction, seen: list[Tensor], condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return two residuals of the latents of a reconstruction, each with texture of its own.

        Their gradient reaches the rendering alone.
        """
        finished = self._finish(made.features.detach(), seen, condition)
        return self._draw_texture(finished, random_noise), self._draw_texture(finished, random_noise)

    def encode(
        self, seen: list[Tensor], truth: list[Tensor], condition: Tensor, draw: DrawNoise | None = None
    ) -> list[Tensor]:
        """Return the noise from which ``sample`` draws what is nearest to the truth.

        That is the posterior's mean, or what is drawn from the posterior, in standard deviations of the prior from its mean:
        (batch, latents, height, width) a level, coarsest first. Of the texture it is zero.
        """
        noise = []
        h: Tensor | None = None
        for index, level in enumerate(self.ladder):
            h = self._descend(index, h, seen, condition)
            mean, log_std = level.prior_of(h)
            latent, log_spread = level.posterior_of(h, truth[self._feature_index(index)], (mean, log_std))
            if draw is not None:
                latent = latent + log_spread.exp() * draw(index, latent)
            noise.append((latent - mean) / log_std.exp())
            h = level.after(h + level.inject(latent), condition)
        height, width = seen[0].shape[2:]
        return [*noise, noise[0].new_zeros(len(noise[0]), self.latents[-1], height, width)]

    def reconstruct(
        self, seen: list[Tensor], truth: list[Tensor], condition: Tensor, active: int | None = None
    ) -> Reconstruction:
        """Encode the truth into latents and decode it again.

        Parameters
        ----------
        seen, truth
            Features of the observation and of the truth, finest first.
        condition
            (batch, condition_size).
        active
            How many levels, from the coarsest, carry latents of the posterior; the others take their prior's mean.
            This is the progressive part of training: coarse latents learn first.
        """
        divergences, level_images = [], []
        h: Tensor | None = None
        for index, level in enumerate(self.ladder):
            h = self._descend(index, h, seen, condition)
            prior = level.prior_of(h)
            latent = prior[0]
            if active is None or index < active:
                posterior = level.posterior_of(h, truth[self._feature_index(index)], prior)
                latent = posterior[0] + posterior[1].exp() * torch.randn_like(latent)
                divergences.append(gaussian_divergence(posterior, prior))
            else:
                divergences.append(torch.zeros(len(latent), device=latent.device))
            h = level.after(h + level.inject(latent), condition)
            level_images.append(level.image(h))
        assert h is not None
        residual = self.full_resolution(self._finish(h, seen, condition), None)
        return Reconstruction(residual, divergences, level_images, h)
