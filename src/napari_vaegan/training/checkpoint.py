"""Checkpoints: all that training needs to go on as if it had never stopped."""

from __future__ import annotations

import os
import pickle
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from napari_vaegan.config import TrainingConfig
from napari_vaegan.errors import ModelFileError, SettingError
from napari_vaegan.images.atomic import atomic_write

CHECKPOINT_VERSION = 11


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written there.
    """
    with atomic_write(path) as temporary:
        torch.save({"version": CHECKPOINT_VERSION, **state}, temporary)


def read_checkpoint(path: Path, tensors: bool = True) -> dict[str, Any]:
    """Read a checkpoint: numbers, texts and tensors alone; nothing in it is executed.

    Parameters
    ----------
    path
        Of the checkpoint.
    tensors
        Whether the tensors are read too; if not, they stay in the file, which must not change while they are held.

    Raises
    ------
    ModelFileError
        If there is none, it is damaged, or from a newer version.
    """
    if not path.exists():
        raise ModelFileError(f"There is no checkpoint at {path}: start the training without resuming.")
    if not zipfile.is_zipfile(path):
        raise ModelFileError(f"{path} is damaged or not a checkpoint: train anew.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=not tensors)
        version = state["version"]
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, OSError) as error:
        raise _damaged(path, error) from None
    if version != CHECKPOINT_VERSION:
        raise ModelFileError(
            f"The checkpoint {path} is of format {version}, this version reads {CHECKPOINT_VERSION}: "
            "resume with the version that wrote it."
        )
    return dict(state)


@dataclass(frozen=True)
class CheckpointSummary:
    """What a checkpoint says of its training.

    Attributes
    ----------
    path
        Of the checkpoint.
    config
        How the model is trained.
    source
        Where its images come from: absolute paths, or names where they were no files. Empty if that was not noted.
    step
        Steps made.
    progress
        Of the whole training, from 0 to 1; None if that was not noted.
    saved_at
        When it was written, with the time zone; None if that was not noted.
    channels
        Image channels.
    """

    path: Path
    config: TrainingConfig
    source: tuple[str, ...]
    step: int
    progress: float | None
    saved_at: datetime | None
    channels: int


def describe_checkpoint(path: str | os.PathLike[str]) -> CheckpointSummary:
    """Read what a checkpoint says of its training, without its weights: quick, however large it is.

    Raises
    ------
    ModelFileError
        If there is none, it is damaged, or from a newer version.
    """
    path = Path(path)
    state = read_checkpoint(path, tensors=False)
    try:
        return CheckpointSummary(
            path,
            TrainingConfig(**state["config"]),
            tuple(state.get("source", ())),
            state["step"],
            state.get("progress"),
            datetime.fromisoformat(state["saved_at"]) if "saved_at" in state else None,
            state["channels"],
        )
    except (KeyError, TypeError, ValueError, SettingError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> ModelFileError:
    return ModelFileError(f"The checkpoint {path} is damaged ({type(error).__name__}): train anew.")
