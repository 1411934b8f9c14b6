"""The building blocks that encoder, decoders and discriminator are composed of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class LayerNorm2d(nn.Module):
    """Normalise every pixel over its channels, as ConvNeXt and NAFNet do.

    Statistics over space would change with the tile, and tiles must not show. There is no scale and shift: the convolution
    that follows has them, and their gradients would lose their digits in bfloat16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6, elementwise_affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape."""
        normalised: Tensor = self.norm(x.permute(0, 2, 3, 1))
        return normalised.permute(0, 3, 1, 2)


class GatedBlock(nn.Module):
    """``x + last(u * v)`` with ``u, v = mix(expand(norm(x)))``: the gated block of NAFNet (Chen et al. 2022).

    A 1×1 convolution widens, a depthwise 3×3 one mixes places, half of the channels gate the other half, and a 1×1
    convolution returns. NAFNet's pooled channel attention is left out: statistics over space would show the tiles. The
    last convolution starts at zero, so that a new block is the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = LayerNorm2d(channels)
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.mix = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels)
        self.last = zero_convolution(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape."""
        mixed = self.mix(self.expand(self.norm(x))).permute(0, 2, 3, 1)
        gate, value = mixed.chunk(2, dim=-1)  # channels last in memory: halves that are read in one go
        out: Tensor = x + self.last((gate * value).permute(0, 3, 1, 2))
        return out


class Blocks(nn.Module):
    """Several gated blocks of one width; the condition scales and shifts what enters them (FiLM, Perez et al. 2018)."""

    def __init__(self, count: int, channels: int, condition_size: int) -> None:
        super().__init__()
        self.film = nn.Linear(condition_size, 2 * channels)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        self.blocks = nn.ModuleList(GatedBlock(channels) for _ in range(count))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape, given a condition (batch, condition_size)."""
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        x = torch.addcmul(shift, x, 1 + scale)
        for block in self.blocks:
            x = block(x)
        return x


class Downsample(nn.Module):
    """Halve height and width by a strided convolution."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels_in, height, width) to (batch, channels_out, height / 2, width / 2)."""
        out: Tensor = self.conv(x)
        return out


class Upsample(nn.Module):
    """Double height and width: a 1×1 convolution, then bilinear interpolation, which leaves no checkerboard."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels_in, height, width) to (batch, channels_out, 2 height, 2 width)."""
        return functional.interpolate(self.conv(x), scale_factor=2, mode="bilinear", align_corners=False)


def zero_convolution(channels_in: int, channels_out: int, size: int = 3) -> nn.Conv2d:
    """Return a convolution that starts at zero, so that what it adds begins as nothing."""
    conv = nn.Conv2d(channels_in, channels_out, size, padding=size // 2)
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
