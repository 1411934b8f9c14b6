"""Folder runs: every image of a folder restored, and written under the same names in another folder."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.batch.leaving import Left, watch
from napari_vaegan.batch.outputs import (
    make_writable_folder,
    note_in_file,
    notes_on,
    plan_outputs,
    side_output,
    stem,
    write_sides,
)
from napari_vaegan.batch.summary import FileDone, FolderSummary
from napari_vaegan.errors import DataError, OutputError, SettingError, VaeganError
from napari_vaegan.images.atomic import atomic_write
from napari_vaegan.images.image import Image
from napari_vaegan.images.reading import SUFFIXES, find_files, read_image
from napari_vaegan.images.writing import write_image
from napari_vaegan.library import load
from napari_vaegan.observation.degradations import FACTORS
from napari_vaegan.restoration.effort import Effort, Quality
from napari_vaegan.restoration.match_style import check_strength
from napari_vaegan.restoration.model import Model
from napari_vaegan.restoration.progress import OnProgress, no_progress, part_of
from napari_vaegan.restoration.realism import check_realism
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.style.source import describe_style

logger = logging.getLogger(__name__)

FolderTask = Literal["denoise", "super-resolve", "inpaint", "match-style"]

RECORD = "restore-folder.json"
"""Name of the file that says how the images beside it were made."""


@dataclass(frozen=True)
class _Job:
    """What is asked of every image of a folder."""

    model: Model
    task: FolderTask
    factor: int
    mask: Path | NDArray[Any] | None
    style: Any
    strength: float
    one_change: bool
    source: Path
    inputs: tuple[Path, ...]
    effort: Effort
    axes: str | None
    realism: float
    write_std: bool
    overwrite: bool

    def settings(self) -> dict[str, Any]:
        """Return what a reader needs to make the same images again."""
        if self.task == "match-style":
            own = {"style": describe_style(self.style), "strength": self.strength, "one_change": self.one_change}
            return {"seed": self.effort.seed, "axes": self.axes, **own}
        settings: dict[str, Any] = {**asdict(self.effort), "axes": self.axes, "realism": self.realism}
        if self.task == "super-resolve":
            settings["factor"] = self.factor
        if self.task == "inpaint":
            settings["mask"] = str(self.mask) if isinstance(self.mask, Path) else "an array"
        return settings

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is written beside every image."""
        return ("std",) * self.write_std + ("samples",) * (self.effort.samples > 0)

    def outputs(self, output: Path) -> tuple[Path, ...]:
        """Return every file that an image gives, the restored image last: once it is there, all are."""
        return (*(side_output(output, kind) for kind in self.kinds), output)


