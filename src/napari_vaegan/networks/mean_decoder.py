"""The deterministic decoder: the image of least squared error, and how large that error is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from napari_vaegan.networks.blocks import Blocks, Upsample, zero_convolution


class MeanDecoder(nn.Module):
    """From features to a correction of the first estimate, and the logarithm of its expected squared error.

    The latter is relative to what is usual of the kind of observation; a calibration makes it absolute.

    The error head reads the features without changing them: the mean is trained by squared error alone.

    Parameters
    ----------
    channels
        Image channels.
    widths
        Feature channels at strides 2, 4, 8, … as in the encoder.
    blocks
        Gated blocks at each of these strides.
    condition_size
        Length of the vector that tells the kind of observation.
    """

    def __init__(self, channels: int, widths: Sequence[int], blocks: Sequence[int], condition_size: int) -> None:
        super().__init__()
        self.ups = nn.ModuleList(Upsample(b, a) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            Blocks(count, width, condition_size) for count, width in zip(blocks[:-1], widths[:-1], strict=True)
        )
        self.correction = zero_convolution(widths[0], 4 * channels)
        self.error = nn.Sequential(
            nn.Conv2d(widths[0], widths[0], 1),
            nn.SiLU(),
            zero_convolution(widths[0], 4 * channels),
        )

    def forward(self, features: list[Tensor], condition: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (finest first) to correction and log squared error, each (batch, channels, height, width)."""
        h = features[-1]
        for up, stage, skip in reversed(list(zip(self.ups, self.stages, features[:-1], strict=True))):
            h = stage(up(h) + skip, condition)
        correction = functional.pixel_shuffle(self.correction(h), 2)
        log_error = functional.pixel_shuffle(self.error(h.detach()), 2)
        return correction, log_error
