"""How large the networks are: four sizes by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Preset = Literal["tiny", "small", "base", "large"]

TEXTURE_STRIDE = 2
"""The finest stride of the networks: there the texture has four numbers a channel, so one a pixel."""


@dataclass(frozen=True)
class Architecture:
    """Sizes of all networks; every sequence runs over the strides 2, 4, 8, 16, 32.

    Attributes
    ----------
    widths
        Feature channels of encoder and mean decoder.
    encoder_blocks, decoder_blocks
        Gated blocks of encoder and mean decoder.
    generator_widths
        Feature channels of the generator.
    generator_blocks
        Gated blocks before and after each latent.
    latents
        Latent channels; 0 where there is no latent.
    flow_widths
        Feature channels of the flow over the latents; 0 where there is no latent.
    discriminator_widths
        Feature channels of the discriminator.
    """

    widths: tuple[int, ...]
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    generator_widths: tuple[int, ...]
    generator_blocks: int
    latents: tuple[int, ...]
    flow_widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]

    @property
    def details(self) -> tuple[int, ...]:
        """The strides that have latents or texture, coarsest first: sizes in pixels of the structures that these tell of."""
        strides = [2 ** (index + 1) for index in reversed(range(len(self.latents))) if self.latents[index]]
        return tuple(dict.fromkeys([*strides, TEXTURE_STRIDE]))

    @property
    def stride(self) -> int:
        """The coarsest stride: heights and widths are multiples of it."""
        return int(2 ** len(self.widths))


ARCHITECTURES: dict[str, Architecture] = {
    "tiny": Architecture(
        widths=(16, 16, 24, 24),
        encoder_blocks=(1, 1, 1, 1),
        decoder_blocks=(1, 1, 1, 0),
        generator_widths=(16, 16, 16, 16),
        generator_blocks=1,
        latents=(0, 4, 4, 4),
        flow_widths=(0, 16, 16, 16),
        discriminator_widths=(8, 16, 16),
    ),
    "small": Architecture(
        widths=(48, 96, 128, 128, 128),
        encoder_blocks=(1, 2, 3, 2, 1),
        decoder_blocks=(2, 2, 3, 2, 0),
        generator_widths=(32, 64, 96, 96, 96),
        generator_blocks=1,
        latents=(0, 4, 8, 16, 16),
        flow_widths=(0, 48, 64, 96, 96),
        discriminator_widths=(32, 64, 96, 128),
    ),
    "base": Architecture(
        widths=(64, 128, 256, 320, 320),
        encoder_blocks=(3, 4, 4, 4, 2),
        decoder_blocks=(4, 4, 4, 3, 0),
        generator_widths=(64, 128, 192, 192, 192),
        generator_blocks=1,
        latents=(0, 8, 8, 16, 16),
        flow_widths=(0, 64, 96, 112, 112),
        discriminator_widths=(48, 96, 128, 192),
    ),
    "large": Architecture(
        widths=(128, 256, 512, 768, 768),
        encoder_blocks=(4, 6, 8, 6, 3),
        decoder_blocks=(6, 6, 6, 4, 0),
        generator_widths=(96, 192, 384, 512, 512),
        generator_blocks=2,
        latents=(4, 8, 16, 16, 16),
        flow_widths=(64, 128, 192, 192, 192),
        discriminator_widths=(64, 128, 256, 384),
    ),
}


def rate_by_width(widths: tuple[int, ...], tuned: tuple[int, ...]) -> float:
    """Return the share of a learning rate that networks can bear which are wider than those that it was tuned on.

    A weight's steps add up over all features that it reads, so that they must be as much shorter as there are more (Yang et
    al. 2022, Tensor Programs V). With the rates of ``small``, ``large`` diverged within a hundred steps.
    """
    return min(1.0, max(tuned) / max(widths))
