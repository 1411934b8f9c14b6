"""napari-vaegan: train a VAE-GAN on a folder of microscopy images; generate, inpaint, super-resolve, denoise, match style.

The public names are imported when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_vaegan.batch import FolderSummary, GeneratedFolder, generate_folder, restore_folder
    from napari_vaegan.config import TrainingConfig
    from napari_vaegan.errors import (
        DataError,
        ModelFileError,
        OutputError,
        SettingError,
        ShapeError,
        Stopped,
        VaeganError,
    )
    from napari_vaegan.library import load, train
    from napari_vaegan.restoration.latents import Latents
    from napari_vaegan.restoration.model import Model
    from napari_vaegan.restoration.restoration import Restoration
    from napari_vaegan.training_check import TrainingCheck, check

__all__ = [
    "DataError",
    "FolderSummary",
    "GeneratedFolder",
    "Latents",
    "Model",
    "ModelFileError",
    "OutputError",
    "Restoration",
    "SettingError",
    "ShapeError",
    "Stopped",
    "TrainingCheck",
    "TrainingConfig",
    "VaeganError",
    "check",
    "generate_folder",
    "load",
    "restore_folder",
    "train",
]

_HOMES = {
    "TrainingConfig": "config",
    "TrainingCheck": "training_check",
    "check": "training_check",
    "train": "library",
    "load": "library",
    "restore_folder": "batch",
    "FolderSummary": "batch",
    "generate_folder": "batch",
    "GeneratedFolder": "batch",
    "Latents": "restoration.latents",
    "Model": "restoration.model",
    "Restoration": "restoration.restoration",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
