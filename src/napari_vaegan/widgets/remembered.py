"""What is remembered from one session of napari to the next: the last models, folders and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import platformdirs
from qtpy.QtCore import QSettings


def _settings() -> QSettings:
    path = Path(platformdirs.user_config_dir("napari-vaegan")) / "docks.ini"
    return QSettings(str(path), QSettings.Format.IniFormat)


def recall(name: str, default: str = "") -> str:
    """Return what was remembered under this name."""
    value: Any = _settings().value(name, default)
    return str(value)


def recall_list(name: str) -> list[str]:
    """Return the list that was remembered under this name."""
    text = recall(name)
    return text.split("\n") if text else []


def remember(name: str, value: str | list[str]) -> None:
    """Remember a value until another is given."""
    _settings().setValue(name, "\n".join(value) if isinstance(value, list) else value)
