"""The planes that a model is trained on, gathered from files and arrays, and what had to be left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import DataError, ShapeError
from napari_vaegan.images.axes import to_planes
from napari_vaegan.images.budget import HeldPlane, PlaneBudget
from napari_vaegan.images.division import Split, split
from napari_vaegan.images.image import Image
from napari_vaegan.images.noise_law import NoiseLaw
from napari_vaegan.images.scaling import Scaling, robust_scaling
from napari_vaegan.images.sources import list_entries, open_entry

__all__ = ["SMALLEST_SIDE", "Collection", "Plane", "Skipped", "Split", "collect_images", "split"]

SMALLEST_SIDE = 8
_MAJORITY = 0.6
_LISTED = 20


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane of an image.

    Attributes
    ----------
    name : str
        Image and place in it.
    pixels : ndarray (Y, X, C)
        Raw intensities, in their own dtype.
    scaling : Scaling
        The scale of the image that it comes from.
    source : int
        Which image it comes from: planes of one stack look alike and stay together.
    noise : tuple of NoiseLaw
        The law of each channel's noise, in scaled units; empty where the plane counts as free of noise.
    """

    name: str
    pixels: NDArray[Any]
    scaling: Scaling
    source: int
    noise: tuple[NoiseLaw, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """An image or plane that cannot be used.

    Attributes
    ----------
    name : str
        Its name.
    reason : str
        Why it was left out.
    """

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Collection:
    """Planes of one kind of image.

    Attributes
    ----------
    planes : tuple of Plane
        At least one, all of the same number of channels.
    skipped : tuple of Skipped
        What was left out, and why.
    channels : int
        Channels of every plane.
    colour : bool
        Whether the channels are red, green and blue.
    dtype : dtype
        That of most planes.
    notes : tuple of str
        Sentences about what was guessed or thinned out.
    """

    planes: tuple[Plane, ...]
    skipped: tuple[Skipped, ...]
    channels: int
    colour: bool
    dtype: np.dtype[Any]
    notes: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """Return counts, sizes and intensities as a value that JSON can hold."""
        heights = [plane.pixels.shape[0] for plane in self.planes]
        widths = [plane.pixels.shape[1] for plane in self.planes]
        return {
            "images": len({plane.source for plane in self.planes}),
            "planes": len(self.planes),
            "channels": self.channels,
            "colour": self.colour,
            "dtypes": dict(Counter(plane.pixels.dtype.name for plane in self.planes)),
            "smallest": [min(heights), min(widths)],
            "largest": [max(heights), max(widths)],
            "intensities": [
                min(plane.pixels.min().item() for plane in self.planes),
                max(plane.pixels.max().item() for plane in self.planes),
            ],
            "skipped": len(self.skipped),
            "skipped_first": [{"name": item.name, "reason": item.reason} for item in self.skipped[:_LISTED]],
            "notes": list(self.notes),
        }


def collect_images(
    source: Any,
    axes: str | None = None,
    channels: int | None = None,
    memory_limit_bytes: int = 2**31,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Collection:
    """Gather the planes of a folder, files, or arrays.

    Parameters
    ----------
    source : path, array, or list of these
        A folder (with its sub-folders), a file, a NumPy, dask or zarr array.
    axes : str, optional
        Axes of every image; from metadata, or else guessed, if None.
    channels : int, optional
        Channels to train on; if None, those of most images.
    memory_limit_bytes : int, default 2 GiB
        Memory for the planes. If they need more, an even subset is kept.
    on_progress
        Told the share that is read, before each image and plane; raise from it to stop.

    Returns
    -------
    Collection
        Each image is scaled on its own, so sizes and bit depths may be mixed.

    Raises
    ------
    DataError
        If nothing can be used, or the images have several numbers of channels and none is that of 60 %.
    """
    entries = list_entries(source)
    budget = PlaneBudget(memory_limit_bytes, sum(entry.array_bytes for entry in entries))
    skipped: list[Skipped] = []
    images: dict[int, _Usable] = {}
    for number, entry in enumerate(entries):
        on_progress(number / len(entries))
        try:
            image = open_entry(entry, axes, channels)
        except (DataError, ShapeError) as error:
            skipped.append(Skipped(entry.name, str(error)))
            continue
        if channels is not None and image.channels != channels:
            skipped.append(Skipped(image.name, _channel_reason(image.channels, channels)))
            continue
        usable = []
        for name, pixels in _wanted_planes(image, budget):
            on_progress(number / len(entries))
            reason = _fault(pixels)
            if reason:
                skipped.append(Skipped(name, reason))
            else:
                usable.append(pixels)
                budget.keep(HeldPlane(name, pixels, number))
        if usable:
            scaling = robust_scaling(usable, colour=image.colour)
            guess = image.axes if image.axes_guessed else None
            images[number] = _Usable(image.name, image.channels, image.colour, guess, scaling)
    if not images:
        raise DataError(_nothing_usable(source, len(entries), skipped))

    chosen = _majority([image.channels for image in images.values()]) if channels is None else channels
    for image_left in images.values():
        if image_left.channels != chosen:
            skipped.append(Skipped(image_left.name, _channel_reason(image_left.channels, chosen)))
    images = {number: image for number, image in images.items() if image.channels == chosen}
    planes = tuple(
        Plane(held.name, held.pixels, images[held.source].scaling, held.source)
        for held in budget.held
        if held.source in images
    )
    if not planes:
        raise DataError(f"The images need more than {memory_limit_bytes} bytes of memory: allow more or crop them.")
    depths = Counter(plane.pixels.dtype for plane in planes)
    return Collection(
        planes=planes,
        skipped=tuple(skipped),
        channels=chosen,
        colour=2 * sum(image.colour for image in images.values()) > len(images),
        dtype=depths.most_common(1)[0][0],
        notes=(*_guess_notes(images), *_thinning_notes(budget, memory_limit_bytes), *_depth_notes(depths)),
    )


@dataclass(frozen=True, eq=False)
class _Usable:
    """What is remembered of an image of which at least one plane can be used."""

    name: str
    channels: int
    colour: bool
    guessed_axes: str | None
    scaling: Scaling


def _wanted_planes(image: Image, budget: PlaneBudget) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield name and pixels ``(Y, X, C)`` of the planes to keep; the others are not read."""
    planes, layout = to_planes(image.pixels, image.axes)
    for index in range(len(planes)):
        if not budget.wants_next():
            continue
        pixels = np.asarray(planes[index])
        dtype = np.dtype(np.uint8) if pixels.dtype == bool else pixels.dtype.newbyteorder("=")
        # A copy, where it is a part of a stack, so that the rest of the stack can be let go.
        pixels = np.array(pixels, dtype=dtype, order="C", copy=True if len(planes) > 1 else None)
        place = layout.label(index) if len(planes) > 1 else ""
        yield f"{image.name} {place}".rstrip(), pixels


def _fault(pixels: NDArray[Any]) -> str | None:
    """Say why a plane ``(Y, X, C)`` cannot be used; None if it can."""
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        return f"is {height} by {width} pixels, smaller than {SMALLEST_SIDE} by {SMALLEST_SIDE}"
    if pixels.dtype.kind == "f":
        for kind, count in (("NaN", np.isnan(pixels).sum()), ("infinite", np.isinf(pixels).sum())):
            if count:
                return f"has {count} {kind} pixel{'s' if count > 1 else ''}"
    if pixels.min() == pixels.max():
        return f"is constant: every pixel is {pixels.flat[0]}"
    return None


def _channel_reason(has: int, wanted: int | None) -> str:
    return f"has {has} channel{'s' if has > 1 else ''}, not {wanted}"


def _majority(channels: list[int]) -> int:
    counts = Counter(channels).most_common()
    if counts[0][1] < _MAJORITY * len(channels):
        listed = ", ".join(f"{count} with {number}" for number, count in counts)
        raise DataError(f"The images differ in their number of channels ({listed}): set channels= to the number to use.")
    return counts[0][0]


def _nothing_usable(source: Any, images: int, skipped: list[Skipped]) -> str:
    where = f" in {source}" if isinstance(source, str | os.PathLike) else ""
    first = f"{skipped[0].name}: {skipped[0].reason}".rstrip(".") if skipped else "no planes"
    return f"None of the {images} images{where} can be used ({first}): give other images or mend these."


def _guess_notes(images: dict[int, _Usable]) -> list[str]:
    guesses = Counter(image.guessed_axes for image in images.values() if image.guessed_axes)
    return [
        f'The axes of {count} image{"s" if count > 1 else ""} are not stated and were taken as "{axes}": '
        "set axes= if that is wrong."
        for axes, count in sorted(guesses.items())
    ]


def _thinning_notes(budget: PlaneBudget, limit: int) -> list[str]:
    if not budget.thinned:
        return []
    return [f"{len(budget.held)} evenly spaced planes of {budget.offered} are kept, to stay within {limit} bytes."]


def _depth_notes(depths: Counter[np.dtype[Any]]) -> list[str]:
    if len(depths) < 2:
        return []
    listed = ", ".join(f"{count} of {dtype.name}" for dtype, count in depths.most_common())
    return [f"Bit depths are mixed ({listed} planes): each image is scaled on its own."]
