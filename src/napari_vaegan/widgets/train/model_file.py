"""Where the trained model goes, and its checkpoint beside it."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_vaegan.widgets.remembered import recall, remember

SUFFIX = ".vaegan"
CHECKPOINT_SUFFIX = ".checkpoint"


def checkpoint_of(model: Path) -> Path:
    """Return where the checkpoint of a model lies."""
    return model.with_name(model.name + CHECKPOINT_SUFFIX)


def model_of(checkpoint: Path) -> Path:
    """Return where the model of a checkpoint goes."""
    path = checkpoint.with_name(checkpoint.name.removesuffix(CHECKPOINT_SUFFIX))
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def free_name(path: Path) -> Path:
    """Return this path, with a number if a model or its checkpoint lies there already."""
    numbered = (path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(1))
    return next(free for free in numbered if not free.exists() and not checkpoint_of(free).exists())


class ModelFile(QWidget):
    """A line for the model's file: proposed from the source until the user types another."""

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._own = False
        self.line = QLineEdit(self)
        self.line.setToolTip("Where the model goes when training has ended; nothing is ever overwritten.")
        self.line.textEdited.connect(self._edited)
        self.line.textChanged.connect(self.changed)
        self.browse_button = QPushButton("Browse…", self)
        self.browse_button.setToolTip("Choose the model's folder and name in a window.")
        self.browse_button.clicked.connect(self.ask)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.browse_button)

    @property
    def path(self) -> Path | None:
        """The model's file; None if none is given."""
        text = self.line.text().strip()
        if not text:
            return None
        path = Path(text).expanduser().absolute()
        return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)

    def propose(self, folder: Path | None, name: str) -> None:
        """Propose a free name: beside the folder, or for layers in the folder last used. One that was typed is kept."""
        if self._own:
            return
        beside = folder is not None and os.access(folder.parent, os.W_OK)
        place = folder.resolve().parent if folder and beside else Path(recall("model folder", str(Path.home())))
        self.line.setText(str(free_name(place / f"{name}{SUFFIX}")) if name else "")

    def give(self, path: Path) -> None:
        """Take a path, as if it were typed."""
        self._own = True
        self.line.setText(str(path))

    def release(self) -> None:
        """Let the next proposal replace what is there: it is in use."""
        self._own = False

    def hindrance(self, resuming: bool) -> str:
        """Return why the model cannot go there; empty if it can.

        Parameters
        ----------
        resuming
            Whether the training goes on from the checkpoint there, so that it and the model so far are to be replaced.
        """
        path = self.path
        if path is None:
            return "The model has no name yet: say where it is to go."
        if not path.parent.is_dir():
            return f"The folder {path.parent} does not exist: create it or choose another."
        if not os.access(path.parent, os.W_OK):
            return f"The folder {path.parent} cannot be written: choose another."
        if path.is_dir() or (path.exists() and not resuming):
            return f"{path} exists already: choose another name for the model."
        if checkpoint_of(path).exists() and not resuming:
            return f"{checkpoint_of(path)} is left of an interrupted training: resume it, or choose another name."
        return ""

    def ask(self) -> None:
        """Let the user choose a file."""
        start = str(self.path or recall("model folder"))
        name, _ = QFileDialog.getSaveFileName(
            self, "Where the model goes", start, f"Models (*{SUFFIX})", options=QFileDialog.Option.DontConfirmOverwrite
        )
        if name:
            remember("model folder", str(Path(name).parent))
            self.give(Path(name))

    def _edited(self, text: str) -> None:
        self._own = bool(text.strip())
