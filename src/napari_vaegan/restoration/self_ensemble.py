"""A better estimate for eight times the work: the average over the flips and quarter turns of what was observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from napari_vaegan.observation.observation import Observation
from napari_vaegan.restoration.engine import MEAN_WORK, Engine, Estimate
from napari_vaegan.restoration.latent_noise import Noise
from napari_vaegan.restoration.progress import OnProgress, no_progress


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay an image on its grid.

    Attributes
    ----------
    turns
        Quarter turns.
    flipped
        Whether it is mirrored before it is turned.
    """

    turns: int
    flipped: bool

    def of(self, image: Tensor) -> Tensor:
        """Return an image (..., height, width) so laid."""
        return torch.rot90(image.flip(-1) if self.flipped else image, self.turns, (-2, -1))

    def undo(self, image: Tensor) -> Tensor:
        """Return an image so laid as it was before."""
        turned_back = torch.rot90(image, -self.turns, (-2, -1))
        return turned_back.flip(-1) if self.flipped else turned_back

    def of_observation(self, observation: Observation) -> Observation:
        """Return an observation so laid; blocks whose means were observed come to lie on blocks."""
        parts = {name: self.of(getattr(observation, name)) for name in ("image", "known", "noise", "estimate")}
        return replace(observation, **parts)


ORIENTATIONS = tuple(Orientation(turns, flipped) for flipped in (False, True) for turns in range(4))
"""The upright one first."""


def estimate_best(
    engine: Engine, observation: Observation, samples: int, noise: Noise, on_progress: OnProgress = no_progress
) -> Estimate:
    """Average the means of all eight orientations (self-ensemble, Timofte et al. 2016); see ``Engine.estimate``.

    Nothing tells the networks which way is up, so what the eight disagree in is error. Samples are those of the upright
    image about the better mean, and the expected error is that of the upright image: rather too large.
    """
    pieces = _pieces(samples, on_progress)
    upright = engine.estimate(observation, samples, noise, next(pieces))
    total, tiles = upright.mean.clone(), upright.tiles
    for orientation, piece in zip(ORIENTATIONS[1:], pieces, strict=True):
        turned = engine.estimate(orientation.of_observation(observation), 0, noise, piece)
        total += orientation.undo(turned.mean)
        tiles += turned.tiles
    mean = total / len(ORIENTATIONS)
    return Estimate(mean, upright.log_error, upright.samples + (mean - upright.mean), tiles)


def _pieces(samples: int, on_progress: OnProgress) -> Iterator[OnProgress]:
    """Return listeners to the progress of every orientation, the upright one with the samples first."""
    works = [MEAN_WORK + samples, *[MEAN_WORK] * len(ORIENTATIONS[1:])]
    done = 0.0
    for work in works:

        def tell(share: float, done: float = done, work: float = work) -> None:
            on_progress((done + share * work) / sum(works))

        yield tell
        done += work
