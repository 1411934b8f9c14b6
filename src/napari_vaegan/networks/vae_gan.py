"""Encoder, mean decoder and generator as one module: what a model file holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_vaegan.networks.encoder import Encoder
from napari_vaegan.networks.generator import Generator
from napari_vaegan.networks.mean_decoder import MeanDecoder
from napari_vaegan.networks.presets import Architecture


class VaeGan(nn.Module):
    """The conditional hierarchical VAE, whose generator is trained further against a discriminator.

    Parameters
    ----------
    channels
        Image channels.
    architecture
        Sizes of the networks.
    condition_size
        Length of the vector that tells the kind of observation.
    """

    def __init__(self, channels: int, architecture: Architecture, condition_size: int) -> None:
        super().__init__()
        self.channels = channels
        self.stride = architecture.stride
        self.condition_size = condition_size
        self.encoder = Encoder(channels + 2, architecture.widths, architecture.encoder_blocks, condition_size)
        self.mean_decoder = MeanDecoder(channels, architecture.widths, architecture.decoder_blocks, condition_size)
        self.generator = Generator(
            channels,
            architecture.generator_widths,
            architecture.widths,
            architecture.latents,
            architecture.generator_blocks,
            condition_size,
        )

    @property
    def margin(self) -> int:
        """Pixels to draw beyond every edge of a generated image: what one of the coarsest latents covers.

        Real images are cut out of a larger field of view. Drawn to the edge and no further, generated ones had an empty
        frame, and were further from real ones (docs/method.md).
        """
        return self.stride

    def see(self, estimate: Tensor, known: Tensor, noise: Tensor, condition: Tensor) -> list[Tensor]:
        """Return the features of an observation, finest first.

        Parameters
        ----------
        estimate
            (batch, channels, height, width): the observation's first estimate.
        known, noise
            (batch, 1, height, width).
        condition
            (batch, condition_size).
        """
        features: list[Tensor] = self.encoder(torch.cat([estimate, known, noise], dim=1), condition)
        return features

    def see_truth(self, truth: Tensor) -> list[Tensor]:
        """Return the features of a whole, noiseless image (batch, channels, height, width): the posterior's view."""
        known = torch.ones_like(truth[:, :1])
        condition = truth.new_zeros(len(truth), self.condition_size)
        return self.see(truth, known, torch.zeros_like(known), condition)

    def mean(self, estimate: Tensor, features: list[Tensor], condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the image of least squared error and the log of its expected squared error, of the image's shape."""
        correction, log_error = self.mean_decoder(features, condition)
        return estimate + correction.float(), log_error.float()
