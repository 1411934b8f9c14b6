"""The noise of a batch of images: how large it is at each intensity, and noise drawn of the same law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from napari_vaegan.images.noise_fit import CORRELATED

THINNED = (0.5, 0.95)
"""Share of the light of a noisy image that is observed where the rest is sought."""

RECORRUPTED = (0.3, 1.2)
"""How much noise is added to correlated noise, as a multiple of it."""

SMOOTHED = 5
"""Side of the window over which a noisy image is averaged before the variance of its noise is read off its intensity."""


@dataclass(frozen=True)
class NoiseOfBatch:
    """Poisson-Gaussian noise of every image of a batch, in scaled intensities (Foi et al. 2008).

    Attributes
    ----------
    gain
        (batch, channels): variance per unit of intensity.
    offset
        (batch, channels): intensity without light.
    read_noise
        (batch, channels): standard deviation without light.
    correlation
        (batch, 5, 5): autocorrelation of the noise at distances of up to two pixels.
    """

    gain: Tensor
    offset: Tensor
    read_noise: Tensor
    correlation: Tensor

    def variance(self, light: Tensor) -> Tensor:
        """Return the variance of the noise at noise-free intensities (batch, channels, height, width)."""
        gain, offset, read_noise = (part[..., None, None] for part in (self.gain, self.offset, self.read_noise))
        return gain * (light - offset).clamp(min=0) + read_noise.square()

    def mean_variance(self, light: Tensor) -> Tensor:
        """Return the variance averaged over every image: (batch,)."""
        return self.variance(light).flatten(1).mean(1)

    def draw(self, light: Tensor, independent: Tensor | None = None) -> Tensor:
        """Draw noise at noise-free intensities (batch, channels, height, width).

        Parameters
        ----------
        light
            Noise-free intensities; where only noisy ones are at hand, ``smoothed`` ones.
        independent
            Standard normal numbers of that shape; drawn by torch if None.
        """
        independent = torch.randn_like(light) if independent is None else independent
        return self.variance(light).sqrt() * correlated(independent, self.correlation)

    def scaled(self, factor: Tensor) -> NoiseOfBatch:
        """Return the law with variances multiplied by a factor (batch,)."""
        factor = factor[:, None]
        return NoiseOfBatch(self.gain * factor, self.offset, self.read_noise * factor.sqrt(), self.correlation)

    def thin(self, image: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor, NoiseOfBatch, NoiseOfBatch]:
        """Divide noisy images into two of independent noise, by thinning their counts.

        Poisson counts, each of which goes one way with probability p, become two independent Poisson counts (Kingman 1993,
        section 5.1). Read noise is counted as photons of constant light. Counts need not be whole: a share drawn from a Beta
        distribution divides Gamma variables in the same way (Lukacs 1955), which continuous counts resemble.

        Parameters
        ----------
        image
            (batch, channels, height, width), noisy.
        random
            Source of chance.

        Returns
        -------
        seen, sought
            Both with the noise-free image of ``image``; at least half of the light is in the first.
        seen_noise, sought_noise
            Their laws.
        """
        share = torch.from_numpy(random.uniform(*THINNED, len(image)).astype(np.float32))
        gain = self.gain.clamp(min=1e-6)[..., None, None]
        dark = (self.read_noise[..., None, None] / gain) ** 2
        counts = ((image - self.offset[..., None, None]) / gain + dark).clamp(min=1e-3)
        part = share[:, None, None, None]
        drawn = random.beta((part * counts).numpy(), ((1 - part) * counts).numpy())
        seen = counts * torch.from_numpy(drawn.astype(np.float32))
        sought = counts - seen
        images = [self.offset[..., None, None] + gain * (c / p - dark) for c, p in ((seen, part), (sought, 1 - part))]
        return images[0], images[1], self.scaled(1 / share), self.scaled(1 / (1 - share))

    def recorrupt(self, image: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor, NoiseOfBatch, NoiseOfBatch]:
        """Divide noisy images into two of uncorrelated noise, by adding more of it: R2R (Pang et al. 2021).

        ``y + a n`` and ``y - n / a`` with noise n of the same law as that in y. See ``thin`` for what is taken and returned.
        """
        amount = torch.from_numpy(random.uniform(*RECORRUPTED, len(image)).astype(np.float32))
        independent = torch.from_numpy(random.standard_normal(image.shape).astype(np.float32))
        more, amount_of = self.draw(smoothed(image), independent), amount[:, None, None, None]
        seen, sought = image + amount_of * more, image - more / amount_of
        return seen, sought, self.scaled(1 + amount**2), self.scaled(1 + 1 / amount**2)

    def where(self, chosen: Tensor, other: NoiseOfBatch) -> NoiseOfBatch:
        """Return that of the chosen images (batch,), and another one of the rest."""
        parts = [(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)]
        return NoiseOfBatch(*(torch.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in parts))

    @property
    def absent(self) -> Tensor:
        """(batch,) bool: the images without noise."""
        return ((self.gain == 0) & (self.read_noise == 0)).all(1)

    @property
    def white(self) -> Tensor:
        """(batch,) bool: the images whose noise is taken for independent from pixel to pixel."""
        return self.neighbours.abs() < CORRELATED

    @property
    def neighbours(self) -> Tensor:
        """(batch,): correlation of neighbouring pixels."""
        return self.correlation[:, [1, 2, 2, 3], [2, 1, 3, 2]].mean(1)

    def to(self, device: torch.device) -> NoiseOfBatch:
        """Return the same on another device."""
        return NoiseOfBatch(*(getattr(self, field.name).to(device) for field in fields(self)))

    def select(self, index: slice | Tensor) -> NoiseOfBatch:
        """Return that of some images of the batch."""
        return NoiseOfBatch(*(getattr(self, field.name)[index] for field in fields(self)))

    @staticmethod
    def join(parts: Sequence[NoiseOfBatch]) -> NoiseOfBatch:
        """Return several batches as one."""
        return NoiseOfBatch(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(NoiseOfBatch)))


def white(count: int) -> Tensor:
    """Return the correlation (count, 5, 5) of noise that is independent from pixel to pixel."""
    correlation = torch.zeros(count, 5, 5)
    correlation[:, 2, 2] = 1
    return correlation


def correlated(independent: Tensor, correlation: Tensor) -> Tensor:
    """Give independent normal numbers (batch, channels, height, width) a correlation (batch, 5, 5), at the same variance.

    By the Wiener-Khinchin theorem: the correlation's Fourier transform is the power spectrum. The borders wrap around.
    """
    if torch.equal(correlation, white(len(correlation)).to(correlation.device)):
        return independent
    height, width = independent.shape[-2:]
    padded = functional.pad(correlation, (0, max(0, width - 5), 0, max(0, height - 5)))[..., :height, :width]
    power = torch.fft.fft2(padded.roll((-2, -2), (-2, -1))).real.clamp(min=0)
    amplitude = (power / power.mean((-2, -1), keepdim=True)).sqrt()[:, None]
    noise: Tensor = torch.fft.ifft2(torch.fft.fft2(independent) * amplitude).real
    return noise


def smoothed(image: Tensor) -> Tensor:
    """Average an image over a window, continued at the border."""
    border = SMOOTHED // 2
    padded = functional.pad(image, (border, border, border, border), mode="replicate")
    return functional.avg_pool2d(padded, SMOOTHED, stride=1)
