"""The layer on which one watches the model learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray

from napari_vaegan.training.events import Previewed
from napari_vaegan.widgets.layer_chooser import OWN
from napari_vaegan.widgets.train.mosaic import mosaic

if TYPE_CHECKING:
    import napari

_GAP = 0.05
"""Between what is in the viewer and the preview, as a share of the preview's height."""

_ROOM = (1210, 916)
"""Height and width of what is usually shown: five kinds of observation and generated images."""


class Preview:
    """Shows the latest pictures as one layer to the right of all others; selection, camera and sliders stay as they are.

    Parameters
    ----------
    viewer
        Where it is shown.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._latest: Previewed | None = None
        self._layer: ImageLayer | None = None

    @property
    def layer(self) -> ImageLayer | None:
        """The layer; None if there is none, or the user deleted it."""
        return self._layer if self._layer in self._viewer.layers else None

    @property
    def available(self) -> bool:
        """Whether there is anything to show."""
        return self._latest is not None

    def begin(self, channels: int) -> None:
        """Make room for the pictures of a training, even if the user deleted those of the one before.

        The layer is added before there is anything to show: that takes napari a third of a second, in which the window
        stands still, and which nobody notices as they press the button.

        Parameters
        ----------
        channels
            Of the images.
        """
        self._latest = None
        self._layer = self.layer
        if self._layer is None:
            shape = {1: _ROOM, 3: (*_ROOM, 3)}.get(channels, (channels, *_ROOM))
            self._add(np.zeros(shape, np.float32))

    def end(self) -> None:
        """Take the layer away if nothing was ever shown on it."""
        if self._latest is None and self.layer is not None:
            self._viewer.layers.remove(self.layer)
            self._layer = None

    def show(self, event: Previewed) -> None:
        """Show new pictures, unless the user deleted the layer."""
        self._latest = event
        if self._layer is None:
            self._add(mosaic(event))
        elif self.layer is not None:
            self._refresh(self.layer, mosaic(event))

    def reveal(self) -> None:
        """Bring the layer back if it was deleted, and look at it."""
        if self._latest is None:
            return
        if self.layer is None:
            self._add(mosaic(self._latest))
        assert self._layer is not None
        self._layer.visible = True
        self._look_at(self._layer)

    def _look_at(self, layer: ImageLayer) -> None:
        """Fit the view to a layer; napari's own way cannot do it for one of fewer dimensions than the viewer."""
        world = layer.extent.world[:, -2:]
        canvas = np.asarray(self._viewer.canvas.viewbox_size(self._viewer.layers))
        self._viewer.scene.camera.center = (0.0, *world.mean(axis=0))
        self._viewer.scene.camera.zoom = 0.95 * float(np.min(canvas / np.ptp(world, axis=0)))

    def _refresh(self, layer: ImageLayer, picture: NDArray[np.float32]) -> None:
        if layer.data.ndim == picture.ndim and layer.rgb == _is_colour(picture):
            layer.data = picture
        else:  # the images have other channels than those of the training before
            self._viewer.layers.remove(layer)
            self._add(picture)

    def _add(self, picture: NDArray[np.float32]) -> None:
        selected = set(self._viewer.layers.selection)
        rgb = _is_colour(picture)
        self._layer = self._viewer.add_image(
            picture,
            name="VAE-GAN preview",
            rgb=rgb,
            contrast_limits=None if rgb else (0, 1),
            metadata={OWN: {"preview": True}},
            **self._place(picture.shape[:2] if rgb else picture.shape),
        )
        if selected:
            self._viewer.layers.selection = selected

    def _place(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return scale and translate that put a picture to the right of the other layers, as high as they are."""
        others = self._viewer.layers
        if not others:
            return {}
        world = others.extent.world[:, -2:]
        (top, _), (bottom, right) = world
        height = bottom - top
        if not np.isfinite(world).all() or height <= 0:
            return {}
        pixel = height / shape[-2]
        first = [0.0] * (len(shape) - 2)
        place: dict[str, Any] = {
            "scale": [*([1.0] * len(first)), pixel, pixel],
            "translate": [*first, top, right + _GAP * height],
        }
        units = others.extent.units
        if units is not None and len(units) >= len(shape):
            place["units"] = units[-len(shape) :]
        return place


def _is_colour(picture: NDArray[np.float32]) -> bool:
    return picture.ndim == 3 and picture.shape[-1] == 3
