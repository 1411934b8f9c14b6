"""The line of a dock that says how things are: progress, success, warnings, or an error with its details."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from napari_vaegan.widgets.failure import Failure

WARNING = "#c07800"
"""The colour of what the user should heed."""


class Message(QWidget):
    """One sentence for the user, and behind a button the traceback of an error."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._details = ""
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton("Details", self)
        self._button.setToolTip("Show where in the program the error arose, to report it.")
        self._button.clicked.connect(self.show_details)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignTop)
        self.say("")

    @property
    def text(self) -> str:
        """The sentence that is shown."""
        return self._label.text()

    @property
    def details(self) -> str:
        """The traceback behind the button; empty if there was no error."""
        return self._details

    def say(self, sentence: str) -> None:
        """Show a sentence."""
        self._show(sentence, "", "")

    def warn(self, sentence: str) -> None:
        """Show a sentence that the user should heed."""
        self._show(sentence, "", f"color: {WARNING};")

    def fail(self, failure: Failure) -> None:
        """Show an error, with its traceback behind the button."""
        self._show(failure.sentence, failure.details, "color: #d05040;")

    def _show(self, sentence: str, details: str, style: str) -> None:
        self._details = details
        self._label.setStyleSheet(style)
        self._label.setText(sentence)
        self._button.setVisible(bool(details))
        self.setVisible(bool(sentence))

    def show_details(self) -> None:
        """Open the traceback in a window of its own."""
        dialog = QDialog(self)
        dialog.setWindowTitle("Details of the error")
        dialog.resize(700, 400)
        text = QPlainTextEdit(self._details, dialog)
        text.setReadOnly(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
        buttons.rejected.connect(dialog.close)
        layout = QVBoxLayout(dialog)
        layout.addWidget(text)
        layout.addWidget(buttons)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
