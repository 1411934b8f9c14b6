"""The learned prior of images of which nothing is observed: a flow from normal noise to the latents of real images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_vaegan.networks.blocks import Downsample, LayerNorm2d, Upsample, zero_convolution

EVALUATIONS = 6
"""Of the flow, to move noise all the way."""

LAST_STEP = 0.5
"""Share of the way that the last of them leads."""

FREQUENCIES = 16

HIGHEST_FREQUENCY = 100.0

TIME_SIZE = 64

LEAST_DEVIATION = 0.05
"""Of a latent channel; one that hardly varies is not blown up."""


class TimedBlock(nn.Module):
    """Two convolutions beside a shortcut, between which time scales and shifts (Dhariwal and Nichol 2021)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = LayerNorm2d(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second_norm = LayerNorm2d(channels)
        self.time = nn.Linear(TIME_SIZE, 2 * channels)
        self.second = zero_convolution(channels, channels)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape, at times embedded as (batch, TIME_SIZE)."""
        scale, shift = self.time(time)[:, :, None, None].chunk(2, dim=1)
        h = self.second_norm(self.first(functional.silu(self.norm(x))))
        out: Tensor = x + self.second(functional.silu(torch.addcmul(shift, h, 1 + scale)))
        return out


class LatentFlow(nn.Module):
    """A small U-Net over the latents of all levels: the velocity with which noise moves towards those of real images.

    The VAE's prior is normal noise, and the latents of real images taken together are not: they tell of nuclei that are
    round and lie apart. What the VAE draws from plain noise therefore looks like nothing that it was trained on. The flow
    learns the difference, after the VAE (ex-post density estimation, Ghosh et al. 2020; score-based model of latents, Vahdat
    et al. 2021), by flow matching along straight lines (Lipman et al. 2023; Liu et al. 2023). It starts as "no change".

    Everywhere noise is given as one tensor a level, coarsest first, (batch, latents, height / stride, width / stride): the
    latent in standard deviations of the VAE's prior from its mean. Texture is none of it. Inside, the flow works on
    *standardised* latents: each channel by the mean and the deviation that it has over real images, once they are measured.

    Parameters
    ----------
    latents
        Latent channels, coarsest first; each level is twice as fine as the one before.
    widths
        Feature channels of the same levels.
    """

    def __init__(self, latents: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.embedding = nn.Linear(2 * FREQUENCIES, TIME_SIZE)
        self.enter = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(latents, widths, strict=True))
        self.downs = nn.ModuleList(Downsample(fine, coarse) for coarse, fine in pairwise(widths))
        self.before = nn.ModuleList(TimedBlock(width) for width in widths)
        self.ups = nn.ModuleList(Upsample(coarse, fine) for coarse, fine in pairwise(widths))
        self.after = nn.ModuleList(TimedBlock(width) for width in widths)
        self.leave = nn.ModuleList(zero_convolution(b, a) for a, b in zip(latents, widths, strict=True))
        for level, count in enumerate(latents):
            self.register_buffer(f"mean_{level}", torch.zeros(count, 1, 1))
            self.register_buffer(f"deviation_{level}", torch.ones(count, 1, 1))

    @property
    def learned(self) -> bool:
        """Whether it moves anything: one that never learned does not, and need not be computed."""
        return any(bool(weight.any()) for weight in self.leave.parameters())

    def measure(self, latents: Sequence[Tensor]) -> None:
        """Take the mean and the deviation of every channel from latents of real images."""
        for level, values in enumerate(latents):
            mean, deviation = self._units(level)
            mean.copy_(values.mean((0, 2, 3))[:, None, None])
            deviation.copy_(values.std((0, 2, 3), correction=0)[:, None, None].clamp(min=LEAST_DEVIATION))

    def standardised(self, latents: Sequence[Tensor]) -> list[Tensor]:
        """Return latents, of the coarsest levels at least, as the flow works on them, where they are."""
        return [(values - mean) / deviation for values, mean, deviation in self._with_units(latents)]

    def restored(self, standardised: Sequence[Tensor]) -> list[Tensor]:
        """Return the latents that were standardised, where they are."""
        return [torch.addcmul(mean, deviation, values) for values, mean, deviation in self._with_units(standardised)]

    def _units(self, level: int) -> tuple[Tensor, Tensor]:
        return self.get_buffer(f"mean_{level}"), self.get_buffer(f"deviation_{level}")

    def _with_units(self, latents: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Give every level with its mean and deviation: where it is, as whole images are put together on the CPU."""
        for level, values in enumerate(latents):
            mean, deviation = self._units(level)
            yield values, mean.to(values.device), deviation.to(values.device)

    def forward(self, noise: Sequence[Tensor], time: Tensor) -> list[Tensor]:
        """Return the velocity of noise at times (batch,) from 0, normal noise, to 1, standardised latents of real images."""
        embedded = self._embed(time)
        levels = range(len(noise))
        seen: list[Tensor] = []  # finest first
        for level in reversed(levels):
            h = self.enter[level](noise[level])
            if seen:
                h = h + self.downs[level](seen[-1])
            seen.append(self.before[level](h, embedded))
        velocities = []
        h = seen.pop()
        for level in levels:
            if level:
                h = self.ups[level - 1](h) + seen.pop()
            h = self.after[level](h, embedded)
            velocities.append(self.leave[level](h).float())
        return velocities

    def _embed(self, time: Tensor) -> Tensor:
        exponents = torch.linspace(0, math.log(HIGHEST_FREQUENCY), FREQUENCIES, device=time.device)
        angles = time[:, None] * exponents.exp()
        return functional.silu(self.embedding(torch.cat([angles.sin(), angles.cos()], dim=1)))


Velocity = Callable[[Sequence[Tensor], Tensor], list[Tensor]]
"""Called with noise and times, as ``LatentFlow.forward``."""


def transport(velocity: Velocity, noise: Sequence[Tensor]) -> list[Tensor]:
    """Follow a velocity from time 0 to 1: in short steps while structures come about, then in a single long one.

    The short ones go on from the last two velocities (Adams and Bashforth's method; for diffusion models: Liu et al. 2022).
    The long one, Euler's, ends at the mean of what is possible from there: what a flow that learned for minutes draws of the
    finest latents beyond that mottled the backgrounds of nuclei (docs/trials.md).

    Parameters
    ----------
    velocity
        A ``LatentFlow``, or one that is computed in tiles.
    noise
        Normal noise, a tensor a level.

    Returns
    -------
    list of Tensor
        Standardised latents as real images have them, in float32.
    """
    moved = [level.float() for level in noise]
    length = (1 - LAST_STEP) / (EVALUATIONS - 1)
    before: list[Tensor] | None = None
    for step in range(EVALUATIONS):
        here = velocity(moved, moved[0].new_full((len(moved[0]),), step * length))
        last = step == EVALUATIONS - 1
        ahead = here if before is None or last else [torch.lerp(w, v, 1.5) for v, w in zip(here, before, strict=True)]
        moved = [torch.add(level, v, alpha=LAST_STEP if last else length) for level, v in zip(moved, ahead, strict=True)]
        before = here
    return moved
