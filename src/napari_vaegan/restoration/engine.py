"""From an observation to mean, expected error and samples: whole or in tiles, the same for every task."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from napari_vaegan.networks.latent_flow import EVALUATIONS, transport
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import Observation, observe_nothing
from napari_vaegan.observation.projections import project, project_residual
from napari_vaegan.restoration.latent_noise import Noise
from napari_vaegan.restoration.progress import OnProgress, no_progress, part_of
from napari_vaegan.restoration.tiles import HALO, TILE, Tile, plan_tiles
from napari_vaegan.training.device import is_out_of_memory, number_format

Result = TypeVar("Result")

BATCH_PIXELS = 2**18
"""Pixels of samples that a GPU computes at once."""

SMALLEST_TILE = 96

MEAN_WORK = 3.0
"""How many samples take as long as the mean does, its features and its decoder half of that each."""

TILE_BYTES = 12
"""Memory of the networks at work, for each pixel of a window and feature channel of their finest stride, as measured."""


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
        self, observation: Observation, samples: int, noise: Noise, on_progress: OnProgress = no_progress
    ) -> Estimate:
        """Estimate one plane.

        Parameters
        ----------
        observation
            Of one plane (batch of 1).
        samples
            How many samples to draw; 0: the mean alone.
        noise
            Source of their latents.
        on_progress
            Told the share of the plane that is done, several times a tile; raise from it to stop.

        Notes
        -----
        When memory is short the tile is halved, and stays so, and the plane is begun again.
        """
        return self._halving(lambda: self._estimate(observation, samples, noise, on_progress))

    def generate(self, shape: tuple[int, int], count: int, noise: Noise, on_progress: OnProgress = no_progress) -> Tensor:
        """Draw images of which nothing is observed, each the middle of a larger field: (count, channels, height, width).

        Parameters
        ----------
        shape
            Height and width of the images.
        count
            How many.
        noise, on_progress
            As in ``estimate``.
        """
        nothing = observe_nothing(torch.zeros(1, self.networks.channels, *self.field(shape)))
        rows, columns = (slice(self.networks.margin, self.networks.margin + side) for side in shape)
        return self.estimate(nothing, count, noise, on_progress).samples[..., rows, columns]

    def field(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the field that a generated image of some height and width is the middle of."""
        height, width = (side + 2 * self.networks.margin for side in shape)
        return height, width

    @torch.inference_mode()
    def encode(self, truth: Tensor, on_progress: OnProgress = no_progress) -> list[Tensor]:
        """Return the latent noise of a whole plane, as ``Generator.encode`` does of a window.

        Parameters
        ----------
        truth
            (1, channels, height, width).
        on_progress
            As in ``estimate``.

        Returns
        -------
        list of Tensor
            (latents, height / stride, width / stride) a level, of sides that are padded to whole strides.
        """
        return self._halving(lambda: self._encode(truth, on_progress))

    @torch.inference_mode()
    def transport(
        self, noise: Sequence[Tensor], kept: Sequence[Tensor] = (), on_progress: OnProgress = no_progress
    ) -> list[Tensor]:
        """Turn normal noise into latents as real images have them, by the flow, if one was learned.

        Parameters
        ----------
        noise
            Of whole planes, (batch, latents, height / stride, width / stride) a level, coarsest first, without texture.
        kept
            Latents of the coarsest levels that are given, of the same shapes: the others are drawn to them.
        on_progress
            As in ``estimate``.
        """
        if not self.networks.flow.learned:
            return [*kept, *noise[len(kept) :]]
        return self._halving(lambda: self._transport(noise, kept, on_progress))

    def _halving(self, work: Callable[[], Result]) -> Result:
        """Work; when memory is short halve the tile, which stays so, and begin again."""
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.tile <= SMALLEST_TILE:
                    raise
                self.tile = max(SMALLEST_TILE, self.tile // 2 // SMALLEST_TILE * SMALLEST_TILE)

    def memory(self, samples: int, height: int, width: int) -> int:
        """Return about how many bytes of main memory an estimate of a plane takes, with the observation that it is of."""
        channels = self.networks.channels
        plane = 4 * height * width * (channels * (samples + 2) + 2 * (2 * channels + 2))
        if self.device.type != "cpu":
            return plane
        seen = min(height, self.tile + 2 * self.halo) * min(width, self.tile + 2 * self.halo)
        return plane + TILE_BYTES * seen * self.networks.encoder.stem.out_channels

    def _estimate(self, observation: Observation, samples: int, noise: Noise, on_progress: OnProgress) -> Estimate:
        channels, height, width = observation.image.shape[1:]
        padded = self._pad(observation)
        tall, wide = padded.image.shape[-2:]
        tiles = plan_tiles(tall, wide, self.tile, self.halo)
        mean, log_error = torch.empty(channels, tall, wide), torch.empty(channels, tall, wide)
        drawn = torch.empty(samples, channels, tall, wide)
        for done, tile in enumerate(tiles):
            kept = (..., *tile.kept)
            mean[kept], log_error[kept], drawn[kept] = self._estimate_tile(
                padded, tile, samples, noise, part_of(on_progress, done, len(tiles))
            )
        inner = (..., slice(height), slice(width))
        return Estimate(mean[inner], log_error[inner], drawn[inner], len(tiles))

    def _encode(self, truth: Tensor, on_progress: OnProgress) -> list[Tensor]:
        generator, stride = self.networks.generator, self.networks.stride
        height, width = truth.shape[-2:]
        padded = functional.pad(truth, (0, -width % stride, 0, -height % stride), mode="replicate")
        tall, wide = padded.shape[-2:]
        whole = [
            torch.empty(channels, tall // step, wide // step)
            for channels, step in zip(generator.latents, generator.strides, strict=True)
        ]
        tiles = plan_tiles(tall, wide, self.tile, self.halo)
        for done, tile in enumerate(tiles):
            window = padded[(..., *tile.window)].to(self.device)
            with number_format(self.device, self.precision):
                nothing = self.networks.see_nothing(*window.shape[-2:])
                truth_features = self.networks.see_truth(window)
                on_progress((done + 0.5) / len(tiles))
                levels = generator.encode(nothing, truth_features, self.networks.no_condition(1))
            for level, part, step in zip(whole, levels, generator.strides, strict=True):
                level[(..., *_on_grid(tile.kept, step))] = part[0][(..., *_on_grid(tile.inner, step))].float().cpu()
            on_progress((done + 1) / len(tiles))
        return whole

    def _transport(self, noise: Sequence[Tensor], kept: Sequence[Tensor], on_progress: OnProgress) -> list[Tensor]:
        strides = self.networks.generator.strides
        tall, wide = (side * strides[0] for side in noise[0].shape[-2:])
        # The flow works on no finer grid than a quarter: tiles of twice the side take no more memory than others do.
        tiles = plan_tiles(tall, wide, 2 * self.tile, 2 * self.halo)
        flow = self.networks.flow
        ends = flow.standardised(kept)
        straight = [end - begin for begin, end in zip(noise, ends, strict=False)]  # what is given comes there in any case
        done = 0

        def velocity(levels: Sequence[Tensor], time: Tensor) -> list[Tensor]:
            nonlocal done
            whole = [torch.empty_like(level) for level in levels]
            for tile in tiles:
                window = [
                    level[(..., *_on_grid(tile.window, step))].to(self.device)
                    for level, step in zip(levels, strides, strict=False)
                ]
                with number_format(self.device, self.precision):
                    moved = flow(window, time.to(self.device))
                for level, part, step in zip(whole, moved, strides, strict=False):
                    level[(..., *_on_grid(tile.kept, step))] = part[(..., *_on_grid(tile.inner, step))].cpu()
                done += 1
                on_progress(min(1.0, done / (EVALUATIONS * len(tiles))))
            return [*straight, *whole[len(straight) :]]

        return [*kept, *flow.restored(transport(velocity, noise))[len(kept) :]]

    def _pad(self, observation: Observation) -> Observation:
        """Repeat the border until the sides are multiples of the networks' stride and of whole blocks."""
        unit = math.lcm(self.networks.stride, int(observation.factor[0]))
        height, width = observation.image.shape[-2:]
        padding = (0, -width % unit, 0, -height % unit)
        image, known, noise, estimate = (
            functional.pad(part, padding, mode="replicate")
            for part in (observation.image, observation.known, observation.noise, observation.estimate)
        )
        return replace(observation, image=image, known=known, noise=noise, estimate=estimate)

    def _estimate_tile(
        self, padded: Observation, tile: Tile, samples: int, noise: Noise, on_progress: OnProgress
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean, log error and samples of the part of a tile that is kept; samples are drawn a few at a time."""
        seen = padded.window(*tile.window).to(self.device)
        kept = seen.window(*tile.inner)
        inner = (..., *tile.inner)
        condition = padded.condition.to(self.device)
        several = self.planes_at_once(*seen.image.shape[-2:])
        row, column = (window.start for window in tile.window)
        drawn = torch.empty(samples, *kept.image.shape[1:])
        work = MEAN_WORK + samples
        with number_format(self.device, self.precision):
            features = self.networks.see(seen.estimate, seen.known, seen.noise, condition)
            on_progress(MEAN_WORK / 2 / work)
            mean, log_error = self.networks.mean(seen.estimate, features, condition)
            mean = project(mean[inner], kept)
            on_progress(MEAN_WORK / work)
            for begin in range(0, samples, several):
                indices = range(begin, min(samples, begin + several))
                draw = noise(indices, self.networks.generator.strides, row, column)
                copies = [feature.expand(len(indices), *feature.shape[1:]) for feature in features]
                residual = self.networks.generator.sample(copies, condition.expand(len(indices), -1), draw)
                residual = project_residual(residual[inner].float(), _copies(kept, len(indices)))
                drawn[indices.start : indices.stop] = (mean + residual).cpu()
                on_progress((MEAN_WORK + indices.stop) / work)
        return mean[0].cpu(), log_error[0][inner].cpu(), drawn

    def planes_at_once(self, height: int, width: int) -> int:
        """Return the size of a batch: one on a CPU, whose sums depend on it in their last bits, and gain next to nothing."""
        return 1 if self.device.type == "cpu" else max(1, BATCH_PIXELS // (height * width))


def _copies(observation: Observation, count: int) -> Observation:
    return observation.select(torch.zeros(count, dtype=torch.long, device=observation.image.device))


def _on_grid(sides: tuple[slice, slice], stride: int) -> tuple[slice, slice]:
    """Return slices of pixels as slices of latents of that stride."""
    rows, columns = (slice(side.start // stride, side.stop // stride) for side in sides)
    return rows, columns
