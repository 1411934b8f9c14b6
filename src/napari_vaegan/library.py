"""The user's models: trained from images, opened from files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch

from napari_vaegan.config import TrainingConfig
from napari_vaegan.errors import DataError, SettingError, Stopped
from napari_vaegan.images.collection import Collection, collect_images
from napari_vaegan.images.division import split
from napari_vaegan.images.image import Image
from napari_vaegan.images.noise_law import NoiseLaw
from napari_vaegan.images.noisy_folder import find_noise
from napari_vaegan.images.patches import smallness_notes
from napari_vaegan.quality.measure import measure_quality, seconds_for
from napari_vaegan.restoration.header import CalibrationRecord, Header, NoiseRecord, Scale
from napari_vaegan.restoration.model import Model
from napari_vaegan.restoration.model_file import read_model
from napari_vaegan.restoration.style.look import Look
from napari_vaegan.restoration.style.record import LookRecord
from napari_vaegan.training.checkpoint import describe_checkpoint
from napari_vaegan.training.events import Event, Measuring, Warned
from napari_vaegan.training.training import Outcome, Training


def ignore(event: Event) -> None:
    """Listen to nothing."""


def never() -> bool:
    """Never stop or pause."""
    return False


def new_checkpoint_path() -> Path:
    """Return where a training that was given no place keeps its checkpoint: in the user's data folder."""
    folder = Path(platformdirs.user_data_dir("napari-vaegan")) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{datetime.now():%Y-%m-%d-%H%M%S}-{os.getpid()}.checkpoint"


def train(
    source: Any,
    config: TrainingConfig | None = None,
    *,
    on_event: Callable[[Event], None] = ignore,
    stop: Callable[[], bool] = never,
    pause: Callable[[], bool] = never,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    name: str | None = None,
) -> Model:
    """Train a model on images.

    Parameters
    ----------
    source
        A folder (with its sub-folders), a list of files or folders, an array, a list of arrays, a dask or zarr array.
    config
        How to train; ``TrainingConfig()`` if None: preset small, ten minutes.
    on_event
        Is told what happens, as the values of ``napari_vaegan.training.events``. What it raises ends the training at once
        and reaches the caller: raise at the ``CheckpointSaved`` that follows a stop to leave without a model.
    stop
        Asked many times a second, so it should answer at once. When it returns True, the step at hand is given up, the
        checkpoint is written, and the best model so far is returned; if none was validated yet, the one at hand, judged
        on a few patches only.
    pause
        Asked between steps. While it returns True training stands still, and its clock with it; a checkpoint is written as
        that begins, and ``stop`` is still asked.
    checkpoint
        Where the checkpoint is kept, written at least every two minutes and when training is stopped; in the user's data
        folder if None. It is left there: the event ``CheckpointSaved`` names it.
    resume
        Go on from the checkpoint, with the settings that it holds unless ``config`` is given.
    name
        Of the model; from the source if None.

    Returns
    -------
    Model
        The best validated running average. Not saved yet: call its ``save``. Its header holds what was measured of it on
        the images held apart, unless training was stopped.

    Raises
    ------
    Stopped
        If it is stopped before its first step, as while the images are read: there is no model, no checkpoint is written.
    DataError
        If there are no images that can be used.
    SettingError, ModelFileError, OutputError
        If a setting, the checkpoint, or the place for it cannot be used.
    """
    started = time.perf_counter()
    if resume and checkpoint is None:
        raise SettingError("There is nothing to resume: give the checkpoint to go on from.")
    path = Path(checkpoint) if checkpoint is not None else new_checkpoint_path()
    if config is None:
        config = describe_checkpoint(path).config if resume else TrainingConfig()

    warnings: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, Warned):
            warnings.append(event.message)
        on_event(event)

    def heed_stop(share: float = 1.0) -> None:
        if stop():
            raise Stopped

    collection = collect_images(source, config.axes, config.channels, on_progress=heed_stop)
    noise = find_noise(collection.planes, config.noise, config.noise_by_hand, heed_stop)
    division = split(collection, config.validation_fraction, config.seed, strips=bool(noise.laws))
    look = _look_of(collection, config.seed, heed_stop)
    heed_stop()
    training = Training(
        noise.mark(division.training),
        noise.mark(division.validation),
        collection.channels,
        config,
        path,
        on_event=tell,
        stop=stop,
        pause=pause,
        origin=_origin_of(source),
        skipped=tuple(f"{item.name}: {item.reason}" for item in collection.skipped),
        images=len({plane.source for plane in collection.planes}),
        started=started,
        kept_back=0.0 if config.seconds is None else seconds_for(config.seconds),
    )
    heed_stop()
    if resume:
        training.resume(path)
    small = smallness_notes(collection.planes, config.patch_size)
    for note in (*collection.notes, *division.notes, *noise.notes, *small):
        tell(Warned(note))
    outcome = training.run()
    header = _header(name or _name_of(source), config, collection, outcome, training, warnings)
    header.noise = [_noise_record(law) for law in noise.typical]
    header.look = look
    model = Model(outcome.networks, header, config.device, config.precision)
    if not outcome.stopped:
        seconds = seconds_for(outcome.seconds)
        tell(Measuring(seconds))
        header.quality = measure_quality(model, training.validation, seconds, stop)
    return model


