"""From an observation to mean, expected error and samples: whole or in tiles, the same for every task."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import Observation
from napari_vaegan.observation.projections import project, project_residual
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.tiles import HALO, TILE, Tile, plan_tiles
from napari_vaegan.training.device import number_format

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
        When memory is short the tile is halved and the plane begun again.
        """
        while True:
            try:
                return self._estimate(observation, samples, seed, plane, on_progress)
            except RuntimeError as error:
                out_of_memory = isinstance(error, torch.OutOfMemoryError) or "memory" in str(error).lower()
                if not out_of_memory or self.tile <= SMALLEST_TILE:
                    raise
                self.tile = max(SMALLEST_TILE, self.tile // 2 // SMALLEST_TILE * SMALLEST_TILE)
                gc.collect()

    def _estimate(
        self, observation: Observation, samples: int, seed: int, plane: int, on_progress: Callable[[float], None]
    ) -> Estimate:
        channels, height, width = observation.image.shape[1:]
        padded = self._pad(observation)
        tiles = plan_tiles(*padded.image.shape[-2:], self.tile, self.halo)
        mean = torch.empty(channels, height, width)
        log_error = torch.empty(channels, height, width)
        drawn = torch.empty(samples, channels, height, width)
        for done, tile in enumerate(tiles, start=1):
            rows, columns = (slice(kept.start, min(kept.stop, end)) for kept, end in zip(tile.kept, (height, width), strict=True))
            if rows.start < rows.stop and columns.start < columns.stop:
                tall, wide = rows.stop - rows.start, columns.stop - columns.start
                for first, part in self._compute(padded, tile, samples, seed, plane):
                    part = part[..., :tall, :wide]
                    if first == "mean":
                        mean[:, rows, columns], log_error[:, rows, columns] = part
                    else:
                        drawn[first, :, rows, columns] = part
            on_progress(done / len(tiles))
        return Estimate(mean, log_error, drawn, len(tiles))

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

    def _compute(
        self, padded: Observation, tile: Tile, samples: int, seed: int, plane: int
    ) -> Iterator[tuple[str | slice, Tensor]]:
        """Yield mean and log error of a tile's middle, then its samples, a few at a time."""
        seen = padded.window(*tile.window).to(self.device)
        kept = seen.window(*tile.inner)
        condition = padded.condition.to(self.device)
        inner = (..., *tile.inner)
        with number_format(self.device, self.precision):
            layout = {"memory_format": torch.channels_last}
            features = self.networks.see(seen.estimate.contiguous(**layout), seen.known, seen.noise, condition)
            mean, log_error = self.networks.mean(seen.estimate, features, condition)
            mean = project(mean[inner], kept)
            yield "mean", torch.cat([mean, log_error[inner]]).cpu()
            pixels = seen.image.shape[-2] * seen.image.shape[-1]
            several = max(1, BATCH_PIXELS // pixels)
            row, column = (window.start for window in tile.window)
            for begin in range(0, samples, several):
                indices = range(begin, min(samples, begin + several))
                draw = placed_noise(seed, plane, indices, self.networks.generator.strides, row, column)
                copies = [f.expand(len(indices), *f.shape[1:]) for f in features]
                residual = self.networks.generator.sample(copies, condition.expand(len(indices), -1), draw)
                sample = mean + project_residual(residual[inner].float(), _copies(kept, len(indices)))
                yield slice(begin, begin + len(indices)), sample.cpu()


def _copies(observation: Observation, count: int) -> Observation:
    return observation.select(torch.zeros(count, dtype=torch.long, device=observation.image.device))
