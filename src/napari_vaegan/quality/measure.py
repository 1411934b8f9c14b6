"""Measuring a model within a few seconds, as its training ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from napari_vaegan.images.collection import Plane
from napari_vaegan.images.patches import Patches, PatchSampler
from napari_vaegan.observation.degradations import Kind, kinds_of
from napari_vaegan.observation.observation import observe_noisy
from napari_vaegan.quality.classical import noise_std
from napari_vaegan.quality.coverage import LEVELS, crossed_coverage, mean_widths
from napari_vaegan.quality.halves import halve
from napari_vaegan.quality.machine import machine, peak_memory
from napari_vaegan.quality.pictures import SIDE, picture_generated, picture_trial
from napari_vaegan.quality.psnr import error_of_lead, mean_psnr, standard_error
from napari_vaegan.quality.trial import TOOLS, Trial, attempt, average_of, classical_of, mean_of, sample_of
from napari_vaegan.restoration.engine import Engine
from napari_vaegan.restoration.generate import generated_noise
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.latents import Canvas
from napari_vaegan.restoration.model import Model
from napari_vaegan.restoration.quality_record import KindQuality, PatchPictures, QualityRecord
from napari_vaegan.training.interruption import Interrupted, heed, interruptible

PATCH_SIZE = 96
"""A multiple of every factor of super-resolution and of the networks' coarsest stride."""

SAMPLES = 8
MOST_ROUNDS = 32
"""A round is a patch of each half, observed in every kind."""

GENERATED = 4
PICTURE_BYTES = 300_000
"""Of all pictures together; further ones are left out."""

SHARE, SHORTEST_SECONDS, LONGEST_SECONDS = 0.03, 1.0, 20.0
TIMED_SHARE = 0.25
"""Of the seconds given, for timing a larger image."""

TIMED_SIDES = (576, 384, 192, 96)


def seconds_for(training_seconds: float) -> float:
    """Return how long a model may be measured after a training of so many seconds."""
    return float(np.clip(SHARE * training_seconds, SHORTEST_SECONDS, LONGEST_SECONDS))


def measure_quality(
    model: Model, planes: Sequence[Plane], seconds: float, stop: Callable[[], bool] = lambda: False
) -> QualityRecord | None:
    """Measure what a model does with images that were held apart.

    Parameters
    ----------
    model
        Just trained.
    planes
        Held apart.
    seconds
        For measuring. What is left when they are over is left out; a round that has begun is finished if it ends soon.
    stop
        Asked many times a second whether to give up.

    Returns
    -------
    QualityRecord or None
        None if it was given up.
    """
    measurement = _Measurement(model, planes, seconds, stop)
    try:
        with interruptible([model.engine.networks], stop):
            return measurement.run()
    except Interrupted:
        return None


@dataclass
class _Tried:
    """The trials of one kind of observation, by half."""

    kind: Kind
    halves: tuple[list[Trial], list[Trial]] = field(default_factory=lambda: ([], []))

    @property
    def all(self) -> list[Trial]:
        return [*self.halves[0], *self.halves[1]]


