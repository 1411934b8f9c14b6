"""Encoder, mean decoder, generator and the flow over its latents as one module: what a model file holds."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from napari_vaegan.networks.encoder import Encoder
from napari_vaegan.networks.generator import DrawNoise, Generator, with_texture
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

    @property
    def margin(self) -> int:
        """Pixels to draw beyond every edge of a generated image: what one of the coarsest latents covers.

        Real images are cut out of a larger field of view. Drawn to the edge and no further, generated ones had an empty
        frame, and were further from real ones (docs/trials.md).
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
        return self.see(truth, known, torch.zeros_like(known), self.no_condition(len(truth)))

    def no_condition(self, count: int) -> Tensor:
        """Return the conditions (count, condition_size) of observations of nothing, or of everything."""
        return self.generator.start.new_zeros(count, self.condition_size)

    def see_nothing(self, height: int, width: int) -> list[Tensor]:
        """Return the features of one observation of nothing, finest first: they tell where an image of that size ends."""
        nothing = self.generator.start.new_zeros(1, self.channels, height, width)
        return self.see(nothing, nothing[:, :1], nothing[:, :1], self.no_condition(1))

    def mean(self, estimate: Tensor, features: list[Tensor], condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the image of least squared error and the log of its expected squared error, of the image's shape."""
        correction, log_error = self.mean_decoder(features, condition)
        return estimate + correction.float(), log_error.float()

    def normal_noise(self, count: int, height: int, width: int) -> list[Tensor]:
        """Return normal noise for the latents of all levels, coarsest first, of images of that size in pixels."""
        levels = list(zip(self.generator.latents, self.generator.strides, strict=True))[:-1]  # texture is none of them
        device = self.generator.start.device
        return [torch.randn(count, channels, height // step, width // step, device=device) for channels, step in levels]

    def infer(self, truth: Tensor, spread: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Return the latents of whole images, as if nothing had been observed: the posterior's mean, or drawn from it.

        Parameters
        ----------
        truth
            (batch, channels, height, width).
        spread
            ``normal_noise`` of that size, by which what is drawn differs from the posterior's mean; None: the mean.

        Returns
        -------
        list of Tensor
            As ``normal_noise``: noise from which the generator draws nearly the same images.
        """
        count, _, height, width = truth.shape
        features = _repeated(self.see_nothing(height, width), count)
        draw = None if spread is None else with_texture(spread)
        noise = self.generator.encode(features, self.see_truth(truth), self.no_condition(count), draw)
        return [level.float() for level in noise[:-1]]  # the texture is never inferred

    def unobserved_noise(self, count: int, height: int, width: int) -> DrawNoise:
        """Return what images are drawn from of which nothing is observed: noise that the flow, once learned, has moved."""
        noise = self.normal_noise(count, height, width)
        return with_texture(self.flow.restored(transport(self.flow, noise)) if self.flow.learned else noise)


def _repeated(features: list[Tensor], count: int) -> list[Tensor]:
    return [feature.expand(count, *feature.shape[1:]) for feature in features]
