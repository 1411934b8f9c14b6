"""From an observation to mean, expected error and samples: whole or in tiles, the same for every task."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import Observation
from napari_vaegan.observation.projections import project, project_residual
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.tiles import HALO, TILE, Tile, plan_tiles
from napari_vaegan.training.device import is_out_of_memory, number_format

BATCH_PIXELS = 2**18
"""Pixels of samples that are computed at once."""

SMALLEST_TILE = 96


@dataclass(frozen=True)
class Estimate:
    """What the networks make of one observed plane, in scaled intensities.

    Attributes
    ----------
    mean, log_error
        (channels, height, width): least squared error, and the log of its expected square.
    samples
        (samples, channels, height, width).
    tiles
        How many tiles it took.
    """

    mean: Tensor
    log_error: Tensor
    samples: Tensor
    tiles: int


@dataclass
class Engine:
    """Runs the networks over observations of any size.

    Attributes
    ----------
    networks
        In evaluation mode, on ``device``.
    device, precision
        Where and in which number format to compute.
    tile, halo
        Side of a tile and of what is computed around it, in pixels.
    """

    networks: VaeGan
    device: torch.device
    precision: torch.dtype
    tile: int = TILE
    halo: int = HALO

    @torch.inference_mode()
    def estimate(
        self,
        observation: Observation,
        samples: int,
        seed: int,
        plane: int = 0,
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> Estimate:
        """Estimate one plane.

        Parameters
        ----------
        observation
            Of one plane (batch of 1).
        samples
            How many samples to draw; 0: the mean alone.
        seed, plane
            Key of the samples.
        on_progress
            Told the share that is done after each tile; raise from it to stop.

        Notes
        -----
        When memory is short the tile is halved, and stays so, and the plane is begun again.
        """
        while True:
            try:
                return self._estimate(observation, samples, seed, plane, on_progress)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.tile <= SMALLEST_TILE:
                    raise
                self.tile = max(SMALLEST_TILE, self.tile // 2 // SMALLEST_TILE * SMALLEST_TILE)

    def _estimate(
        self, observation: Observation, samples: int, seed: int, plane: int, on_progress: Callable[[float], None]
    ) -> Estimate:
        channels, height, width = observation.image.shape[1:]
        padded = self._pad(observation)
        tall, wide = padded.image.shape[-2:]
        tiles = plan_tiles(tall, wide, self.tile, self.halo)
        mean, log_error = torch.empty(channels, tall, wide), torch.empty(channels, tall, wide)
        drawn = torch.empty(samples, channels, tall, wide)
        for done, tile in enumerate(tiles, start=1):
            kept = (..., *tile.kept)
            mean[kept], log_error[kept], drawn[kept] = self._estimate_tile(padded, tile, samples, seed, plane)
            on_progress(done / len(tiles))
        inner = (..., slice(height), slice(width))
        return Estimate(mean[inner], log_error[inner], drawn[inner], len(tiles))

    def _pad(self, observation: Observation) -> Observation:
        """Repeat the border until the sides are multiples of the networks' stride and of whole blocks."""
        unit = math.lcm(self.networks.stride, int(observation.factor[0]))
        height, width = observation.image.shape[-2:]
        padding = (0, -width % unit, 0, -height % unit)
        image, known, noise, estimate = (
            functional.pad(part, padding, mode="replicate")
            for part in (observation.image, observation.known, observation.noise, observation.estimate)
        )
        return Observation(image, known, noise, estimate, observation.factor, observation.rounding)

    def _estimate_tile(
        self, padded: Observation, tile: Tile, samples: int, seed: int, plane: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean, log error and samples of the part of a tile that is kept; samples are drawn a few at a time."""
        seen = padded.window(*tile.window).to(self.device)
        kept = seen.window(*tile.inner)
        inner = (..., *tile.inner)
        condition = padded.condition.to(self.device)
        several = max(1, BATCH_PIXELS // seen.image[0, 0].numel())
        row, column = (window.start for window in tile.window)
        drawn = torch.empty(samples, *kept.image.shape[1:])
        with number_format(self.device, self.precision):
            features = self.networks.see(seen.estimate, seen.known, seen.noise, condition)
            mean, log_error = self.networks.mean(seen.estimate, features, condition)
            mean = project(mean[inner], kept)
            for begin in range(0, samples, several):
                indices = range(begin, min(samples, begin + several))
                draw = placed_noise(seed, plane, indices, self.networks.generator.strides, row, column)
                copies = [feature.expand(len(indices), *feature.shape[1:]) for feature in features]
                residual = self.networks.generator.sample(copies, condition.expand(len(indices), -1), draw)
                residual = project_residual(residual[inner].float(), _copies(kept, len(indices)))
                drawn[indices.start : indices.stop] = (mean + residual).cpu()
        return mean[0].cpu(), log_error[0][inner].cpu(), drawn


def _copies(observation: Observation, count: int) -> Observation:
    return observation.select(torch.zeros(count, dtype=torch.long, device=observation.image.device))
