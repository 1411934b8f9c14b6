"""Opening a ``.vaegan`` file in the viewer: it is chosen in all docks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari.utils.notifications import show_info

from napari_vaegan.widgets.known_models import known_models

NO_LAYER = (None,)


def model_reader(path: str | list[str]) -> Callable[[str | list[str]], list[tuple[None]]] | None:
    """Return what opens this path, if it is a model file."""
    first = path[0] if isinstance(path, list) else path
    return choose_model if first.lower().endswith(".vaegan") else None


def choose_model(path: str | list[str]) -> list[tuple[None]]:
    """Choose the model; there is no layer to show.

    Raises
    ------
    ModelFileError
        If the file is not a model.
    """
    model = known_models.choose(Path(path[-1] if isinstance(path, list) else path))
    show_info(f"The model {model.label} is chosen in the VAE-GAN docks: it can {', '.join(model.header.config.tasks)}.")
    return [NO_LAYER]
