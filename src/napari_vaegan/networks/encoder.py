"""The encoder: what is seen, as features at strides 2, 4, 8, 16 and 32."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from napari_vaegan.networks.blocks import Blocks, Downsample


class Encoder(nn.Module):
    """One encoder in both roles: features of an observation (for mean and prior) and of the truth (for the posterior).

    Parameters
    ----------
    channels_in
        Channels of the stacked input: first estimate, known map and noise map.
    widths
        Feature channels at strides 2, 4, 8, …
    blocks
        Gated blocks at each of these strides.
    condition_size
        Length of the vector that tells the kind of observation.
    """

    def __init__(self, channels_in: int, widths: Sequence[int], blocks: Sequence[int], condition_size: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4 * channels_in, widths[0], 3, padding=1)
        self.downs = nn.ModuleList(Downsample(a, b) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            Blocks(count, width, condition_size) for count, width in zip(blocks, widths, strict=True)
        )

    def forward(self, x: Tensor, condition: Tensor) -> list[Tensor]:
        """Map (batch, channels_in, height, width) to features, finest (stride 2) first.

        Height and width must be multiples of the coarsest stride.
        """
        h = self.stages[0](self.stem(functional.pixel_unshuffle(x, 2)), condition)
        features = [h]
        for down, stage in zip(self.downs, list(self.stages)[1:], strict=True):
            h = stage(down(h), condition)
            features.append(h)
        return features
