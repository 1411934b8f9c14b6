"""The discriminator: whether an image looks real, given what was observed of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

VERDICT_GAIN = 10.0
"""Scale of the logits: with every layer's norm bounded by one they would hardly leave zero, and teach next to nothing."""

NEIGHBOURHOOD = 5
"""Pixels across, of whose mean a detail differs."""

SMALLEST_DETAIL = 1e-4
"""In scaled units: images whose details are mostly zero have no typical one."""

DETAIL_GAIN = 0.3
"""Brings the scaled details to the range of the images."""

DETAIL_MEMORY = 0.99
"""Of the running scale of details, a batch."""


def batch_deviation(x: Tensor) -> Tensor:
    """Append a channel that holds the standard deviation over the batch (Karras et al. 2018): too alike is a give-away."""
    deviation = (x.var(dim=0, unbiased=False) + 1e-8).sqrt().mean()
    return torch.cat([x, deviation.expand(len(x), 1, *x.shape[2:])], dim=1)


def details(images: Tensor) -> Tensor:
    """Return how pixels differ from the mean of their neighbourhood, of the shape of the images."""
    side = NEIGHBOURHOOD // 2
    around = functional.pad(images, (side, side, side, side), mode="reflect")
    return images - functional.avg_pool2d(around, NEIGHBOURHOOD, stride=1)


class Discriminator(nn.Module):
    """A patch critic that judges at several strides, conditioned on the observation.

    Beside every image it sees its details, in units of the typical detail of real images: in microscopy the grain of a dark
    background is a hundredth of the contrast of a nucleus, and a critic of the image alone is blind to it (docs/trials.md).

    Attributes
    ----------
    detail_scale
        (channels, 1, 1): the running median of the size of details of real images; 0 before the first.

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

        entries = [3 * channels + 1, *widths[:-1]]
        self.detail_scale: Tensor
        self.register_buffer("detail_scale", torch.zeros(channels, 1, 1))
        self.downs = nn.ModuleList(convolution(a, b, 4, stride=2) for a, b in zip(entries, widths, strict=True))
        self.mixes = nn.ModuleList(convolution(width, width, 3) for width in widths[1:])
        last = len(widths) - 2
        self.verdicts = nn.ModuleList(convolution(width + (index == last), 1, 3) for index, width in enumerate(widths[1:]))

    @torch.no_grad()
    def adapt(self, real: Tensor) -> None:
        """Take in how large the details of real images (batch, channels, height, width) are."""
        typical = details(real).abs().transpose(0, 1).flatten(1).median(dim=1).values[:, None, None]
        known = self.detail_scale > 0
        self.detail_scale.copy_(torch.where(known, typical.lerp(self.detail_scale, DETAIL_MEMORY), typical))

    def scaled_details(self, image: Tensor) -> Tensor:
        """Return the details of images in units of the typical one, large ones compressed; of the shape of the images."""
        return torch.asinh(details(image.float()) / self.detail_scale.clamp(min=SMALLEST_DETAIL))

    def view(self, image: Tensor) -> Tensor:
        """Return what is seen of images: themselves, and their details, (batch, 2 * channels, height, width)."""
        return torch.cat([image, DETAIL_GAIN * self.scaled_details(image)], dim=1)

    def forward(self, view: Tensor, seen: Tensor, known: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Judge images.

        Parameters
        ----------
        view
            (batch, 2 * channels, height, width): of a real image or a sample, see ``view``.
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
        h = functional.leaky_relu(self.downs[0](torch.cat([view, seen * (known > 0), known], dim=1)), 0.2)
        verdicts, features = [], []
        for down, mix, verdict in zip(list(self.downs)[1:], self.mixes, self.verdicts, strict=True):
            h = functional.leaky_relu(down(h), 0.2)
            h = functional.leaky_relu(mix(h), 0.2)
            features.append(h)
            coarsest = verdict is self.verdicts[-1]
            verdicts.append(VERDICT_GAIN * verdict(batch_deviation(h) if coarsest else h))
        return verdicts, features
