"""What a diagnosis finds, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LEAST_SHARE = 0.5
"""Of the best coverage and diversity so far: how good they are depends on how long was trained, but they should not fall."""

TELLING_COVERAGE = 0.2
"""Below this best coverage a fall is chance: it is counted on some dozens of patches."""

LEAST_DISTANCE = 0.25
"""Of the distance of images held apart to the nearest training patch, for samples; blurred ones are at 0.4, copies at 0."""

LARGEST_OVERFITTING = 0.6
"""Of the discriminator; Karras et al. (2020) aim at 0.6."""

LEAST_ACTIVE = 0.05
"""Share of a level's latents."""


class Failure(StrEnum):
    """What can go wrong."""

    MODE_COLLAPSE = "mode collapse"
    OVERFITTED_DISCRIMINATOR = "overfitted discriminator"
    MEMORISATION = "memorisation"
    POSTERIOR_COLLAPSE = "posterior collapse"


@dataclass(frozen=True)
class Finding:
    """One failure, a sentence on what was measured, and the latent level that it concerns, if it does one."""

    failure: Failure
    sentence: str
    level: int | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What was measured of the running average; None where it does not apply.

    Attributes
    ----------
    coverage
        Share of the real patches held apart that samples come near to.
    floor
        The same of training patches in place of samples: what can be reached.
    diversity
        Mean distance between samples, in units of that between real patches.
    best_coverage, best_diversity
        The highest so far.
    distance
        Median distance of samples to the nearest training patch, in units of that of patches held apart.
    overfitting
        Of the discriminator: 0 not at all, 1 entirely.
    active_units
        Share of the active latents, a level, coarsest first; empty before all levels are open.
    """

    coverage: float | None = None
    floor: float | None = None
    diversity: float | None = None
    best_coverage: float = 0.0
    best_diversity: float = 0.0
    distance: float | None = None
    overfitting: float | None = None
    active_units: tuple[float, ...] = ()

    @property
    def least_coverage(self) -> float | None:
        """Below it samples have collapsed; None before there was enough to fall from."""
        return LEAST_SHARE * self.best_coverage if self.best_coverage >= TELLING_COVERAGE else None

    @property
    def least_diversity(self) -> float | None:
        """Below it they have as well; None where it is the first."""
        return LEAST_SHARE * self.best_diversity if self.best_diversity > 0 else None

    @property
    def figures(self) -> dict[str, float]:
        """What was measured, by name, and the limits that move; empty if nothing was. The coarsest level is the first."""
        values = {
            "coverage": self.coverage,
            "least coverage": self.least_coverage if self.coverage is not None else None,
            "floor": self.floor,
            "diversity": self.diversity,
            "least diversity": self.least_diversity if self.diversity is not None else None,
            "distance": self.distance,
            "overfitting": self.overfitting,
            **{f"active latents {level}": share for level, share in enumerate(self.active_units, start=1)},
        }
        return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong."""
        return tuple(self._findings())

    @property
    def healthy(self) -> bool:
        """Whether these weights may be kept, and gone back to: latents that tell nothing spoil neither."""
        return all(finding.failure is Failure.POSTERIOR_COLLAPSE for finding in self.findings)

    def _findings(self) -> Iterator[Finding]:
        if self.coverage is not None and self.least_coverage is not None and self.coverage < self.least_coverage:
            yield Finding(
                Failure.MODE_COLLAPSE,
                f"Generated images cover only {self.coverage:.0%} of the real ones ({self.best_coverage:.0%} before, "
                f"training images {self.floor:.0%})",
            )
        elif self.diversity is not None and self.least_diversity is not None and self.diversity < self.least_diversity:
            yield Finding(
                Failure.MODE_COLLAPSE,
                f"Generated images differ from each other only {self.diversity:.0%} as much as real ones do "
                f"({self.best_diversity:.0%} before)",
            )
        if self.distance is not None and self.distance < LEAST_DISTANCE:
            yield Finding(
                Failure.MEMORISATION,
                f"Generated images are nearer to training patches than images held apart are ({self.distance:.0%} as far)",
            )
        if self.overfitting is not None and self.overfitting > LARGEST_OVERFITTING:
            yield Finding(
                Failure.OVERFITTED_DISCRIMINATOR,
                f"The discriminator knows the training images by heart ({self.overfitting:.0%})",
            )
        if self.active_units and min(self.active_units) < LEAST_ACTIVE:
            level = self.active_units.index(min(self.active_units))
            yield Finding(
                Failure.POSTERIOR_COLLAPSE,
                f"Latent level {level + 1} of {len(self.active_units)} tells nothing of the images",
                level,
            )
