"""Match style: the structure of an image with the look of others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.restoration.consistency import Unbound
from napari_vaegan.restoration.effort import check_sampling
from napari_vaegan.restoration.memory import check_memory
from napari_vaegan.restoration.progress import OnProgress, no_progress, part_of
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.rounding import round_to
from napari_vaegan.restoration.style.change import Change
from napari_vaegan.restoration.style.density import evenly, evenly_chosen
from napari_vaegan.restoration.style.look import Match
from napari_vaegan.restoration.style.source import describe_style
from napari_vaegan.restoration.subject import Subject
from napari_vaegan.restoration.tiles import bands
from napari_vaegan.training.calibration import LEVELS

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

TASK = "match-style"

PURPOSE = "The look was changed: for viewing and for feeding networks, not for measuring intensities."

_PLANE_BYTES = 72
"""Memory for a value of the plane at hand, of which mean and image are kept."""

_JUDGED_PLANES = 8
_JUDGED_PIXELS = 200_000


def match_style(
    model: Model,
    image: Any,
    style: Any = None,
    strength: float = 1.0,
    seed: int = 0,
    axes: str | None = None,
    on_progress: OnProgress = no_progress,
    source: Any = None,
) -> Restoration:
    """Give an image another look; see ``Model.match_style``."""
    begin = time.perf_counter()
    check_strength(strength)
    check_sampling(0, seed)
    subject = Subject.of(image, model.channels, axes)
    count, height, width, channels = subject.shape
    value = 4 + subject.dtype.itemsize
    check_memory(
        height * width * channels * (count * value + _PLANE_BYTES),
        f"Matching the style of an image of shape {subject.layout.shape}",
        "match it plane by plane" if count > 1 else "crop it",
    )
    on_progress(0.0)
    match = model.matcher.match(subject, style, source, seed)
    result = change_look(subject, match, strength, on_progress)
    report = {
        "task": TASK,
        "purpose": PURPOSE,
        "image": PURPOSE,
        "realism": 0.0,
        "style": describe_style(style) or f"the training folder of {model.header.name}",
        "source": describe_style(source) or "the image",
        "strength": round(result.strength, 3),
        "seconds": round(time.perf_counter() - begin, 3),
        "device": "cpu",
        "tiles": count,
        "clipped_pixels": result.clipped,
        "structure": round(float(np.mean(result.structures)), 4),
        "constrained_share": round(float(np.mean(result.constrained)), 4),
        "out_of_distribution": round(match.unlike, 3) if match.change else None,
        "warnings": [*subject.guessed, *_unlike_warning(match, "image" if source is None else "source")],
    }
    return result.put_together(report)


def change_look(subject: Subject, match: Match, strength: float, on_progress: OnProgress = no_progress) -> Changed:
    """Change a subject as was found for it, or for the image that it is a part of."""
    strength *= _share_of_change(match)
    changed = Changed(subject, match.change if strength else None, strength)
    for index in range(len(subject)):
        changed.add(index, part_of(on_progress, index, len(subject)))
    return changed


def check_strength(strength: float) -> None:
    """Refuse a strength that is no share.

    Raises
    ------
    SettingError
        With the range.
    """
    if not 0 <= strength <= 1:
        raise SettingError(f"The strength must lie between 0 (unchanged) and 1 (the whole look), not {strength}.")


def structure_score(changed: NDArray[Any], plane: NDArray[Any]) -> float:
    """Return the correlation of the gradient magnitudes of two planes ``(Y, X, C)``, over their channels' means.

    It is 1 where every edge stayed in its place and proportion.
    """
    first, second = (_edges(pixels) for pixels in (changed, plane))
    spread = first.std() * second.std()
    if spread == 0:
        return 1.0 if np.array_equal(first, second) else 0.0
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread)


class Changed:
    """What becomes the restoration, plane by plane.

    Parameters
    ----------
    subject
        The image.
    change
        What to do with its pixels; nothing if None, so that they stay as they are, bit by bit.
    strength
        How much of the change to make.
    """

    def __init__(self, subject: Subject, change: Change | None, strength: float) -> None:
        self.subject, self.change, self.strength = subject, change, strength
        self.mean = np.empty(subject.shape, np.float32)
        self.image = np.empty(subject.shape, subject.dtype)
        self.judged = set(evenly_chosen(len(subject), _JUDGED_PLANES))
        self.structures: list[float] = []
        self.constrained: list[float] = []
        self.clipped = 0

    def add(self, index: int, on_progress: OnProgress) -> None:
        """Change a plane, a band of rows at a time."""
        plane = self.subject.finite_plane(index)
        for rows in bands(*plane.shape[:2]):
            on_progress(rows.start / len(plane))
            if self.change is None:
                self.mean[index, rows], self.image[index, rows] = plane[rows], plane[rows]
                continue
            changed = self.change(plane[rows], self.strength)
            self.mean[index, rows], self.image[index, rows] = changed, round_to(changed, self.subject.dtype)
            self.clipped += _outside(changed, self.subject.dtype)
        if index in self.judged:
            self.structures.append(structure_score(self.image[index], plane))
            sample = evenly(plane, _JUDGED_PIXELS)
            self.constrained.append(self.change.constrained_share(sample) if self.change else 0.0)
        on_progress(1.0)

    @property
    def restored_image(self) -> NDArray[Any]:
        """The image in its own order of axes and dtype."""
        restored: NDArray[Any] = self.subject.layout.restore(self.image)
        return restored

    def put_together(self, report: dict[str, Any]) -> Restoration:
        """Return the restoration in the image's order of axes. A change of look has no error bars, and no samples."""
        layout = self.subject.layout
        mean = layout.restore(self.mean)
        return Restoration(
            mean=mean,
            samples=np.empty((0, *mean.shape), np.float32),
            std=np.broadcast_to(np.float32(0), mean.shape),
            image=self.restored_image,
            report=report,
            quantiles=(0.0,) * len(LEVELS),
            layout=layout,
            consistency=Unbound(self.subject.dtype),
        )


def _share_of_change(match: Match) -> float:
    """Return how much of the change is made: all of it, less of an image unlike the references, none of a strange one."""
    return float(np.clip(2 - match.unlike, 0, 1)) if match.change else 0.0


def _unlike_warning(match: Match, seen: str) -> Iterator[str]:
    if match.change is None:
        yield f"There is next to no tissue or structure in the {seen} to tell its look by: the image was left as it is."
    elif match.unlike > 1:
        made = _share_of_change(match)
        done = f"only {made:.0%} of the change was made" if made else "the image was left as it is"
        yield f"The {seen} is of another kind than the references (out-of-distribution score {match.unlike:.1f}): {done}."


def _edges(pixels: NDArray[Any]) -> NDArray[np.float32]:
    grey = pixels.mean(-1, dtype=np.float64).astype(np.float32)
    edges: NDArray[np.float32] = np.hypot(*np.gradient(grey))
    return edges


def _outside(values: NDArray[np.float64], dtype: np.dtype[Any]) -> int:
    if dtype.kind == "f":
        return 0
    limits = np.iinfo(dtype)
    return int(np.count_nonzero((values < limits.min - 0.5) | (values > limits.max + 0.5)))
