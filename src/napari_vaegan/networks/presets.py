"""How large the networks are: four sizes by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Preset = Literal["tiny", "small", "base", "large"]


@dataclass(frozen=True)
class Architecture:
    """Sizes of all networks; every sequence runs over the strides 2, 4, 8, 16, 32.

    Attributes
    ----------
    widths
        Feature channels of encoder and mean decoder.
    encoder_blocks, decoder_blocks
        Residual blocks of encoder and mean decoder.
    generator_widths
        Feature channels of the generator.
    generator_blocks
        Residual blocks before and after each latent.
    latents
        Latent channels; 0 where there is no latent.
    discriminator_widths
        Feature channels of the discriminator.
    """

    widths: tuple[int, ...]
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    generator_widths: tuple[int, ...]
    generator_blocks: int
    latents: tuple[int, ...]
    discriminator_widths: tuple[int, ...]

    @property
    def stride(self) -> int:
        """The coarsest stride: heights and widths are multiples of it."""
        return int(2 ** len(self.widths))


ARCHITECTURES: dict[str, Architecture] = {
    "tiny": Architecture((16, 16, 24, 24), (1, 1, 1, 1), (1, 1, 1, 0), (16, 16, 16, 16), 1, (0, 4, 4, 4), (8, 16, 16)),
    "small": Architecture(
        (48, 96, 128, 128, 128),
        (2, 2, 2, 1, 1),
        (2, 2, 2, 1, 0),
        (32, 64, 96, 96, 96),
        1,
        (0, 4, 8, 16, 16),
        (32, 64, 96, 128),
    ),
    "base": Architecture(
        (64, 128, 192, 256, 256),
        (2, 2, 2, 2, 2),
        (3, 3, 2, 2, 0),
        (48, 96, 128, 128, 128),
        1,
        (0, 8, 8, 16, 16),
        (48, 96, 128, 192),
    ),
    "large": Architecture(
        (128, 256, 384, 512, 512),
        (3, 3, 4, 3, 2),
        (4, 4, 4, 2, 0),
        (96, 192, 256, 256, 256),
        2,
        (4, 8, 16, 16, 16),
        (64, 128, 256, 384),
    ),
}
