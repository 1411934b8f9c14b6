"""The generator's last part: from features at stride 2, and noise of one number a pixel, to the image."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from napari_vaegan.networks.blocks import Upsample, zero_convolution
from napari_vaegan.networks.presets import TEXTURE_STRIDE


class FullResolution(nn.Module):
    """Features are interpolated, texture is added, and two convolutions of full resolution make the image.

    Features shuffled to pixels as the last operation left a grid of two pixels in bright objects, which no training took
    away: every pixel of four had weights of its own (Odena et al. 2016 describe such grids). Here all share theirs.

    Parameters
    ----------
    channels
        Image channels.
    width
        Feature channels at stride 2; there are half as many at full resolution.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.up = Upsample(width, width // 2)
        self.texture = zero_convolution(channels, width // 2, 1)
        self.mix = nn.Conv2d(width // 2, width // 2, 3, padding=1)
        self.residual = zero_convolution(width // 2, channels)

    def forward(self, h: Tensor, grain: Tensor | None) -> Tensor:
        """Map (batch, width, height, width) to the residual (batch, channels, 2 height, 2 width).

        ``grain``, (batch, 4 * channels, height, width), is noise of one number a pixel and channel; without it there is no
        texture.
        """
        h = self.up(h)
        if grain is not None:
            h = h + self.texture(functional.pixel_shuffle(grain, TEXTURE_STRIDE))
        residual: Tensor = self.residual(functional.silu(self.mix(functional.silu(h))))
        return residual
