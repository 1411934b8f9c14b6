"""How much is made of an image: how many samples, of which seed, and whether the mean is worth eight times the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from napari_vaegan.errors import SettingError
from napari_vaegan.observation.observation import Observation
from napari_vaegan.restoration.engine import Engine, Estimate
from napari_vaegan.restoration.latent_noise import Noise
from napari_vaegan.restoration.progress import OnProgress
from napari_vaegan.restoration.self_ensemble import estimate_best

Quality = Literal["fast", "best"]


@dataclass(frozen=True)
class Effort:
    """What a restoration is asked to spend on an image.

    Attributes
    ----------
    samples
        How many possible truths are drawn; 0: the mean alone.
    seed
        Of the samples.
    quality
        ``best`` averages the means of all flips and quarter turns, for eight times the work; ``fast`` takes one.

    Raises
    ------
    SettingError
        If one of them makes no sense.
    """

    samples: int
    seed: int
    quality: Quality

    def __post_init__(self) -> None:
        check_sampling(self.samples, self.seed)
        check_quality(self.quality)

    def estimate(self, engine: Engine, observation: Observation, noise: Noise, on_progress: OnProgress) -> Estimate:
        """Estimate one plane; see ``Engine.estimate``."""
        if self.quality == "best":
            return estimate_best(engine, observation, self.samples, noise, on_progress)
        return engine.estimate(observation, self.samples, noise, on_progress)


def check_sampling(samples: int, seed: int) -> None:
    """Refuse a number of samples or a seed that makes no sense."""
    if samples < 0:
        raise SettingError(f"samples cannot be {samples}: give 0 for the mean alone, or how many samples to draw.")
    if not 0 <= seed < 2**63:
        raise SettingError(f"The seed cannot be {seed}: give a whole number from 0 on.")


def check_quality(quality: str) -> None:
    """Refuse a quality that there is not."""
    if quality not in get_args(Quality):
        raise SettingError(f"The quality cannot be {quality!r}: choose fast or best.")
