"""What training tells its listeners: frozen values; each face draws them its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Started:
    """Training is about to begin (or to go on from a checkpoint)."""

    images: int
    planes: int
    validation_planes: int
    skipped: tuple[str, ...]
    device: str
    precision: str
    parameters: int
    stages: tuple[str, ...]
    resumed_at_step: int = 0


@dataclass(frozen=True)
class StageChanged:
    """A stage of training begins."""

    stage: str
    index: int
    description: str
    step: int


@dataclass(frozen=True)
class Stepped:
    """One step was made. ``seconds_left`` is for the whole training."""

    step: int
    stage: str
    progress: float
    losses: dict[str, float]
    steps_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class Validated:
    """The running average of the weights was judged on images held apart.

    Attributes
    ----------
    psnr
        Per kind of observation, dB at the scaled span 1: of the mean.
    first_estimate_psnr
        The same of what the networks start from (interpolation, filling, the noisy image).
    gain_of_averaging
        Per kind, dB: how much nearer to the truth the average of several samples is than one of them.
    previews
        (rows, columns, Y, X, C) in scaled units: input, mean, sample, truth; a row for each kind of observation.
    generated
        (count, Y, X, C) in scaled units.
    """

    step: int
    stage: str
    psnr: dict[str, float]
    first_estimate_psnr: dict[str, float]
    gain_of_averaging: dict[str, float]
    divergences: tuple[float, ...]
    best: bool
    previews: NDArray[np.float32] = field(repr=False)
    generated: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True)
class Warned:
    """Something that the user should know, in one sentence."""

    message: str


@dataclass(frozen=True)
class CheckpointSaved:
    """Training can be resumed from here."""

    path: Path
    step: int


@dataclass(frozen=True)
class Finished:
    """Training is over."""

    step: int
    seconds: float
    stopped: bool
    psnr: dict[str, float]


Event = Started | StageChanged | Stepped | Validated | Warned | CheckpointSaved | Finished
