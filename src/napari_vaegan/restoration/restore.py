"""What all restorations have in common: plane by plane through the engine, then put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.images.axes import PlaneLayout
from napari_vaegan.images.scaling import Scaling, robust_scaling
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import Observation
from napari_vaegan.restoration.consistency import Consistency
from napari_vaegan.restoration.effort import Effort
from napari_vaegan.restoration.engine import Estimate
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.memory import check_memory
from napari_vaegan.restoration.progress import OnProgress, Progress, no_progress, part_of
from napari_vaegan.restoration.realism import describe_realism
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.rounding import count_outside
from napari_vaegan.restoration.subject import Subject, from_tensor
from napari_vaegan.restoration.tiles import bands
from napari_vaegan.restoration.uncertainty import standard_deviation, with_doubt, with_spread
from napari_vaegan.training.calibration import KindCalibration, noise_level, roughness

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

STRANGE = 1.2
"""Warn from this out-of-distribution score on."""

PLANE_BYTES = 20
"""Memory for a value of the plane at hand besides its estimate and observation, as measured."""


@dataclass(frozen=True)
class Request:
    """What a task asks of the common part.

    Attributes
    ----------
    kind
        The kind of observation.
    subject
        The image at hand.
    see
        Reads the plane (Y, X, C) of an index; refuses one that cannot be restored.
    observe
        Returns the observation of a plane, given its index, what was seen and the image's intensity scale.
    consistency
        What the result shares with what was seen.
    known
        (N, Y, X): the pixels whose intensities mean anything; all if None.
    report
        What the task adds to the report.
    law_doubt
        Share of the noise's variance by which the law of the noise may be wrong, where the model had to trust it.
    """

    kind: Kind
    subject: Subject
    see: Callable[[int], NDArray[Any]]
    observe: Callable[[int, NDArray[Any], Scaling], Observation]
    consistency: Consistency
    known: NDArray[np.bool_] | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    law_doubt: float = 0.0


def accept(model: Model, kind: Kind, image: Any, axes: str | None, samples: int) -> Subject:
    """Take an image apart, and refuse what can be refused before any of its pixels is read.

    Raises
    ------
    SettingError
        If the model was not trained for this, or the result would not fit into memory.
    ShapeError, DataError
        If the image does not fit the model.
    """
    model.check_task(kind.task)
    subject = Subject.of(image, model.channels, axes)
    count, height, width, channels = subject.shape
    height, width = height * kind.factor, width * kind.factor
    value = 4 * (2 + samples) + subject.dtype.itemsize  # mean, standard deviation and samples in float32, and the image
    plane = PLANE_BYTES * height * width * channels + model.engine.memory(samples, height, width)
    advice = [
        *(["draw fewer samples"] if samples else []),
        "restore it plane by plane" if count > 1 else "crop it",
        "or use restore-folder, which takes one file at a time",
    ]
    check_memory(
        count * height * width * channels * value + plane,
        f"Restoring an image of shape {subject.layout.shape}{f' with {samples} samples' if samples else ''}",
        ", ".join(advice),
    )
    return subject


def restore(model: Model, request: Request, effort: Effort, on_progress: OnProgress = no_progress) -> Restoration:
    """Restore every plane of a subject that was accepted."""
    begin = time.perf_counter()
    subject = request.subject
    engine = replace(model.engine)  # where memory is short its tile is halved, for this image alone
    with Progress(on_progress) as progress:
        scaling = robust_scaling(subject, request.known, colour=subject.colour, on_plane=progress.pulse)
        result = _Result(request, scaling, model.calibration_of(request.kind), effort.samples, progress)
        for index in range(len(subject)):
            seen = request.see(index)
            progress.pulse()
            observation = request.observe(index, seen, scaling)
            noise, tell = partial(placed_noise, effort.seed, index), part_of(progress.tell, index, len(subject))
            estimate = result.calibrated(effort.estimate(engine, observation, noise, tell), observation)
            result.add_estimate(index, estimate, seen)
            result.add_errors(index, estimate, observation)
    report = {
        "task": request.kind.task,
        "quality": effort.quality,
        "realism": 0.0,
        "image": describe_realism(0.0),
        "seconds": round(time.perf_counter() - begin, 3),
        "device": str(engine.device),
        "tiles": result.tiles,
        "clipped_pixels": result.clipped,
        "consistency_residual": max(result.residuals, default=None),
        "out_of_distribution": round(result.unlike, 3),
        "error_bars_widened": round(result.widened, 3),
        **request.report,
        "warnings": [
            *subject.guessed,
            *request.report.get("warnings", ()),
            *_tile_warning(engine.tile, model.engine.tile),
            *_unlike_warning(result.unlike),
        ],
    }
    return result.put_together(report)


class _Result:
    """What becomes a restoration, plane by plane."""

    def __init__(
        self, request: Request, scaling: Scaling, calibration: KindCalibration, samples: int, progress: Progress
    ) -> None:
        self.request, self.scaling, self.calibration, self.progress = request, scaling, calibration, progress
        count, height, width, channels = request.subject.shape
        shape = (count, height * request.kind.factor, width * request.kind.factor, channels)
        self.mean, self.std = np.empty(shape, np.float32), np.empty(shape, np.float32)
        self.samples = np.empty((samples, *shape), np.float32)
        self.image = np.empty(shape, request.subject.dtype)
        self.tiles, self.clipped, self.unlike, self.widened = 0, 0, 0.0, 1.0
        self.levels: list[float] = []
        self.residuals: list[float] = []

    def calibrated(self, estimate: Estimate, observation: Observation) -> Estimate:
        """Return a plane's estimate with samples of the calibrated spread."""
        self.levels.append(float(noise_level(estimate.mean[None], observation)))
        return with_spread(estimate, self.calibration.at(self.levels[-1]))

    def add_estimate(self, index: int, estimate: Estimate, seen: NDArray[Any]) -> None:
        """Finish a plane, a band of rows at a time."""
        consistency, factor = self.request.consistency, self.request.kind.factor
        height, width = seen.shape[:2]
        for rows in bands(height, width * factor**2):
            place, fine, there = (index, rows), slice(rows.start * factor, rows.stop * factor), seen[rows]
            mean = consistency.keep(place, from_tensor(estimate.mean[:, fine], self.scaling), there)
            image = consistency.finish(place, mean, there)
            self.mean[index, fine], self.image[index, fine] = mean, image
            for number, sample in enumerate(estimate.samples):
                self.samples[number, index, fine] = consistency.keep(
                    place, from_tensor(sample[:, fine], self.scaling), there
                )
            self.clipped += count_outside(mean, image.dtype)
            if (residual := consistency.residual(image, there)) is not None:
                self.residuals.append(residual)
            self.progress.pulse()
        self.tiles += estimate.tiles

    def add_errors(self, index: int, estimate: Estimate, observation: Observation) -> None:
        """Calibrate the expected errors of a plane."""
        std = standard_deviation(estimate.log_error, self.calibration.at(self.levels[-1]))
        std = with_doubt(std, self.request.law_doubt, observation.noise[0])
        unknown = ((observation.known < 1) | ~observation.noiseless)[0]
        unlike = _unlikeness(observation, std[unknown.expand_as(std)], self.calibration)
        wider = max(1.0, unlike)  # beyond what was calibrated, errors are taken to grow with the unlikeness
        self.unlike, self.widened = max(self.unlike, unlike), max(self.widened, wider)
        self.std[index] = (wider * std * unknown).numpy().transpose(1, 2, 0) * self.scaling.span

    def put_together(self, report: dict[str, Any]) -> Restoration:
        """Return the restoration in the image's order of axes."""
        layout = self.request.subject.layout
        count = len(self.samples)
        stack = PlaneLayout(f"N{layout.axes}", (count, *layout.shape))  # samples first, then as in the image
        return Restoration(
            mean=layout.restore(self.mean),
            samples=stack.restore(self.samples.reshape(count * len(self.mean), *self.mean.shape[1:])),
            std=layout.restore(self.std),
            image=layout.restore(self.image),
            report=report,
            quantiles=self.calibration.at(float(np.mean(self.levels))).quantiles,
            layout=layout,
            consistency=self.request.consistency,
        )


def _unlikeness(observation: Observation, std: Tensor, calibration: KindCalibration) -> float:
    """Divide expected error and roughness by the largest of any validation patch: above 1 an image is like none of them."""
    rough = float(roughness(observation.estimate)) / max(calibration.largest_roughness, 1e-9)
    unsure = float(std.square().mean().sqrt()) / max(calibration.largest_std, 1e-9) if std.numel() else 0.0
    return max(rough, unsure)


def _tile_warning(tile: int, wanted: int) -> Iterator[str]:
    if tile < wanted:
        yield f"Memory was short: the image was restored in tiles of {tile} pixels instead of {wanted}."


def _unlike_warning(unlike: float) -> Iterator[str]:
    if unlike > STRANGE:
        yield (
            f"The image is unlike the training folder's (it is {unlike:.1f} times as rough, or as hard to restore, as any "
            "image held apart): the error bars were widened as much, and may still be too small here."
        )
