"""What a training needs of this machine, measured on a few patches before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import psutil
import torch
from torch import Tensor

from napari_vaegan.config import TrainingConfig
from napari_vaegan.images.collection import Plane
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.networks.presets import ARCHITECTURES
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import kinds_of
from napari_vaegan.observation.observation import CONDITION_SIZE
from napari_vaegan.training.batches import BatchSize, BatchSource
from napari_vaegan.training.device import choose_precision, flushed_denormals, is_out_of_memory, number_format
from napari_vaegan.training.interruption import interruptible
from napari_vaegan.training.players import Players
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.stages import Stage, method_stages
from napari_vaegan.training.training import VALIDATIONS

_FEW, _MORE = 2, 8
"""Patches of the two measurements: a step costs something by itself, and something for each pixel."""

_LARGEST_SIDE = 64

_VALIDATION_PIXELS = 3 * 16 * 64**2
"""A validation has no backward pass but many samples to draw: it was measured to take as long as a step of the first stage
on so many pixels."""

_SHORTEST_SECONDS = 0.25
_PROBED_PLANES = 8

_COPIES = 6
"""Of the VAE's weights: themselves, gradient, two moments, running average, best average."""

_DISCRIMINATOR_COPIES = 4

_BACKWARD = 1.5
"""Peak of forward and backward pass over what the forward pass keeps, measured at 1.2 to 1.6."""

_LIBRARY_BYTES = 150_000_000
"""What torch takes for itself when it is first used."""

_HALFWAY = Progress(stage=0.75, total=0.5, step=0)
"""All latents are open, patches are grown, and the step is one with the whole VAE: the largest."""


@dataclass(frozen=True)
class StageCost:
    """What a step of a stage costs: its share of the training, and seconds."""

    share: float
    seconds: float


@dataclass(frozen=True)
class Estimate:
    """What a training needs.

    Attributes
    ----------
    parameters : int
        Of the model: encoder, mean decoder, generator and flow.
    memory_bytes : int
        On the device, without the images.
    stages : tuple of StageCost
        Empty if memory is too short to measure them.
    validation_seconds : float
        Of one validation.
    """

    parameters: int
    memory_bytes: int
    stages: tuple[StageCost, ...] = ()
    validation_seconds: float = 0.0

    def steps_in(self, seconds: float) -> int | None:
        """Return how many steps fit into a time, validations beside; None if no step was measured."""
        if not self.stages:
            return None
        left = max(0.0, seconds - (VALIDATIONS + 1) * self.validation_seconds)
        return max(1, round(left * sum(stage.share / stage.seconds for stage in self.stages)))

    def seconds_for(self, steps: int) -> float | None:
        """Return how long so many steps take, validations included; None if no step was measured."""
        if not self.stages:
            return None
        validations = min(VALIDATIONS, steps) + 1
        return steps * sum(stage.share * stage.seconds for stage in self.stages) + validations * self.validation_seconds


def available_memory(device: torch.device) -> int:
    """Return the free bytes of a device's memory."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def estimate_training(
    planes: Sequence[Plane],
    channels: int,
    config: TrainingConfig,
    device: torch.device,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Estimate:
    """Make real steps on a few patches, and conclude from them what the whole training needs.

    Every stage makes a step on two and on eight patches of at most 64² pixels. Time, and the bytes that the forward pass
    keeps for the backward pass, are straight lines in the number of pixels, drawn on to the batch that will be trained on.
    Memory is that, half as much again for gradients and workspaces, and the copies of the weights that optimisers,
    running average and best average hold. Beside trainings of the presets tiny, small and base on one core, with batches
    of 4 to 64 patches, both were right within a factor of 1.5.

    Parameters
    ----------
    planes
        To draw patches from; the first few are enough.
    channels
        Image channels.
    config
        How to train.
    device
        Where.
    on_progress
        Told the share that is done, many times a step; raise from it to stop.

    Returns
    -------
    Estimate
        Without times, and with the memory of the weights alone, if even the few patches need more than there is.
    """
    parameters, weights_bytes = _weights(config, channels)
    without_steps = Estimate(parameters, weights_bytes + _LIBRARY_BYTES)
    if weights_bytes > available_memory(device):
        return without_steps
    share = 0.0

    def tell() -> bool:
        on_progress(share)
        return False

    # The random numbers are given back as they were: a check changes nothing.
    with (
        torch.random.fork_rng(devices=[]),
        flushed_denormals(),
    ):
        try:
            probe = _Probe(planes[:_PROBED_PLANES], channels, config, device)
            lines = []
            with interruptible(probe.players.modules, tell):
                probe.warm_up()
                for stage in probe.stages:
                    lines.append(probe.measure(stage))
                    share = len(lines) / len(probe.stages)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return without_steps
    seconds, kept_bytes = zip(
        *(line.at(_pixels(stage)) for stage, line in zip(probe.stages, lines, strict=True)), strict=True
    )
    costs = tuple(StageCost(stage.share, each) for stage, each in zip(probe.stages, seconds, strict=True))
    memory = weights_bytes + _LIBRARY_BYTES + round(_BACKWARD * max(kept_bytes))
    return Estimate(parameters, memory, costs, lines[0].at(_VALIDATION_PIXELS)[0])


def _pixels(stage: Stage) -> int:
    """Return the pixels of a batch of the stage."""
    return stage.batch_size(_HALFWAY).pixels


def _weights(config: TrainingConfig, channels: int) -> tuple[int, int]:
    """Return the model's parameters, and the bytes of all copies of all weights, without taking memory for them."""
    architecture = ARCHITECTURES[config.preset]
    with torch.device("meta"):
        networks = VaeGan(channels, architecture, CONDITION_SIZE)
        discriminator = Discriminator(channels, architecture.discriminator_widths, spectral_normalisation=False)
    parameters, judging = (sum(weight.numel() for weight in net.parameters()) for net in (networks, discriminator))
    return parameters, 4 * (_COPIES * parameters + _DISCRIMINATOR_COPIES * judging)