def restore_folder(
    model: Model | str | os.PathLike[str],
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    task: FolderTask = "denoise",
    *,
    factor: int = 2,
    mask: Any = None,
    style: Any = None,
    strength: float = 1.0,
    one_change: bool = False,
    samples: int = 8,
    seed: int = 0,
    axes: str | None = None,
    realism: float = 0.0,
    quality: Quality = "fast",
    write_std: bool = False,
    write_samples: bool = False,
    overwrite: bool = False,
    on_file_started: Callable[[Path, int, int], None] = lambda path, number, total: None,
    on_file: Callable[[FileDone], None] = lambda file: None,
    on_progress: OnProgress = no_progress,
    stop: Callable[[], bool] = lambda: False,
) -> FolderSummary:
    """Restore every image of a folder and its sub-folders into another folder.

    Each image is written in its own dtype, under its own name and with its pixel size, axes and channel names. What
    JPEG files hold becomes TIFF. How the images were made is written beside them, in ``restore-folder.json``.

    Parameters
    ----------
    model
        A model, or the file of one.
    source
        Folder of images: TIFF, PNG, JPEG.
    destination
        Folder for the restored ones; made if it is not there. It may lie inside ``source``, and is then no input.
    task
        What to do: ``"denoise"``, ``"super-resolve"``, ``"inpaint"`` or ``"match-style"``.
    factor
        Of super-resolution: 2, 3 or 4.
    mask
        Of inpainting, True or above 0 where a pixel is missing: an array or a file for all images, or a folder with a
        mask of the same name for each.
    style, strength
        Of matching style: where the look comes from, and how much of it, as in ``Model.match_style``.
    one_change
        Of matching style: whether one change is found from all images of the folder, which share a slide, series or
        laboratory, and made of each; if not, each gets a change of its own.
    samples
        How many possible truths to draw, if they are written.
    seed
        The same seed draws the same samples.
    axes
        Axes of every image, such as ``"TYX"``, where the files do not say; guessed if None.
    realism
        Of the images that are written: 0, the best estimate, of least error; 1, one possible truth, which looks real and is
        partly invented; or between. Their files say so.
    quality
        ``best`` averages all flips and quarter turns, for eight times the time; see ``Model.inpaint``.
    write_std
        Also write the calibrated standard deviation, float32, as ``name.std.tif``.
    write_samples
        Also write the samples, float32, as one stack ``name.samples.tif``.
    overwrite
        Whether files that are there already are replaced. If not, an image whose files are all there is skipped, and
        only those that are missing are written.
    on_file_started
        Told the path of each image before it is read, which one it is, counted from 1, and how many there are.
    on_file
        Told each image that is done with.
    on_progress
        Told the share of the whole run that is done, also within an image; whatever it raises ends the run.
    stop
        Asked about ten times a second; once it returns True, the image at hand is left and the run ends.

    Returns
    -------
    FolderSummary
        What became of each image. One that cannot be restored is listed with the reason, and does not stop the run.

    Raises
    ------
    DataError
        If the source is missing or has no images.
    SettingError
        If a setting cannot be used, or the model was not trained for the task.
    ModelFileError
        If the model cannot be read.
    OutputError
        If the destination is the source, would receive results over inputs, or cannot be written.
    """
    _check_task(task, factor, mask)
    _check_style(task, style, strength, one_change, write_std or write_samples or realism > 0)
    effort = Effort(samples, seed, quality)
    check_realism(realism)
    if write_samples and samples == 0:
        raise SettingError("There are no samples to write: say how many to draw.")
    source, destination = Path(source), Path(destination)
    inputs = _find_inputs(source, destination, mask)
    mask = _open_mask(mask)
    model = model if isinstance(model, Model) else load(model)
    if task != "match-style":
        model.check_task(task)
    if not write_samples:
        effort = replace(effort, samples=0)
    job = _Job(
        model,
        task,
        factor,
        mask,
        style,
        strength,
        one_change,
        source,
        tuple(inputs),
        effort,
        axes,
        realism,
        write_std,
        overwrite,
    )
    names = [path.relative_to(source) for path in inputs]
    plan = dict(zip(inputs, plan_outputs(source, names, job.kinds), strict=True))
    _refuse_inputs_as_outputs(plan, destination, job)
    make_writable_folder(destination)

    started = datetime.now(UTC)
    files: list[FileDone] = []
    stopped = False
    try:
        for index, (path, name) in enumerate(plan.items()):
            if stopped := stop():
                break
            on_file_started(path, index + 1, len(plan))
            told = part_of(on_progress, index, len(plan))
            done = partial(FileDone, path, destination / name, index + 1, len(plan))
            files.append(_restore_file(job, path, destination / name, done, watch(told, stop)))
            told(1.0)
            on_file(files[-1])
    except Left as left:
        if left.__cause__ is not None:
            raise left.__cause__ from None
        stopped = True
    finally:
        # Also when the listener raises or the user interrupts: the images that were made keep their record.
        _record(job, destination, started, files)
    return FolderSummary(tuple(files), stopped)


def _check_task(task: str, factor: int, mask: Any) -> None:
    if task not in get_args(FolderTask):
        raise SettingError(f"The task cannot be {task!r}: choose {', '.join(get_args(FolderTask))}.")
    if task == "super-resolve" and factor not in FACTORS:
        raise SettingError(f"The factor of super-resolution cannot be {factor}: choose 2, 3 or 4.")
    if task == "inpaint" and mask is None:
        raise SettingError("Inpainting needs a mask: give an array, a mask file, or a folder of masks.")
    if task != "inpaint" and mask is not None:
        raise SettingError(f"A mask was given, but {task} takes none: leave it out, or choose the task inpaint.")


def _check_style(task: str, style: Any, strength: float, one_change: bool, estimates: bool) -> None:
    check_strength(strength)
    if task != "match-style":
        if style is not None:
            raise SettingError(f"A style was given, but {task} takes none: leave it out, or choose the task match-style.")
        if one_change:
            raise SettingError(
                f"One change for all images is no setting of {task}: leave it out, or choose the task match-style."
            )
    elif estimates:
        raise SettingError("Matching style has no standard deviation, samples or realism: a look is no estimate.")


def _open_mask(mask: Any) -> Path | NDArray[Any] | None:
    """Return a folder of masks as its path, and anything else as an array."""
    if mask is None:
        return None
    if isinstance(mask, str | os.PathLike):
        path = Path(mask)
        return path if path.is_dir() else np.asarray(read_image(path).pixels)
    return np.asarray(mask)


