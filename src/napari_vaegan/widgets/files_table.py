"""What became of the files of a folder, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

if TYPE_CHECKING:
    from napari_vaegan.batch.summary import FileDone

COLUMNS = ("file", "status", "seconds", "note")

_FAILED = QColor("#d84a3a")
"""Legible on the grounds of both themes."""

_WIDTHS = (130, 64, 58, 320)
_HEIGHT = 150


class _Files(QAbstractTableModel):
    """A row for each file, in order."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._folder = Path()
        self.files: list[FileDone] = []

    def clear(self, folder: Path) -> None:
        """Begin anew, with the files of another folder."""
        self.beginResetModel()
        self._folder, self.files = folder, []
        self.endResetModel()

    def add(self, file: FileDone) -> None:
        """Add a row."""
        self.beginInsertRows(QModelIndex(), len(self.files), len(self.files))
        self.files.append(file)
        self.endInsertRows()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of files."""
        return 0 if parent is not None and parent.isValid() else len(self.files)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Return the name of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        file, column = self.files[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(file, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{file.path}\n{_note(file) or f'→ {file.output}'}"
        if role == Qt.ItemDataRole.ForegroundRole and file.status == "failed":
            return _FAILED
        if role == Qt.ItemDataRole.TextAlignmentRole and column == "seconds":
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.UserRole:  # what rows are sorted by
            return file.seconds if column == "seconds" else self._text(file, column)
        return None

    def _text(self, file: FileDone, column: str) -> str:
        if column == "file":
            return file.path.relative_to(self._folder).as_posix()
        if column == "status":
            return file.status
        if column == "seconds":
            return "" if file.status == "skipped" else f"{file.seconds:.1f}"
        return _note(file)


class FilesTable(QTableView):
    """Lists what was done with each file of a run; a click on a column's head sorts by it.

    Parameters
    ----------
    parent
        The dock.
    """

    opened = Signal(object)
    """A row was double-clicked: its ``FileDone``."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._files = _Files(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._files)
        self._sorted.setSortRole(Qt.ItemDataRole.UserRole)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)  # as they come, until the user chooses
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setMinimumHeight(_HEIGHT)
        self.setToolTip("What became of each image: double-click a row to open its result.")
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.doubleClicked.connect(lambda index: self.opened.emit(self._files.files[self._sorted.mapToSource(index).row()]))

    @property
    def files(self) -> tuple[FileDone, ...]:
        """The files, in the order in which they were done with."""
        return tuple(self._files.files)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The texts that are shown, row by row."""
        model = self._sorted
        return [
            tuple(str(model.index(row, column).data()) for column in range(len(COLUMNS))) for row in range(model.rowCount())
        ]

    def clear(self, folder: Path) -> None:
        """Begin anew, with the files of a folder."""
        self._files.clear(folder)

    def add(self, file: FileDone) -> None:
        """Add a file below the others, and keep the last one in view if it was."""
        bar = self.verticalScrollBar()
        at_end = bar.value() == bar.maximum()
        self._files.add(file)
        if at_end:
            self.scrollToBottom()


def _note(file: FileDone) -> str:
    """Return what there is to say, without the folders of the file: its row names it."""
    return file.reason.replace(str(file.path), file.path.name) or " ".join(file.warnings)
