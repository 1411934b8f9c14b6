"""What training tells its listeners: frozen values; each face draws them its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.training.diagnosis.findings import Diagnosis


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
    """One step was made.

    Attributes
    ----------
    progress
        Of the whole training, from 0 to 1.
    losses
        By name, those of the stage: ``mean``, ``error``, ``reconstruction``, ``kl``, ``spread`` and ``kl level 0``, … of the
        VAE; ``adversarial`` and ``feature matching`` of the generator; ``discriminator`` and ``gradient penalty`` of the
        discriminator. Steps of the adversarial game alone have those of the adversary alone. ``skipped`` is among them if a
        gradient was not finite.
    seconds_left
        For the whole training.
    """

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
    """

    step: int
    stage: str
    psnr: dict[str, float]
    first_estimate_psnr: dict[str, float]
    gain_of_averaging: dict[str, float]
    divergences: tuple[float, ...]
    best: bool


@dataclass(frozen=True)
class Diagnosed:
    """The training was examined for what can go wrong, as it was validated.

    Attributes
    ----------
    diagnosis
        What was measured and found.
    repairs
        What was done about it, a sentence each; they are told as ``Warned``, too.
    """

    step: int
    stage: str
    diagnosis: Diagnosis
    repairs: tuple[str, ...]

    @property
    def watched(self) -> tuple[str, ...]:
        """What is wrong and was left as it is for now, a sentence each; a repair begins with the finding that it mends."""
        found = [finding.sentence for finding in self.diagnosis.findings]
        left = [sentence for sentence in found if not any(repair.startswith(sentence) for repair in self.repairs)]
        return tuple(f"{sentence}: this is watched." for sentence in left)


@dataclass(frozen=True)
class Previewed:
    """Pictures of what the running average of the weights makes of images held apart: now and then, and as it is judged.

    Attributes
    ----------
    kinds
        The kinds of observation, one a row of ``previews``.
    previews
        (rows, columns, Y, X, C) in scaled units; the columns are input, mean, sample and truth.
    generated
        (count, Y, X, C) in scaled units; empty if generation is not trained.
    """

    step: int
    stage: str
    kinds: tuple[str, ...]
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
class Paused:
    """Training stands still before its next step, and its clock with it."""

    step: int


@dataclass(frozen=True)
class Continued:
    """Training goes on after a pause. It is not told where a stop ends the pause."""

    step: int


@dataclass(frozen=True)
class Finished:
    """Training is over; what follows is ``Measuring`` at most, unless it was stopped."""

    step: int
    seconds: float
    stopped: bool
    psnr: dict[str, float]


@dataclass(frozen=True)
class Measuring:
    """After the training, its model is measured on images held apart, for so many seconds at most or little longer."""

    seconds: float


Event = (
    Started
    | StageChanged
    | Stepped
    | Validated
    | Diagnosed
    | Previewed
    | Warned
    | CheckpointSaved
    | Paused
    | Continued
    | Finished
    | Measuring
)