def load(path: str | os.PathLike[str], device: str = "auto", precision: str | None = None) -> Model:
    """Open a model file. Nothing in it is executed.

    Parameters
    ----------
    path
        Written by ``Model.save``.
    device
        Where to compute: ``auto`` takes a GPU if there is one.
    precision
        In which number format to compute: float32, bfloat16, or ``auto`` for bfloat16 where the device computes in it. As
        the model was trained if None, so that it restores as it did before it was saved.

    Raises
    ------
    ModelFileError
        If the file is missing, not a model, truncated, altered, or from a newer version.
    """
    networks, header = read_model(path)
    return Model(networks, header, device, precision or header.config.precision)


def _name_of(source: Any) -> str:
    if isinstance(source, (str, os.PathLike)):
        return Path(source).resolve().name
    if isinstance(source, (list, tuple)) and all(isinstance(part, (str, os.PathLike)) for part in source):
        return Path(source[0]).resolve().parent.name
    return "arrays"


def _origin_of(source: Any) -> tuple[str, ...]:
    """Return absolute paths; names of what is no file."""
    return tuple(_origin_of_part(part) for part in (source if isinstance(source, (list, tuple)) else [source]))


def _origin_of_part(part: Any) -> str:
    if isinstance(part, (str, os.PathLike)):
        return str(Path(part).resolve())
    return part.name if isinstance(part, Image) else "array"


def _look_of(collection: Collection, seed: int, heed_stop: Callable[[], object]) -> LookRecord | None:
    """Return the look of the images; None if they show nothing that has one."""
    try:
        return Look.of([plane.pixels for plane in collection.planes], collection.colour, seed, heed_stop).record()
    except DataError:
        return None


def _noise_record(law: NoiseLaw) -> NoiseRecord:
    points = law.to_dict()
    return NoiseRecord(**{**points, **(points.pop("transfer") or {})})


def _header(
    name: str,
    config: TrainingConfig,
    collection: Collection,
    outcome: Outcome,
    training: Training,
    warnings: list[str],
) -> Header:
    scalings = [plane.scaling for plane in collection.planes]
    return Header(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={"napari-vaegan": version("napari-vaegan"), "torch": str(torch.__version__), "numpy": np.__version__},
        config=config,
        stages=outcome.stages,
        channels=collection.channels,
        colour=collection.colour,
        dtype=collection.dtype.name,
        scaling=Scale(
            low=np.median([scaling.low for scaling in scalings], axis=0).tolist(),
            span=np.median([scaling.span for scaling in scalings], axis=0).tolist(),
        ),
        training_set=collection.summary(),
        psnr={kind: round(value, 3) for kind, value in outcome.psnr.items()},
        calibration={kind: CalibrationRecord.model_validate(asdict(value)) for kind, value in outcome.calibration.items()},
        curves=outcome.curves,
        steps=outcome.steps,
        seconds=round(outcome.seconds, 1),
        device=str(training.device),
        precision=str(training.precision).removeprefix("torch."),
        warnings=warnings,
        parameters=sum(weight.numel() for weight in outcome.networks.parameters()),
    )
