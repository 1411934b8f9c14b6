"""The models that all docks choose from, and the one that is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_vaegan.errors import VaeganError
from napari_vaegan.restoration.header import Header
from napari_vaegan.restoration.header_file import read_header
from napari_vaegan.widgets.remembered import recall_list, remember

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

_REMEMBERED = 8


@dataclass(frozen=True)
class KnownModel:
    """A model file, and what it says of itself."""

    path: Path
    header: Header

    @property
    def label(self) -> str:
        """What lists call it."""
        return self.path.stem

    def does(self, task: str) -> bool:
        """Whether it was trained for a task; to match style takes no training."""
        return task == "match-style" or task in self.header.config.tasks


class KnownModels:
    """Model files by path, the last chosen first; shared by all docks, and remembered.

    The weights are read when a model is first used, in the thread that uses it, and those of the last model are kept.
    """

    changed = Signal()
    """Other models are known, or another is chosen."""

    def __init__(self) -> None:
        self._models: list[KnownModel] | None = None
        self._open: tuple[Path, int, Model] | None = None

    @property
    def models(self) -> tuple[KnownModel, ...]:
        """All that are known, the chosen one first. Remembered ones that are gone, or cannot be read, are left out."""
        if self._models is None:
            self._models = []
            for name in recall_list("models"):
                try:
                    self._models.append(KnownModel(Path(name), read_header(name)))
                except (VaeganError, OSError):
                    continue
        return tuple(self._models)

    @property
    def chosen(self) -> KnownModel | None:
        """The model that every dock uses."""
        return self.models[0] if self.models else None

    def choose(self, path: Path) -> KnownModel:
        """Choose a model file in all docks.

        Raises
        ------
        ModelFileError
            If it is missing or not a model.
        """
        path = Path(path).absolute()
        model = KnownModel(path, read_header(path))
        others = [other for other in self.models if other.path != path]
        self._models = [model, *others]
        remember("models", [str(known.path) for known in self._models[:_REMEMBERED]])
        self.changed.emit()
        return model

    def open(self, known: KnownModel) -> Model:
        """Read a model's weights, unless they are at hand. Called in worker threads.

        Raises
        ------
        ModelFileError
            If the file is gone, damaged or altered.
        """
        from napari_vaegan.library import load

        modified = known.path.stat().st_mtime_ns if known.path.is_file() else 0
        at_hand = self._open
        if at_hand is None or at_hand[:2] != (known.path, modified):
            at_hand = (known.path, modified, load(known.path))
            self._open = at_hand
        return at_hand[2]


known_models = KnownModels()
