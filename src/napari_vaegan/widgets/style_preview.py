"""A live preview of a change of look, on the part of the image that the window shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer

from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.known_models import KnownModel, known_models
from napari_vaegan.widgets.layer_chooser import OWN
from napari_vaegan.widgets.layer_image import Part
from napari_vaegan.widgets.placement import placement
from napari_vaegan.widgets.results import look_of
from napari_vaegan.widgets.runner import Runner

if TYPE_CHECKING:
    import napari

    from napari_vaegan.restoration.model import Model
    from napari_vaegan.restoration.style.look import Match

_PATIENCE_MILLISECONDS = 60
"""After the last movement of slider or camera."""


@dataclass(frozen=True)
class Wish:
    """What is to be previewed.

    Attributes
    ----------
    layer
        The source.
    model
        Which model.
    whole
        The part of the layer that the change is found for.
    shown
        The part of it that the window shows.
    style, source, seed, strength
        As the library takes them.
    """

    layer: ImageLayer
    model: KnownModel
    whole: Part
    shown: Part
    style: Any
    source: str | None
    seed: int
    strength: float

    @property
    def finds_same(self) -> tuple[Any, ...]:
        """What the change depends on: it is found anew only if this differs."""
        style = self.style if isinstance(self.style, str) else id(self.style)
        whole = self.whole.axes, self.whole.offset, self.whole.pixels.shape
        return id(self.layer), self.model.path, *whole, style, self.source, self.seed


def _find(model: Model, wish: Wish) -> Match:
    from napari_vaegan.restoration.subject import Subject

    subject = Subject.of(wish.whole.pixels, model.channels, wish.whole.axes)
    return model.matcher.match(subject, wish.style, wish.source, wish.seed)


class StylePreview(QObject):
    """Shows the change as a layer of its own, which goes when the dock does.

    Parameters
    ----------
    viewer
        Where to show it.
    wish
        Asked what to preview; None if nothing can be.
    parent
        The dock.
    """

    def __init__(self, viewer: napari.Viewer, wish: Callable[[], Wish | None], parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._wish = viewer, wish
        self.runner = Runner(self, shown=False)
        self.runner.returned.connect(self._show)
        self.layer: ImageLayer | None = None
        self._drawn: Wish | None = None
        self._found: tuple[tuple[Any, ...], Match] | None = None
        self._again = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE_MILLISECONDS)
        self._timer.timeout.connect(self._draw)
        viewer.scene.camera.events.connect(self._follow)
        viewer.dims.events.current_step.connect(self._follow)

    def draw(self) -> None:
        """Draw what is wished for, soon; of several wishes the last one counts."""
        self._timer.start()

    def remove(self) -> None:
        """Take the preview away."""
        self._timer.stop()
        self._again = False
        self.runner.leave()
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def close(self) -> None:
        """Take the preview away, and follow the viewer no longer."""
        self._viewer.scene.camera.events.disconnect(self._follow)
        self._viewer.dims.events.current_step.disconnect(self._follow)
        self.remove()

    def _follow(self, event: object = None) -> None:
        if self.layer is not None:
            self.draw()

    def _draw(self) -> None:
        if self.runner.busy:
            self._again = True
            return
        wish = self._wish()
        if wish is None:
            self.remove()
            return
        self._drawn = wish
        found = self._found if self._found is not None and self._found[0] == wish.finds_same else None

        def work(control: Control) -> tuple[Match, NDArray[Any]]:
            from napari_vaegan.restoration.match_style import change_look
            from napari_vaegan.restoration.subject import Subject

            model = known_models.open(wish.model)
            match = found[1] if found else _find(model, wish)
            shown = Subject.of(wish.shown.pixels, model.channels, wish.shown.axes)
            return match, change_look(shown, match, wish.strength, control.progress).restored_image

        self.runner.start(f"Previewing the style of {wish.layer.name}", work)

    def _show(self, result: tuple[Match, NDArray[Any]]) -> None:
        assert self._drawn is not None
        wish, (match, image) = self._drawn, result
        self._found = (wish.finds_same, match)
        place = placement(wish.layer, wish.shown.axes, wish.shown.offset)
        if self.layer is None or self.layer not in self._viewer.layers:
            self.layer = self._add(image, wish, place)
        else:
            self.layer.data = image
            self.layer.translate = place["translate"]
        if self._again:
            self._again = False
            self.draw()

    def _add(self, image: NDArray[Any], wish: Wish, place: dict[str, Any]) -> ImageLayer:
        selected = set(self._viewer.layers.selection)
        metadata = {OWN: {"preview": True}}
        name = f"preview of {wish.layer.name}"
        layer: ImageLayer = self._viewer.add_image(image, name=name, metadata=metadata, **look_of(wish.layer), **place)
        self._viewer.layers.selection = selected
        return layer