@dataclass(frozen=True)
class _Line:
    """What was measured on batches of so many pixels: (seconds, bytes) of each."""

    pixels: tuple[int, ...]
    measured: tuple[tuple[float, int], ...]

    def at(self, pixels: int) -> tuple[float, float]:
        """Draw the line on to a batch of so many pixels; it never falls."""
        share = (pixels - self.pixels[0]) / (self.pixels[1] - self.pixels[0])
        seconds, bytes_ = (few + share * max(0.0, more - few) for few, more in zip(*self.measured, strict=True))
        return seconds, bytes_


class _Probe:
    """A training of a few steps, of which time and memory are taken."""

    def __init__(self, planes: Sequence[Plane], channels: int, config: TrainingConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.precision = choose_precision(config.precision, device)
        self.kinds = kinds_of(config.tasks)
        self.sampler = PatchSampler(planes, config.seed)
        self.source = BatchSource(self.sampler, self.kinds, np.random.default_rng(config.seed))
        self.players = Players(config, channels, self.kinds, device)
        self.stages = method_stages(config, self.source.unconditional)
        self._weights = {
            weight.untyped_storage().data_ptr()
            for network in (self.players.networks, self.players.discriminator)
            for weight in network.parameters()
        }

    def warm_up(self) -> None:
        """Make a step that pays for what is loaded and planned once."""
        self._step(self.stages[0], self._size(self.stages[0], _FEW))

    @property
    def _side(self) -> int:
        return min(self.config.patch_size, _LARGEST_SIDE)

    def measure(self, stage: Stage) -> _Line:
        """Return how seconds and kept bytes of a step of the stage grow with the batch."""
        sizes = tuple(self._size(stage, count) for count in (_FEW, _MORE))
        return _Line(tuple(size.pixels for size in sizes), tuple(self._fastest(stage, size) for size in sizes))

    def _size(self, stage: Stage, count: int) -> BatchSize:
        """Return the size of a batch of so many patches that is composed as the stage's are."""
        size = stage.batch_size(_HALFWAY)
        if size.count == 0:
            return BatchSize(0, self._side, count)
        return BatchSize(count, self._side, round(count * size.unobserved / size.count))

    def _fastest(self, stage: Stage, size: BatchSize) -> tuple[float, int]:
        """Return seconds and bytes of the fastest step; short ones are repeated, as their times vary most."""
        steps = [self._step(stage, size)]
        while sum(seconds for seconds, _ in steps) < _SHORTEST_SECONDS:
            steps.append(self._step(stage, size))
        return min(steps)

    def _step(self, stage: Stage, size: BatchSize) -> tuple[float, int]:
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        begin = time.perf_counter()
        with (
            torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
            number_format(self.device, self.precision),
            self.players.beside.halved_threads(),
        ):
            stage.step(self.players, self.source.draw(size).to(self.device), _HALFWAY)
        return time.perf_counter() - begin, sum(kept.values())