def _find_inputs(source: Path, destination: Path, mask: Any) -> list[Path]:
    """Return the images of the source, without results and masks that lie in it."""
    files = find_files(source)
    home = source.resolve()
    if destination.resolve() == home:
        raise OutputError(f"The results cannot be written into the source folder {source}: choose another folder.")
    apart = [destination.resolve()]
    if isinstance(mask, str | os.PathLike):
        apart.append(Path(mask).resolve())
        if apart[-1] == home:
            raise SettingError(f"Masks and images cannot lie in the same folder {source}: put them into two.")
    apart = [path for path in apart if path.is_relative_to(home)]
    inputs = [path for path in files if not any(path.resolve().is_relative_to(other) for other in apart)]
    if not inputs:
        raise DataError(f"There are no images in {source}: put TIFF, PNG or JPEG files there.")
    return inputs


def _refuse_inputs_as_outputs(plan: dict[Path, Path], destination: Path, job: _Job) -> None:
    inputs = {path.resolve() for path in plan}
    for name in plan.values():
        for output in job.outputs(destination / name):
            if output.resolve() in inputs:
                raise OutputError(f"{output} is one of the images to restore, and would be replaced: choose another folder.")


def _restore_file(job: _Job, path: Path, output: Path, done: Callable[..., FileDone], on_progress: OnProgress) -> FileDone:
    """Restore an image; ``done`` makes what became of it from its status on."""
    begin = time.perf_counter()
    if not job.overwrite and all(wanted.exists() for wanted in job.outputs(output)):
        return done("skipped", "done already")
    try:
        image = read_image(path, job.axes)
        result = _restore(job, path, image, on_progress)
        _write(job, output, result, image)
    except VaeganError as error:
        return done("failed", str(error), time.perf_counter() - begin)
    except Left:
        raise
    except Exception as error:  # whatever is wrong with one file, the others are still to be done
        logger.exception("Unexpected error while restoring %s", path)
        return done("failed", f"unexpected: {type(error).__name__}: {error}", time.perf_counter() - begin)
    return done("restored", "", time.perf_counter() - begin, notes_on(result, image))


def _restore(job: _Job, path: Path, image: Image, on_progress: OnProgress) -> Restoration:
    if job.task == "match-style":
        seed, source = job.effort.seed, list(job.inputs) if job.one_change else None
        return job.model.match_style(image.pixels, job.style, job.strength, seed, image.axes, on_progress, source)
    common: dict[str, Any] = {
        **asdict(job.effort),
        "axes": image.axes,
        "on_progress": on_progress,
        "realism": job.realism,
    }
    if job.task == "inpaint":
        return job.model.inpaint(image.pixels, _mask_of(job, path), **common)
    if job.task == "super-resolve":
        return job.model.super_resolve(image.pixels, job.factor, **common)
    return job.model.denoise(image.pixels, **common)


def _mask_of(job: _Job, path: Path) -> NDArray[Any]:
    """Return the mask of an image: the one for all, or that of the same name, whatever the ending."""
    if not isinstance(job.mask, Path):
        return np.asarray(job.mask)
    wanted = job.mask / path.relative_to(job.source)
    candidates = [wanted, *(wanted.with_name(stem(wanted.with_suffix("").name) + suffix) for suffix in SUFFIXES)]
    for candidate in candidates:
        if candidate.is_file():
            return np.asarray(read_image(candidate).pixels)
    raise DataError(f"There is no mask {wanted}: give one of the image's name.")


def _write(job: _Job, output: Path, result: Restoration, image: Image) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    common: dict[str, Any] = {
        "magnification": job.factor if job.task == "super-resolve" else 1,
        "overwrite": job.overwrite,
    }
    write_sides(output, result, image, std=job.write_std, samples=job.effort.samples > 0, **common)
    if job.overwrite or not output.exists():
        write_image(output, result.image, image.axes, like=image, note=note_in_file(result), **common)


def _record(job: _Job, destination: Path, started: datetime, files: Sequence[FileDone]) -> None:
    """Add this run to the record of the folder; runs that changed nothing are not worth an entry."""
    done = [file for file in files if file.status != "skipped"]
    if not done:
        return
    path = destination / RECORD
    runs: list[Any] = []
    # A record that cannot be read was not written here, or is damaged: this run starts a new one.
    with suppress(OSError, ValueError, KeyError, TypeError):
        runs = list(json.loads(path.read_text(encoding="utf-8"))["runs"])
    header = job.model.header
    runs.append(
        {
            "started": started.isoformat(timespec="seconds"),
            "task": job.task,
            "settings": job.settings(),
            "model": {"name": header.name, "created": header.created, "versions": header.versions},
            "napari-vaegan": version("napari-vaegan"),
            "files": [
                {
                    "input": file.path.relative_to(job.source).as_posix(),
                    "output": file.output.relative_to(destination).as_posix(),
                    "status": file.status,
                    "reason": file.reason,
                    "warnings": list(file.warnings),
                }
                for file in done
            ],
        }
    )
    try:
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps({"runs": runs}, indent=1, ensure_ascii=False), encoding="utf-8")
    except OutputError as error:
        logger.warning("%s The images are there, what is lost is the record of how they were made.", error)
