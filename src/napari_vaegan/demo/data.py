"""The nuclei that come with the package: a part to train on, a part that stays unseen, and the sample for napari."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

VOXEL_MICROMETRES = (0.29, 0.26, 0.26)
"""Along Z, Y and X."""

# Neighbouring planes show the same nuclei, so fields of view are held apart, not planes. Between them lies a gap.
_TRAINING_FIELD = (slice(0, 152), slice(0, 256))
_VALIDATION_FIELD = (slice(160, 256), slice(0, 128))
_UNSEEN_FIELD = (slice(160, 256), slice(136, 256))
_UNSEEN_PLANES = (4, 8, 12, 16, 20)


def read_nuclei() -> NDArray[np.uint16]:
    """Read the whole stack (26, 256, 256)."""
    with as_file(files("napari_vaegan") / "data" / "nuclei.tif") as path:
        stack: NDArray[np.uint16] = tifffile.imread(path)
    return stack


def training_stacks() -> list[NDArray[np.uint16]]:
    """Return two stacks (26, Y, X) of separate fields of view: a large one, then a small one to validate with.

    Of two images training holds one apart: with seed 0, the second.
    """
    stack = read_nuclei()
    return [stack[:, *field] for field in (_TRAINING_FIELD, _VALIDATION_FIELD)]


def unseen_images() -> list[NDArray[np.uint16]]:
    """Return images (96, 120) of a field of view that training knows nothing of, at five depths."""
    stack = read_nuclei()
    return [stack[plane][_UNSEEN_FIELD] for plane in _UNSEEN_PLANES]


def nuclei_layers() -> list[tuple[Any, dict[str, Any], str]]:
    """Return the stack as napari's layer data, with its voxel size."""
    settings = {
        "name": "nuclei",
        "scale": VOXEL_MICROMETRES,
        "units": ("micrometer",) * 3,
        "axis_labels": ("z", "y", "x"),
    }
    return [(read_nuclei(), settings, "image")]
