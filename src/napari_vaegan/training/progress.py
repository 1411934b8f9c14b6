"""How far a training is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far training is: of the stage and of the whole, each from 0 to 1; and the step."""

    stage: float
    total: float
    step: int
