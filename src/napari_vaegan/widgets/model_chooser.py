"""A list of the known models and what the chosen one is; the same model is chosen in all docks."""

from __future__ import annotations

from pathlib import Path

from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_vaegan.errors import VaeganError
from napari_vaegan.widgets.known_models import KnownModel, known_models
from napari_vaegan.widgets.message import Message
from napari_vaegan.widgets.remembered import recall, remember

_FILES = "Models (*.vaegan);;All files (*)"


class ModelChooser(QWidget):
    """Chooses the model of all docks.

    Parameters
    ----------
    message
        Is told if a file is not a model.
    parent
        The dock.
    """

    chosen_changed = Signal()

    def __init__(self, message: Message, parent: QWidget) -> None:
        super().__init__(parent)
        self._message = message
        self.combo = QComboBox(self)
        self.combo.setToolTip("The model that restores: train one, open its file, or drop it on the viewer.")
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(10)
        self.combo.activated.connect(self._activated)
        self.open_button = QPushButton("Open…", self)
        self.open_button.setToolTip("Open a model file (.vaegan).")
        self.open_button.clicked.connect(self.ask)
        self.description = QLabel(self)
        self.description.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.combo, 1)
        row.addWidget(self.open_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.description)
        known_models.changed.connect(self._follow)
        self._follow()

    @property
    def chosen(self) -> KnownModel | None:
        """The model; None if there is none."""
        return known_models.chosen

    def choose(self, path: Path) -> None:
        """Choose a model file in all docks; if it is none, say so."""
        try:
            known_models.choose(path)
        except VaeganError as error:
            self._message.warn(str(error))

    def ask(self) -> None:
        """Let the user choose a file."""
        name, _ = QFileDialog.getOpenFileName(
            self, "Open a model", recall("model folder"), "Models (*.vaegan);;All files (*)"
        )
        if name:
            remember("model folder", str(Path(name).parent))
            self.choose(Path(name))

    def _activated(self, index: int) -> None:
        self.choose(self.combo.itemData(index).path)

    def _follow(self) -> None:
        if not isalive(self):  # the list of models outlives the window
            return
        self.combo.clear()
        for model in known_models.models:
            self.combo.addItem(model.label, model)
        self.description.setText(describe(self.chosen) if self.chosen else "There is no model yet.")
        self.setToolTip(tell_more(self.chosen) if self.chosen else "")
        self.chosen_changed.emit()


def describe(model: KnownModel) -> str:
    """Say in a line what a model was trained on."""
    header = model.header
    channels = "colour" if header.colour else f"{header.channels} channel{'' if header.channels == 1 else 's'}"
    return f"{header.training_set.get('images', '?')} images, {channels}, {header.dtype}"


def tell_more(model: KnownModel) -> str:
    """Say where a model lies, and what it was trained for."""
    return f"{model.path}, trained to {', '.join(model.header.config.tasks)}"
