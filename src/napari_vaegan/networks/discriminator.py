"""The discriminator: whether an image looks real, given what was observed of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

VERDICT_GAIN = 10.0
"""Scale of the logits: with every layer's norm bounded by one they would hardly leave zero, and teach next to nothing."""


def batch_deviation(x: Tensor) -> Tensor:
    """Append a channel that holds the standard deviation over the batch (Karras et al. 2018): too alike is a give-away."""
    deviation = (x.var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
    return torch.cat([x, deviation.expand(len(x), 1, *x.shape[2:])], dim=1)


class Discriminator(nn.Module):
    """A patch critic that judges at several strides, conditioned on the observation.

    Parameters
    ----------
    channels
        Image channels.
    widths
        Feature channels at strides 2, 4, 8, …; every stride from 4 on has its own verdict.
    spectral_normalisation
        Bound every layer's largest singular value to one (Miyato et al. 2018).
    """

    def __init__(self, channels: int, widths: Sequence[int], spectral_normalisation: bool = True) -> None:
        super().__init__()

        def convolution(channels_in: int, channels_out: int, size: int, stride: int = 1) -> nn.Module:
            conv = nn.Conv2d(channels_in, channels_out, size, stride=stride, padding=(size - 1) // 2)
            return spectral_norm(conv) if spectral_normalisation else conv

        entries = [2 * channels + 1, *widths[:-1]]
        self.downs = nn.ModuleList(convolution(a, b, 4, stride=2) for a, b in zip(entries, widths, strict=True))
        self.mixes = nn.ModuleList(convolution(width, width, 3) for width in widths[1:])
        last = len(widths) - 2
        self.verdicts = nn.ModuleList(convolution(width + (index == last), 1, 3) for index, width in enumerate(widths[1:]))

    def forward(self, image: Tensor, seen: Tensor, known: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Judge images.

        Parameters
        ----------
        image
            (batch, channels, height, width): a real one or a sample.
        seen
            (batch, channels, height, width): the observation's first estimate.
        known
            (batch, 1, height, width).

        Returns
        -------
        verdicts
            Maps of logits, one a stride from 4 on; larger is more real.
        features
            The activations at these strides: the learned similarity of Larsen et al. (2016).
        """
        h = functional.leaky_relu(self.downs[0](torch.cat([image, seen * (known > 0), known], dim=1)), 0.2)
        verdicts, features = [], []
        for down, mix, verdict in zip(list(self.downs)[1:], self.mixes, self.verdicts, strict=True):
            h = functional.leaky_relu(down(h), 0.2)
            h = functional.leaky_relu(mix(h), 0.2)
            features.append(h)
            coarsest = verdict is self.verdicts[-1]
            verdicts.append(VERDICT_GAIN * verdict(batch_deviation(h) if coarsest else h))
        return verdicts, features
