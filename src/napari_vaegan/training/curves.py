"""What a training tells of itself over time: losses, judgements and diagnoses, for the model file and its report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_vaegan.training.events import Diagnosed
from napari_vaegan.training.validation import Judgement

LOSSES_EVERY = 1 / 300
"""Of the training: so often losses are kept."""


@dataclass(frozen=True)
class Moment:
    """When something was measured: the step, the share of the training that is over, and the stage's name."""

    step: int
    progress: float
    stage: str


@dataclass
class Curves:
    """All that was measured, in its order.

    Attributes
    ----------
    entries
        One a moment: its step, progress and stage, and either ``losses``, or ``psnr``, ``gain`` and ``score``, or
        ``diagnosis`` and ``told``.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)

    def add_losses(self, moment: Moment, losses: Mapping[str, float]) -> None:
        """Keep the finite losses of a step, unless something was kept a short while ago."""
        if not self.entries or moment.progress - self.entries[-1]["progress"] >= LOSSES_EVERY:
            finite = {name: round(value, 5) for name, value in losses.items() if math.isfinite(value)}
            self._add(moment, {"losses": finite})

    def add_judgement(self, moment: Moment, judgement: Judgement, score: float) -> None:
        """Keep how a validation judged the running average; without its score if that is not finite."""
        entry = {"psnr": judgement.psnr, "gain": judgement.gain_of_averaging}
        self._add(moment, entry | ({"score": round(score, 4)} if math.isfinite(score) else {}))

    def add_diagnosis(self, moment: Moment, diagnosed: Diagnosed) -> None:
        """Keep what was measured, found and done, if there is any of it."""
        measured = {name: round(value, 4) for name, value in diagnosed.diagnosis.figures.items()}
        told = [*diagnosed.repairs, *diagnosed.watched]
        if measured or told:
            self._add(moment, {"diagnosis": measured, "told": told})

    @property
    def highest_score(self) -> float:
        """The highest score of all judgements; minus infinity before the first."""
        return max((entry["score"] for entry in self.entries if "score" in entry), default=-math.inf)

    @property
    def latest_divergences(self) -> tuple[float, ...]:
        """The KL divergence of each level at the last step that had any: those of the game alone have none."""
        told = (entry["losses"] for entry in reversed(self.entries) if "losses" in entry)
        latest: dict[str, float] = next((losses for losses in told if "kl" in losses), {})
        return tuple(value for name, value in latest.items() if name.startswith("kl level"))

    def _add(self, moment: Moment, what: dict[str, Any]) -> None:
        self.entries.append({"step": moment.step, "progress": round(moment.progress, 4), "stage": moment.stage} | what)
