"""What of the world the viewer shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari.layers import Layer

if TYPE_CHECKING:
    import napari


def fit_to(viewer: napari.Viewer, layers: Sequence[Layer]) -> None:
    """Bring layers into view; where the viewer has more dimensions than they have, which napari cannot take, all layers."""
    fewer = any(layer.ndim < viewer.dims.ndim for layer in layers)
    viewer.fit_to_view(layers=None if fewer else list(layers))
