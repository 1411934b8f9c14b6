"""Batches to train on: patches, each with something observed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.images.patches import Patches, PatchSampler
from napari_vaegan.observation.degradations import Kind, degrade
from napari_vaegan.observation.noise import NoiseOfBatch
from napari_vaegan.observation.observation import Observation

SHARES = {"generate": 0.2, "inpaint": 0.25, "super-resolve": 0.25, "denoise": 0.3}
"""Share of each task in a batch; super-resolution's is divided among its factors."""


@dataclass(frozen=True)
class Batch:
    """What is learned from.

    Attributes
    ----------
    truth
        (batch, channels, size, size): the image that is sought, or one with noise that what was observed tells nothing of.
    noise
        The noise of the truth; none where it is clean.
    observation
        What was observed.
    kinds
        (batch,): the index of the kind of observation.
    """

    truth: Tensor
    noise: NoiseOfBatch
    observation: Observation
    kinds: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device."""
        return Batch(self.truth.to(device), self.noise.to(device), self.observation.to(device), self.kinds.to(device))

    def select(self, index: slice | Tensor) -> Batch:
        """Return a part of the batch."""
        return Batch(self.truth[index], self.noise.select(index), self.observation.select(index), self.kinds[index])


@dataclass(frozen=True)
class BatchSize:
    """How large a batch is.

    Attributes
    ----------
    count
        Patches of all kinds of observation in their shares.
    side
        Of a patch, in pixels.
    unobserved
        Further patches of which nothing is observed.
    """

    count: int
    side: int
    unobserved: int = 0

    @property
    def pixels(self) -> int:
        """Pixels of the batch."""
        return (self.count + self.unobserved) * self.side**2

    def reduced(self, share: float) -> BatchSize:
        """Return the size of a batch that takes less memory: a share of the patches, and two at least."""
        return replace(
            self, count=max(2, int(self.count * share)) if self.count else 0, unobserved=int(self.unobserved * share)
        )


def kind_shares(kinds: Sequence[Kind]) -> NDArray[np.float64]:
    """Return the share of each kind of observation in a batch; they sum to 1."""
    factors = [sum(other.task == kind.task for other in kinds) for kind in kinds]
    shares = np.array([SHARES[kind.task] / count for kind, count in zip(kinds, factors, strict=True)])
    total: float = shares.sum()
    return shares / total


def jitter_intensity(patches: Patches, random: np.random.Generator, left: NDArray[np.bool_]) -> Patches:
    """Stretch and shift intensities at random: an image at hand is never scaled quite as its truth would be.

    Some are left as they are: those that are to be generated, as bright as they were.
    """
    column = (len(patches.pixels), 1)
    left = left[:, None]
    gain = np.where(left, 1, np.exp(random.uniform(-0.35, 0.35, column))).astype(np.float32)
    shift = np.where(left, 0, random.uniform(-0.05, 0.05, column)).astype(np.float32)
    pixels = patches.pixels * gain[..., None, None] + shift[..., None, None]
    return replace(
        patches,
        pixels=pixels,
        zero=patches.zero * gain + shift,
        step=patches.step * gain,
        gain=patches.gain * gain,
        offset=patches.offset * gain + shift,
        read_noise=patches.read_noise * gain,
    )


def observe_batch(
    patches: Patches,
    chosen: NDArray[np.int64],
    kinds: Sequence[Kind],
    random: np.random.Generator,
    whole: bool = False,
) -> Batch:
    """Observe each patch as the kind that was chosen for it; the batch is ordered by kind. ``whole``: see ``degrade``."""
    degraded, indices = [], []
    for index, kind in enumerate(kinds):
        for noisy in (False, True):
            part = patches.select((chosen == index) & (patches.noisy == noisy))
            if len(part.pixels):
                degraded.append(degrade(part, kind, random, whole))
                indices.append(torch.full((len(part.pixels),), index))
    return Batch(
        torch.cat([part.truth for part in degraded]),
        NoiseOfBatch.join([part.noise for part in degraded]),
        Observation.join([part.observation for part in degraded]),
        torch.cat(indices),
    )


class BatchSource:
    """Draws training batches. Every batch holds every kind of observation in its share, up to rounding at random."""

    def __init__(self, sampler: PatchSampler, kinds: Sequence[Kind], random: np.random.Generator) -> None:
        self.sampler = sampler
        self.kinds = tuple(kinds)
        self.random = random
        self._edges = np.cumsum(kind_shares(kinds))

    def draw(self, size: BatchSize) -> Batch:
        """Return a batch ordered so that unconditional patches come first and the rest is mixed."""
        places = (np.arange(size.count) + self.random.uniform()) / size.count
        chosen = np.minimum(np.searchsorted(self._edges, places, side="right"), len(self.kinds) - 1)
        if self.unconditional >= 0:
            chosen = np.concatenate([np.full(size.unobserved, self.unconditional), chosen])
        patches = self.sampler.draw(len(chosen), size.side)
        patches = jitter_intensity(patches, self.random, left=chosen == self.unconditional)
        batch = observe_batch(patches, chosen, self.kinds, self.random)
        free = int((batch.kinds == self.unconditional).sum())
        rest = free + self.random.permutation(len(chosen) - free)
        return batch.select(torch.from_numpy(np.concatenate([np.arange(free), rest])))

    def state(self) -> dict[str, Any]:
        """Return the state of chance, as a value that JSON can hold."""
        return {"sampler": self.sampler.state(), "random": dict(self.random.bit_generator.state)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self.sampler.set_state(state["sampler"])
        self.random.bit_generator.state = state["random"]

    @property
    def unconditional(self) -> int:
        """Index of the kind of which nothing is observed; -1 if it is not trained."""
        tasks = [kind.task for kind in self.kinds]
        return tasks.index("generate") if "generate" in tasks else -1
