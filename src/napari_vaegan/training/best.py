"""The best weights that a training has found so far."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from napari_vaegan.training.calibration import KindCalibration


@dataclass
class Best:
    """The best validated running average so far.

    Attributes
    ----------
    healthy
        Whether nothing was wrong with what it generates.
    """

    score: float
    step: int
    weights: dict[str, torch.Tensor]
    psnr: dict[str, float]
    calibration: dict[str, KindCalibration]
    healthy: bool

    @property
    def usable(self) -> bool:
        """Whether they were trained and make images: those of a training that diverged at once do not."""
        return math.isfinite(self.score)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs; the weights are not copied."""
        return {**vars(self), "calibration": {name: asdict(value) for name, value in self.calibration.items()}}
