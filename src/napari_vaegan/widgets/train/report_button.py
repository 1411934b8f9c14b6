"""The button that opens the quality report of the chosen model."""

from __future__ import annotations

from pathlib import Path

from qtpy.compat import isalive
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QPushButton, QWidget

from napari_vaegan.report.write import report_of
from napari_vaegan.widgets.known_models import known_models


class ReportButton(QPushButton):
    """Opens the report that lies beside the model that is chosen in all docks: after a training, that of its model."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Quality report…", parent)
        self.clicked.connect(self.open_report)
        known_models.changed.connect(self._follow)
        self.refresh()

    @property
    def report(self) -> Path | None:
        """Where the report should lie; None if no model is chosen."""
        return report_of(known_models.chosen.path) if known_models.chosen else None

    def refresh(self) -> None:
        """Say what would be opened, or why there is nothing."""
        report = self.report
        there = report is not None and report.is_file()
        self.setEnabled(there)
        if there:
            self.setToolTip(f"Open {report}: figures and pictures of how good the model is.")
        elif report is None:
            self.setToolTip("No model is chosen yet: train one.")
        else:
            self.setToolTip(f"There is no report at {report}: napari-vaegan info --html writes one for a model.")

    def open_report(self) -> None:
        """Open it in the browser, or whatever opens pages here."""
        report = self.report
        if report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(report)))

    def _follow(self) -> None:
        if isalive(self):  # the list of models outlives the window
            self.refresh()
