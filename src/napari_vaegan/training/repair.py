"""Repairing a training that goes wrong: back to good weights, with less of what spoilt them."""

from __future__ import annotations

import math

from napari_vaegan.training.best import Best
from napari_vaegan.training.diagnosis.findings import Diagnosis, Failure, Finding
from napari_vaegan.training.players import Players
from napari_vaegan.training.validation import Judgement

LOST_STEPS = 50
"""So many steps in a row without a finite gradient are a divergence."""

LOST_DECIBELS = 6.0
"""A validation that is worse by so much than the best one, or than what the networks started from, shows a divergence."""

FINE_DECIBELS = 40.0
"""A validation is held against no more than so many: where there is little but black, what was started from has no error."""

LEAST_KL_SHARE = 0.25
"""Of the weight of a level's KL divergence: with less, what the generator draws from is not what it has learned from."""


class Repair:
    """Goes back to the best healthy weights, or anew, where a training has gone wrong, and says so in one sentence.

    Parameters
    ----------
    players
        What is trained.
    """

    def __init__(self, players: Players) -> None:
        self.players = players
        self._lost = 0
        self._suspected: set[tuple[Failure, int | None]] = set()

    def after_step(self, losses: dict[str, float], best: Best | None) -> str | None:
        """Notice a series of steps that were not made; return what was done, if anything."""
        self._lost = self._lost + 1 if "skipped" in losses else 0
        return self._after_divergence(best) if self._lost >= LOST_STEPS else None

    def after_judgement(
        self, judgement: Judgement, diagnosis: Diagnosis, best: Best | None, adversarial: bool
    ) -> tuple[str, ...]:
        """Notice what validation and diagnosis found; return what was done, a sentence each.

        Before the adversary takes part there is nothing to go back for: only dead latents are mended then.
        """
        if self.is_lost(judgement, best):
            return (self._after_divergence(best),)
        repeated, self._suspected = self._suspected, {(finding.failure, finding.level) for finding in diagnosis.findings}
        return tuple(
            self._after(finding, best)
            for finding in diagnosis.findings
            if (
                adversarial
                if finding.level is None
                else (finding.failure, finding.level) in repeated and self.players.kl_shares[finding.level] > LEAST_KL_SHARE
            )
        )

    def is_lost(self, judgement: Judgement, best: Best | None) -> bool:
        """Whether training has diverged, by what validation found."""
        if not math.isfinite(judgement.score):
            return True
        least = judgement.first_score if best is None else max(best.score, judgement.first_score)
        return judgement.score < min(least, FINE_DECIBELS) - LOST_DECIBELS

    def _after_divergence(self, best: Best | None) -> str:
        """Halve the learning rate; before there are good weights, where it must be far too large, take a tenth of it."""
        self._lost = 0
        if best is None:
            self.players.begin_anew()
            self.players.rate_share /= 10
            return "Training diverged before its first validation: it begins anew with a tenth of the learning rate."
        self.players.go_on_from(best.weights)
        self.players.rate_share /= 2
        return f"Training diverged: it goes back to step {best.step:,}, with half of the learning rate."

    def _after(self, finding: Finding, best: Best | None) -> str:
        if finding.level is not None:
            self.players.kl_shares[finding.level] /= 2  # no other level's: they would tell too much instead
            return f"{finding.sentence}: the weight of its KL divergence is halved."
        self.players.adversarial_share /= 2
        if best is None:
            return f"{finding.sentence}: the adversarial weight is halved."
        self.players.go_on_from(best.weights)
        return f"{finding.sentence}: training goes back to step {best.step:,}, with half of the adversarial weight."