@dataclass
class _Measurement:
    model: Model
    planes: Sequence[Plane]
    seconds: float
    stop: Callable[[], bool]

    def run(self) -> QualityRecord:
        header = self.model.header
        begin = time.perf_counter()
        first, second, halves = halve(self.planes)
        seed = header.config.seed
        patches = [PatchSampler(half, seed).draw(MOST_ROUNDS, PATCH_SIZE) for half in (first, second)]
        tried = self._try_all(patches, begin)
        generated = self._generate()
        side, alone, sampled = self._time(patches[0], begin + self.seconds - time.perf_counter())
        colour = header.colour and header.channels == 3
        pictures, drawn = self._fit(self._pictures(tried, colour), generated, colour)
        return QualityRecord(
            patch_size=PATCH_SIZE,
            samples=SAMPLES,
            halves=halves,
            truth_noise=_noise_of(patches),
            kinds=[self._summarise(one) for one in tried if all(one.halves)],
            pictures=pictures,
            generated=drawn,
            seconds_per_megapixel=float(f"{alone:.3g}"),
            sampled_seconds_per_megapixel=float(f"{sampled:.3g}"),
            timed_side=side,
            machine=machine(),
            peak_memory=peak_memory(self.model.engine.device),
            seconds=round(time.perf_counter() - begin, 2),
        )

    def _try_all(self, patches: list[Patches], begin: float) -> list[_Tried]:
        """Try every kind on one patch of each half after another, as long as another round fits into the time."""
        engine, random = self.model.engine, np.random.default_rng(self.model.header.config.seed)
        tried = [_Tried(kind) for kind in kinds_of(self.model.tasks) if kind.task != "generate"]
        end, longest = begin + (1 - TIMED_SHARE) * self.seconds, 0.0
        for number in range(MOST_ROUNDS):
            start = time.perf_counter()
            if number > 0 and start + longest > end:
                break
            for one in tried:
                if time.perf_counter() > end and number == 0 and all(tried[0].halves):
                    break
                for half, of_half in zip(one.halves, patches, strict=True):
                    heed(self.stop)
                    calibration, patch = self.model.calibration_of(one.kind), of_half.select(np.array([number]))
                    trial = attempt(engine, calibration, patch, one.kind, SAMPLES, random)
                    half.extend([trial] if trial else [])
            longest = max(longest, time.perf_counter() - start)
        return tried

    def _summarise(self, tried: _Tried) -> KindQuality:
        trials, kind = tried.all, tried.kind
        classical, mean, sample, average = (mean_psnr(trials, of) for of in (classical_of, mean_of, sample_of, average_of))
        similarity = np.array([[trial.ssim(classical_of), trial.ssim(mean_of)] for trial in trials])
        covered = crossed_coverage(*tried.halves)
        widths = mean_widths(trials, self.model.calibration_of(kind)) * self.model.typical_scaling.span[:, None]
        return KindQuality(
            kind=str(kind),
            patches=len(trials),
            tool=TOOLS[kind.task],
            classical_psnr=round(classical, 3),
            classical_ssim=round(float(similarity[:, 0].mean()), 4),
            mean_psnr=round(mean, 3),
            mean_ssim=round(float(similarity[:, 1].mean()), 4),
            sample_psnr=round(sample, 3),
            average_psnr=round(average, 3),
            lead_error=round(error_of_lead(trials, mean_of, classical_of), 3),
            levels=list(LEVELS),
            observed=covered.mean(axis=0).round(4).tolist(),
            errors=standard_error(covered).round(4).tolist(),
            widths=[float(f"{width:.4g}") for width in widths.mean(axis=0)],
        )

    def _pictures(self, tried: list[_Tried], colour: bool) -> list[PatchPictures]:
        """Return pictures of the first trial of every kind, and then of the second ones."""
        scaling = self.model.typical_scaling
        pictures = []
        for number in range(2):
            for one in tried:
                if len(one.halves[number]):
                    trial = one.halves[number][0]
                    point = trial.calibration(self.model.calibration_of(one.kind))
                    pictures.append(picture_trial(trial, trial.std(point) * trial.unknown, scaling, colour))
        return pictures

    def _generate(self) -> Tensor | None:
        """Return samples (count, channels, height, width) of nothing; None if that was not trained."""
        if "generate" not in self.model.tasks:
            return None
        heed(self.stop)
        canvas = Canvas((SIDE, SIDE), self.model.typical_scaling, self.model.dtype)
        noise = generated_noise(self.model, range(GENERATED), canvas, seed=0, temperature=1.0)
        return self.model.engine.generate(canvas.shape, GENERATED, noise)

    def _fit(
        self, pictures: list[PatchPictures], generated: Tensor | None, colour: bool
    ) -> tuple[list[PatchPictures], list[str]]:
        """Return as many pictures, in their order, as there is room for."""
        drawn = picture_generated(generated, self.model.typical_scaling, colour) if generated is not None else []
        left, kept = PICTURE_BYTES - sum(map(len, drawn)), []
        for one in pictures:
            left -= sum(map(len, (one.input, one.mean, one.sample, one.std, one.truth)))
            if left >= 0:
                kept.append(one)
        return kept, drawn

    def _time(self, patches: Patches, seconds: float) -> tuple[int, float, float]:
        """Time the largest square that fits into these seconds: its side, seconds a megapixel without and with samples."""
        engine, patch = self.model.engine, torch.from_numpy(patches.pixels[:1])
        alone, sampled = _time_square(engine, patch, 1)
        each = alone + sampled
        side = next((side for side in TIMED_SIDES if each * (side / PATCH_SIZE) ** 2 <= seconds), PATCH_SIZE)
        if side > PATCH_SIZE:
            heed(self.stop)
            alone, sampled = _time_square(engine, patch, side // PATCH_SIZE)
        return side, alone / side**2 * 1e6, sampled / side**2 * 1e6


def _time_square(engine: Engine, patch: Tensor, times: int) -> tuple[float, float]:
    """Return the seconds that a square of so many patches a side takes, without and with samples."""
    observation = observe_noisy(patch.repeat(1, 1, times, times))
    taken = []
    for samples in (0, SAMPLES):
        begin = time.perf_counter()
        engine.estimate(observation, samples, partial(placed_noise, 0, 0))
        taken.append(time.perf_counter() - begin)
    return taken[0], taken[1]


def _noise_of(patches: Sequence[Patches]) -> float:
    """Return the typical noise of patches themselves, in scaled intensities."""
    images = [image for half in patches for image in half.pixels[:8]]
    return round(float(np.median([np.mean([noise_std(channel) for channel in image]) for image in images])), 5)
