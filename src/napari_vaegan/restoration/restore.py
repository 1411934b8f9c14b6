"""What all restorations have in common: plane by plane through the engine, then put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.errors import SettingError
from napari_vaegan.images.scaling import Scaling
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.observation import Observation
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.rounding import round_to
from napari_vaegan.restoration.subject import Subject, from_tensor
from napari_vaegan.restoration.uncertainty import standard_deviation
from napari_vaegan.training.validation import KindCalibration, roughness

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

STRANGE = 1.2
"""Warn from this out-of-distribution score on."""

OnProgress = Callable[[float], None]
"""Told the share that is done, from 0 to 1; whatever it raises stops the restoration."""


def no_progress(share: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Request:
    """What a task asks of the common part.

    Attributes
    ----------
    kind
        The kind of observation.
    subject
        The image at hand.
    scaling
        Its intensity scale.
    observe
        Returns the observation of a plane.
    finish
        Makes the restored plane (Y, X, C) in the image's dtype of a plane's index and mean; returns it with its residual
        of consistency in grey levels, None where nothing binds.
    keep
        Puts what is known exactly into an estimate (..., Y, X, C) of the plane of an index.
    magnification
        How many times finer the result's grid is.
    """

    kind: Kind
    subject: Subject
    scaling: Scaling
    observe: Callable[[int], Observation]
    finish: Callable[[int, NDArray[np.float64]], tuple[NDArray[Any], float | None]]
    keep: Callable[[int, NDArray[np.float64]], NDArray[np.float64]] = lambda index, estimate: estimate
    magnification: int = 1


def restore(model: Model, request: Request, samples: int, seed: int, on_progress: OnProgress = no_progress) -> Restoration:
    """Restore every plane of a subject.

    Raises
    ------
    SettingError
        If the model was not trained for this, or samples or seed are negative.
    """
    check_sampling(samples, seed)
    calibration = model.calibration_of(request.kind)
    begin = time.perf_counter()
    subject, layout = request.subject, request.subject.layout
    count, height, width, channels = subject.planes.shape
    shape = (count, height * request.magnification, width * request.magnification, channels)
    mean, std = np.empty(shape, np.float32), np.empty(shape, np.float32)
    drawn = np.empty((samples, *shape), np.float32)
    image = np.empty(shape, subject.dtype)
    residuals, clipped, tiles, unlike = [], 0, 0, 0.0
    engine = replace(model.engine)  # where memory is short its tile is halved, for this image alone

    for index in range(count):
        observation = request.observe(index)
        estimate = engine.estimate(observation, samples, seed, index, _part_of(on_progress, index, count))
        exact = request.keep(index, from_tensor(estimate.mean, request.scaling))
        image[index], residual = request.finish(index, exact)
        scaled_std = standard_deviation(estimate.log_error, calibration)
        unknown = ((observation.known < 1) | ~observation.noiseless)[0]
        unlike = max(unlike, _unlikeness(observation, scaled_std[unknown.expand_as(scaled_std)], calibration))
        std[index] = (scaled_std * unknown).numpy().transpose(1, 2, 0) * request.scaling.span
        mean[index] = exact
        drawn[:, index] = request.keep(index, from_tensor(estimate.samples, request.scaling))
        clipped += int(_outside(exact, subject.dtype))
        tiles += estimate.tiles
        if residual is not None:
            residuals.append(residual)

    report = {
        "task": request.kind.task,
        "seconds": round(time.perf_counter() - begin, 3),
        "device": str(engine.device),
        "tiles": tiles,
        "clipped_pixels": clipped,
        "consistency_residual": max(residuals) if residuals else None,
        "out_of_distribution": round(unlike, 3),
        "warnings": [*subject.guessed, *_tile_warning(engine.tile, model.engine.tile), *_unlike_warning(unlike)],
    }
    restored_samples = [layout.restore(sample) for sample in drawn]
    return Restoration(
        mean=layout.restore(mean),
        samples=np.stack(restored_samples) if restored_samples else np.empty((0, *layout.restore(mean).shape), np.float32),
        std=layout.restore(std),
        image=layout.restore(image),
        report=report,
        quantiles=calibration.quantiles,
    )


def check_sampling(samples: int, seed: int) -> None:
    """Refuse a number of samples or a seed that makes no sense."""
    if samples < 0:
        raise SettingError(f"samples cannot be {samples}: give 0 for the mean alone, or how many samples to draw.")
    if not 0 <= seed < 2**63:
        raise SettingError(f"The seed cannot be {seed}: give a whole number from 0 on.")


def rounded(subject: Subject, mean: NDArray[np.float64]) -> NDArray[Any]:
    """Return a mean rounded and clipped to the subject's dtype."""
    return round_to(mean, subject.dtype)


def _outside(values: NDArray[np.float64], dtype: np.dtype[Any]) -> np.int64 | int:
    if dtype.kind == "f":
        return 0
    limits = np.iinfo(dtype)
    return np.count_nonzero((values < limits.min - 0.5) | (values > limits.max + 0.5))


def _part_of(on_progress: OnProgress, index: int, count: int) -> OnProgress:
    return lambda share: on_progress((index + share) / count)


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
            "image held apart): the error bars may be too small here."
        )
