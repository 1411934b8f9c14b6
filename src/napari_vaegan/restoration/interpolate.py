"""Interpolate: images on the way from one to another, through the latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.restoration.encode import as_latents, decode
from napari_vaegan.restoration.progress import OnProgress, no_progress, part_of

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model


def interpolate(
    model: Model, first: Any, second: Any, count: int = 5, on_progress: OnProgress = no_progress
) -> NDArray[Any]:
    """Draw images on the way between two; see ``Model.interpolate``."""
    if count < 2:
        raise SettingError(f"The way between two images cannot have {count} steps: give at least 2, its ends.")
    start, end = as_latents(model, first), as_latents(model, second)
    way = [start.towards(end, share) for share in np.linspace(0, 1, count).tolist()]
    return np.stack([decode(model, step, part_of(on_progress, index, count)) for index, step in enumerate(way)])
