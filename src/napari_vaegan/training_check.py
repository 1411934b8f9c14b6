"""The check before a training: what was found, what it will need, and what may spoil it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from napari_vaegan.config import TrainingConfig
from napari_vaegan.images.collection import Collection, Skipped, collect_images
from napari_vaegan.images.division import split
from napari_vaegan.images.inspection import Inspection, inspect
from napari_vaegan.images.patches import smallness_notes
from napari_vaegan.training.device import choose_device
from napari_vaegan.training.estimate import available_memory, estimate_training

_FEWEST_PLANES = 10
_FEWEST_PIXELS = 500_000
_FEWEST_STEPS = 200
_MOST = 0.5
_SOME = 0.1

_READ, _INSPECTED = 0.6, 0.7
"""Shares of the progress at which reading and looking at the images end."""


@dataclass(frozen=True)
class TrainingCheck:
    """What is known of a training before it starts.

    Attributes
    ----------
    images : int
        Images that can be used, those for validation included.
    planes : int
        Planes (T and Z) of these images that are kept.
    skipped : tuple of Skipped
        What is left out, and why.
    axes : tuple of str
        The axes that were met, such as ``("TYX", "YX")``; axes of length 1 are left out.
    channels : int
        Channels of every plane.
    colour : bool
        Whether the channels are red, green and blue.
    dtype : str
        That of most planes.
    smallest, largest : tuple of int
        Least and greatest height and width in pixels.
    intensities : tuple of float
        Lowest and highest raw intensity.
    device : str
        Where it is trained.
    parameters : int
        Of the model.
    memory_bytes : int
        Memory that training takes on the device, estimated; on a CPU with the images.
    available_bytes : int
        Memory that is free there.
    steps : int or None
        Steps of training: as given, or how many are expected to fit into the time given. None if they cannot be
        measured, as memory is too short.
    seconds : float or None
        Time of training: as given, or how long the steps given are expected to take.
    warnings : tuple of str
        Sentences about what may spoil the model, and what to do about it; and about what was guessed or left out.
    """

    images: int
    planes: int
    skipped: tuple[Skipped, ...]
    axes: tuple[str, ...]
    channels: int
    colour: bool
    dtype: str
    smallest: tuple[int, int]
    largest: tuple[int, int]
    intensities: tuple[float, float]
    device: str
    parameters: int
    memory_bytes: int
    available_bytes: int
    steps: int | None
    seconds: float | None
    warnings: tuple[str, ...]


def check(
    source: Any,
    config: TrainingConfig | None = None,
    *,
    on_progress: Callable[[float], None] = lambda share: None,
) -> TrainingCheck:
    """Check images before a model is trained on them.

    The images are read as ``train`` reads them. Noise and saturation are looked for in 200 of their planes at most; memory
    and time are drawn on from real steps on a few patches (see ``napari_vaegan.training.estimate``).

    Parameters
    ----------
    source
        As for ``train``: a folder (with its sub-folders), a list of files or folders, an array, a list of arrays.
    config
        How it is to be trained; ``TrainingConfig()`` if None.
    on_progress
        Told the share that is done, many times; raise from it to stop.

    Returns
    -------
    TrainingCheck
        Its ``warnings`` are empty if nothing is suspicious.

    Raises
    ------
    DataError
        If there are no images that can be used.
    SettingError
        If the device is not there.

    Examples
    --------
    >>> import napari_vaegan as nv
    >>> found = nv.check("nuclei/", nv.TrainingConfig(minutes=10))  # doctest: +SKIP
    >>> found.images, found.steps, found.warnings  # doctest: +SKIP
    """
    config = config or TrainingConfig()
    device = choose_device(config.device)
    available = available_memory(device)
    begin = time.perf_counter()
    collection = collect_images(source, config.axes, config.channels, on_progress=lambda share: on_progress(_READ * share))
    reading_seconds = time.perf_counter() - begin
    division = split(collection, config.validation_fraction, config.seed)
    inspection = inspect(collection.planes, on_progress=lambda share: on_progress(_READ + (_INSPECTED - _READ) * share))
    estimate = estimate_training(
        division.training,
        collection.channels,
        config,
        device,
        on_progress=lambda share: on_progress(_INSPECTED + (1 - _INSPECTED) * share),
    )
    memory = estimate.memory_bytes
    if device.type != "cuda":
        memory += sum(plane.pixels.nbytes for plane in collection.planes)
    steps, seconds = config.steps, config.seconds
    if seconds is not None:
        steps = estimate.steps_in(seconds - reading_seconds)
    elif steps is not None and (training_seconds := estimate.seconds_for(steps)) is not None:
        seconds = reading_seconds + training_seconds
    summary = collection.summary()
    found = TrainingCheck(
        images=summary["images"],
        planes=summary["planes"],
        skipped=collection.skipped,
        axes=_axes(collection),
        channels=collection.channels,
        colour=collection.colour,
        dtype=collection.dtype.name,
        smallest=tuple(summary["smallest"]),
        largest=tuple(summary["largest"]),
        intensities=tuple(summary["intensities"]),
        device=str(device),
        parameters=estimate.parameters,
        memory_bytes=memory,
        available_bytes=available,
        steps=steps,
        seconds=seconds,
        warnings=(
            *collection.notes,
            *division.notes,
            *_collection_warnings(collection, config),
            *_inspection_warnings(inspection, config),
            *_machine_warnings(memory, available, steps, seconds, config),
        ),
    )
    on_progress(1.0)
    return found


def _axes(collection: Collection) -> tuple[str, ...]:
    """Return the axes that the planes were taken from: their names end in their places, such as ``T=3 Z=0``."""
    channel = "C" if collection.channels > 1 and not collection.colour else ""
    last = "C" if collection.colour else ""
    leading = set()
    for plane in collection.planes:
        place = re.search(r"(?: [TZ]=\d+)*$", plane.name)
        leading.add("".join(letter for letter in "TZ" if place and f" {letter}=" in place.group()))
    return tuple(sorted(f"{letters}{channel}YX{last}" for letters in leading))


def _collection_warnings(collection: Collection, config: TrainingConfig) -> Iterator[str]:
    count = len(collection.planes)
    pixels = sum(plane.pixels[..., 0].size for plane in collection.planes)
    if count < _FEWEST_PLANES or pixels < _FEWEST_PIXELS:
        yield (
            f"There {_is(count)} only {_counted(count, 'plane')} of {pixels / 1e6:.2g} million pixels "
            f"together, which a model can learn by heart: give more images, {_FEWEST_PLANES} or more of different samples."
        )
    yield from smallness_notes(collection.planes, config.patch_size)


def _inspection_warnings(found: Inspection, config: TrainingConfig) -> Iterator[str]:
    of = f"of the {_counted(found.images, 'image')} looked at"
    if found.saturated:
        yield (
            f"In {found.saturated} {of} more than 1 % of the pixels are saturated, and what lay there cannot be learned: "
            "leave these images out, or take them anew with less exposure."
        )
    if found.noisy > _MOST * found.images:
        yield (
            f"{found.noisy} {of} {_is(found.noisy)} noisy (typically {100 * found.noise_std:.1f} % of the intensity range). "
            f"{_what_noise_means(config)} {_law_in_words(found)}"
        )
    if found.correlated > _SOME * found.images:
        yield (
            f"In {found.correlated} {of} the noise of neighbouring pixels is correlated, so that it looks like structure "
            "and is harder to remove: give the images as the camera took them, not resampled or compressed, if you can."
        )


def _what_noise_means(config: TrainingConfig) -> str:
    if config.noise == "clean":
        return "They are taken as they are, so that the model may leave as much noise when it denoises: set noise to auto."
    return (
        "The model will learn from them what they are without noise, and nothing needs to be set for that; cleaner images, "
        "if there are any, would teach it better."
    )


def _law_in_words(found: Inspection) -> str:
    """Say what noise it is, as typical of the images."""
    if 2 * found.fitting <= found.images:
        return (
            "Their noise does not grow with brightness as that of photons and camera does, or cannot be told from "
            "structure, so this is a rough estimate."
        )
    dark = f"Their noise is about {found.read_noise:.2g} grey levels where they are darkest"
    if found.gain > 0:
        return f"{dark} and grows with brightness as that of photons does: about {found.gain:.2g} grey levels a photon."
    return f"{dark} and hardly more where they are bright."


def _machine_warnings(
    memory: int, available: int, steps: int | None, seconds: float | None, config: TrainingConfig
) -> Iterator[str]:
    measured = steps is not None and seconds is not None
    if memory > available or not measured:
        yield (
            f"Training needs {'about' if measured else 'more than'} {memory / 1e9:.1f} GB of memory and "
            f"{available / 1e9:.1f} GB are free: choose a smaller preset or batch_size, or close other programs."
        )
    if config.steps is None and steps is not None and steps < _FEWEST_STEPS:
        smaller = "" if config.preset == "tiny" else " or choose a smaller preset"
        yield (
            f"Only about {_counted(steps, 'step')} can be made in the time given, too few to learn much: give more "
            f"minutes{smaller}."
        )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
