"""Encoder, mean decoder, generator and the flow over its latents as one module: what a model file holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_vaegan.networks.encoder import Encoder
from napari_vaegan.networks.generator import DrawNoise, Generator
from napari_vaegan.networks.latent_flow import LatentFlow, transport
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
        self.flow = LatentFlow(self.generator.latents[:-1], [width for width in reversed(architecture.flow_widths) if width])

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

    def normal_noise(self, count: int, height: int, width: int) -> list[Tensor]:
        """Return normal noise for the latents of all levels, coarsest first, of images of that size in pixels."""
        levels = list(zip(self.generator.latents, self.generator.strides, strict=True))[:-1]  # texture is none of them
        device = self.generator.start.device
        return [torch.randn(count, channels, height // step, width // step, device=device) for channels, step in levels]

    def unobserved_noise(self, count: int, height: int, width: int) -> DrawNoise:
        """Return what the generator draws images from of which nothing is observed: noise that the flow has moved."""
        moved = transport(self.flow, self.normal_noise(count, height, width))
        return lambda level, like: moved[level] if level < len(moved) else torch.randn_like(like)
