"""The best weights that a training has found so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from napari_vaegan.training.calibration import KindCalibration
from napari_vaegan.training.diagnosis.findings import LEAST_SHARE, Diagnosis

RESTORATION_WORTH = 0.1
"""dB of the score for which weights are kept although their generated images are not as they should be."""

SCORE_TOLERANCE = 0.05
"""dB by which a later average may be worse than the best and still be preferred: the generator goes on learning."""

LEAST_FLOW_STEPS = 100
"""With some dozens of steps what is generated through the flow is blank, where normal noise draws structures."""

COVERAGE_TOLERANCE = 0.1
"""By which a coverage may be lower by chance: it is counted on some dozens of patches."""

LEAST_DIVERSITY = 0.25
"""Of what is generated, in units of real images: sound models were at 0.4 and more after ten minutes of one core, one that
had gone wrong at 0.2."""


def learned_for_long_enough(flow_steps: int) -> bool:
    """Whether a flow has made steps enough to be kept, if its images are good."""
    return flow_steps >= LEAST_FLOW_STEPS


@dataclass
class Best:
    """The best validated running average so far.

    Attributes
    ----------
    healthy
        Whether nothing was wrong with what it generates.
    prior
        Whether it draws through a flow that has learned something.
    coverage, diversity
        Of generated patches, see ``Diagnosis``; None where it was not measured.
    """

    score: float
    step: int
    weights: dict[str, torch.Tensor]
    psnr: dict[str, float]
    calibration: dict[str, KindCalibration]
    healthy: bool
    prior: bool = False
    coverage: float | None = None
    diversity: float | None = None

    @property
    def varied(self) -> bool:
        """Whether generated images differ from each other, as far as it was measured."""
        return self.diversity is None or self.diversity >= LEAST_DIVERSITY

    @property
    def usable(self) -> bool:
        """Whether they were trained and make images: those of a training that diverged at once do not."""
        return math.isfinite(self.score)

    def yields_to(self, score: float, healthy: bool, highest: float) -> bool:
        """Say whether later weights are to be kept instead: if they restore about as well, and healthy ones before others.

        Parameters
        ----------
        score, healthy
            Of the later weights.
        highest
            The highest score of all that were judged, kept or not.
        """
        if not self.usable:
            return True
        if healthy != self.healthy:
            return score > self.score + (-RESTORATION_WORTH if healthy else RESTORATION_WORTH)
        return score >= min(highest, self.score + SCORE_TOLERANCE) - SCORE_TOLERANCE

    def draws_as_well(self, steps: int, diagnosis: Diagnosis) -> bool:
        """Say whether a flow is to be kept: if it learned for long enough, and what it draws is no poorer than before.

        Parameters
        ----------
        steps
            That the flow has made; 0 where images are drawn from normal noise still.
        diagnosis
            Of images generated through it, or of normal noise; it may hold no figures.
        """
        if steps == 0:
            return True
        if not learned_for_long_enough(steps):
            return False
        least_coverage = None if self.coverage is None else self.coverage - COVERAGE_TOLERANCE
        least_diversity = None if self.diversity is None else LEAST_SHARE * self.diversity
        return not (_below(diagnosis.coverage, least_coverage) or _below(diagnosis.diversity, least_diversity))

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs; the weights are not copied."""
        return {**vars(self), "calibration": {name: asdict(value) for name, value in self.calibration.items()}}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Best:
        """Return the best weights that a checkpoint held."""
        calibration = {name: KindCalibration.from_dict(value) for name, value in state["calibration"].items()}
        return cls(**{**state, "calibration": calibration})


def _below(figure: float | None, least: float | None) -> bool:
    """Whether a figure is too low, as far as both are known."""
    return figure is not None and least is not None and figure < least
