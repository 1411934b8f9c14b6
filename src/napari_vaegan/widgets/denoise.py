"""The dock Denoise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_vaegan.widgets.restoration_dock import RestorationDock

if TYPE_CHECKING:
    import napari


class Denoise(RestorationDock):
    """Removes photon and read noise from a layer."""

    task = "denoise"
    function = "denoise"
    doing = "Denoising"
    done = "denoised"

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
