"""The Python that does what a dock did, for napari's console or a script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer

from napari_vaegan.widgets.layer_image import Part


def load_line(model: Path) -> str:
    """Return the line that opens a model."""
    return f"model = nv.load({str(model)!r})"


def image_line(layer: ImageLayer, part: Part) -> str:
    """Return the line that takes the part's pixels out of a layer."""
    cut = [":"] * len(part.axes)
    for dimension, (letter, begin) in enumerate(zip(part.axes[: layer.ndim], part.offset, strict=True)):
        if letter in "TZ" and part.pixels.shape[dimension] == 1:
            cut[dimension] = f"{begin}:{begin + 1}"
    if layer.rgb:
        cut[-1] = ":3"
    pixels = f"viewer.layers[{layer.name!r}].data{'[0]' if layer.multiscale else ''}"
    taken = "" if set(cut) == {":"} else f"[{', '.join(cut)}]"
    source = f"  # from {layer.source.path}" if layer.source.path else ""
    return f"image = {pixels}{taken}{source}"


def call(function: str, arguments: tuple[str, ...], settings: Mapping[str, Any]) -> str:
    """Return a call with positional arguments as they stand, and settings by name."""
    named = [f"{name}={value!r}" for name, value in settings.items()]
    return f"{function}({', '.join([*arguments, *named])})"


def script(*lines: str) -> str:
    """Return these lines below the import that they need."""
    return "\n".join(["import napari_vaegan as nv", "", *lines, ""])
