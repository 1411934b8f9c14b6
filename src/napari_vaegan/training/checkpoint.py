"""Checkpoints: all that training needs to go on as if it had never stopped."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from napari_vaegan.errors import ModelFileError
from napari_vaegan.images.atomic import atomic_write

CHECKPOINT_VERSION = 1


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written there.
    """
    with atomic_write(path) as temporary:
        torch.save({"version": CHECKPOINT_VERSION, **state}, temporary)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint: numbers, texts and tensors alone; nothing in it is executed.

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
        state = torch.load(path, map_location="cpu", weights_only=True)
        version = state["version"]
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, OSError) as error:
        raise ModelFileError(f"The checkpoint {path} is damaged ({type(error).__name__}): train anew.") from None
    if version != CHECKPOINT_VERSION:
        raise ModelFileError(
            f"The checkpoint {path} is of format {version}, this version reads {CHECKPOINT_VERSION}: "
            "resume with the version that wrote it."
        )
    return dict(state)
