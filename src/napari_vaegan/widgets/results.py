"""The layers of a restoration: best estimate, standard deviation and samples, placed over their source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray

from napari_vaegan.widgets.layer_chooser import OWN

if TYPE_CHECKING:
    import napari

    from napari_vaegan.restoration.restoration import Restoration

BRIGHT_PERCENTILE = 99
"""Of the uncertain pixels; from it on errors are shown brightest, or a few at the border would darken all others."""


@dataclass(frozen=True)
class Provenance:
    """How a result was made, and of what, captured when the job began: the source may be gone when it ends.

    Attributes
    ----------
    name
        Of the result, such as "nuclei denoised".
    placement
        See ``placement``.
    look
        How the source is shown: contrast limits, colormap, gamma, blending; ``rgb``.
    metadata
        The source's, and under ``napari-vaegan`` the model, task and settings.
    """

    name: str
    placement: dict[str, Any]
    look: dict[str, Any]
    metadata: dict[str, Any]


def look_of(layer: ImageLayer) -> dict[str, Any]:
    """Return how a layer is shown, as settings of another one."""
    look: dict[str, Any] = {"rgb": layer.rgb, "blending": layer.blending, "interpolation2d": layer.interpolation2d}
    if not layer.rgb:
        look |= {"contrast_limits": tuple(layer.contrast_limits), "colormap": layer.colormap, "gamma": layer.gamma}
    return look


def add_result(viewer: napari.Viewer, result: Restoration, made: Provenance) -> ImageLayer:
    """Add a restoration to the viewer, and return the layer of its best estimate, which lies on top."""
    own = {**made.metadata[OWN], "report": result.report}
    common = {**made.placement, "metadata": {**made.metadata, OWN: own}}
    if len(result.samples):
        _add_samples(viewer, result, made, common)
    std = np.sqrt(np.mean(result.std**2, axis=-1)) if made.look["rgb"] else result.std
    uncertain = std[std > 0]
    bright = float(np.percentile(uncertain, BRIGHT_PERCENTILE)) if uncertain.size else 1.0
    viewer.add_image(std, name=f"{made.name} error (std)", colormap="inferno", contrast_limits=(0, bright), **common)
    return add_image_of(viewer, result, made)


def add_image_of(viewer: napari.Viewer, result: Restoration, made: Provenance) -> ImageLayer:
    """Add the image of a restoration alone."""
    own = {**made.metadata[OWN], "report": result.report}
    metadata = {**made.metadata, OWN: own}
    layer: ImageLayer = viewer.add_image(result.image, name=made.name, metadata=metadata, **made.look, **made.placement)
    viewer.layers.selection.active = layer
    return layer


def _add_samples(viewer: napari.Viewer, result: Restoration, made: Provenance, common: dict[str, Any]) -> None:
    samples: NDArray[Any] = result.samples
    if made.look["rgb"]:  # napari takes colours in floats to lie between 0 and 1
        samples = np.stack([result.blend(1.0, index) for index in range(len(samples))])
    common = {**common, **_behind_samples(common)}
    viewer.add_image(samples, name=f"{made.name} samples", visible=False, **made.look, **common)


def _behind_samples(placement: dict[str, Any]) -> dict[str, Any]:
    """Return the placement of a stack of samples: the result's, with a first axis that counts them."""
    return {
        "scale": np.append(1.0, placement["scale"]),
        "translate": np.append(0.0, placement["translate"]),
        "rotate": _with_first_axis(placement["rotate"]),
        "shear": _with_first_shear(placement["shear"]),
        "affine": _with_first_axis(placement["affine"].affine_matrix),
        "units": ("pixel", *placement["units"]),
        "axis_labels": ("sample", *placement["axis_labels"]),
    }


def _with_first_axis(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    larger = np.eye(len(matrix) + 1)
    larger[1:, 1:] = matrix
    return larger


def _with_first_shear(shear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Napari keeps the upper triangle of a shear matrix, row by row: the new first row is all zero."""
    shear = np.asarray(shear, float)
    if shear.ndim == 2:
        return _with_first_axis(shear)
    dimensions = round((1 + np.sqrt(1 + 8 * len(shear))) / 2)
    return np.append(np.zeros(dimensions), shear)
