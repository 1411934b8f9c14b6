"""What all docks have in common: a form that scrolls, Run and Stop, progress, a message, and their keys."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut, QShowEvent
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_vaegan.widgets.message import Message
from napari_vaegan.widgets.runner import Runner
from napari_vaegan.widgets.time_left import TimeLeft

if TYPE_CHECKING:
    import napari

WIDTH = 300
"""Pixels that every dock can live with."""

_TICKS = 1000

_WARM_UP_MILLISECONDS = 500
"""After a dock is shown, so that it is there at once."""


class Dock(QWidget):
    """A dock with one job. A subclass fills ``form``, and says what ``run`` does and what hinders it.

    Parameters
    ----------
    viewer
        That the dock works on.
    run_label
        On the button that starts the job.
    """

    def __init__(self, viewer: napari.Viewer, run_label: str) -> None:
        super().__init__()
        self.viewer = viewer
        self.runner = Runner(self)
        self.message = Message(self)
        self._time_left = TimeLeft()
        self._lay_out(run_label)
        self.runner.changed.connect(self.refresh)
        self.runner.changed.connect(self._show_start)
        self.runner.progressed.connect(self.show_progress)
        self.runner.failed.connect(self.message.fail)
        self.runner.stopped.connect(lambda: self.message.say("Stopped."))
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._shortcut(key, self.press_run)
        self._shortcut(Qt.Key.Key_Escape, self.runner.stop)

    def hindrance(self) -> str:
        """Return why the job cannot be started now, in a sentence; empty if it can."""
        raise NotImplementedError

    def run(self) -> None:
        """Start the job; called only if nothing hinders it."""
        raise NotImplementedError

    def press_run(self) -> None:
        """Do what the button Run does: start the job, or say why that cannot be."""
        if self.runner.busy:
            return
        hindrance = self.hindrance()
        if hindrance:
            self.message.warn(hindrance)
            return
        self.message.say("")
        self.run()

    def refresh(self) -> None:
        """Bring buttons up to date with what is possible now, and why not."""
        busy, hindrance = self.runner.busy, self.hindrance()
        self.run_button.setEnabled(not busy and not hindrance)
        self.run_button.setToolTip("It is running." if busy else hindrance or "Start (Enter).")
        self.stop_button.setEnabled(busy and not self.runner.stopping)
        self.stop_button.setToolTip("Stop within a second (Esc)." if busy else "Nothing is running.")
        self.stop_button.setText("Stopping…" if self.runner.stopping else "Stop")
        self.reason.setText("" if busy else hindrance)
        self.reason.setVisible(bool(self.reason.text()))
        self.form_widget.setEnabled(not busy)

    def show_progress(self, share: float) -> None:
        """Show the share that is done, and the time left."""
        self.progress_bar.setValue(round(share * _TICKS))
        self.progress_bar.setFormat(f"{share:.0%}{self._time_left.say(share)}")

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that napari gives the dock at first."""
        return QSize(WIDTH + 40, 560)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Load torch behind the scenes: that stops the GUI for a fifth of a second, better now than during a job."""
        super().showEvent(event)
        QTimer.singleShot(_WARM_UP_MILLISECONDS, warm_up)

    def event(self, event: QEvent) -> bool:
        """Leave the job when the dock is closed for good: napari then takes it out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.close_dock()
        return bool(super().event(event))

    def close_dock(self) -> None:
        """Leave the job: the dock is gone."""
        self.runner.leave()

    def _lay_out(self, run_label: str) -> None:
        self.form_widget = QWidget()
        self.form = QFormLayout(self.form_widget)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.form.setContentsMargins(4, 4, 4, 4)
        self.above_form, self.below_form = QVBoxLayout(), QVBoxLayout()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self.above_form)
        column.addWidget(self.form_widget)
        column.addLayout(self.below_form)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

        self.run_button = QPushButton(run_label, self)
        self.run_button.clicked.connect(self.press_run)
        self.stop_button = QPushButton("Stop", self)
        self.stop_button.clicked.connect(self.runner.stop)
        self.buttons = QHBoxLayout()
        self.buttons.addWidget(self.run_button, 2)
        self.buttons.addWidget(self.stop_button, 1)
        self.reason = QLabel(self)
        self.reason.setWordWrap(True)
        self.reason.setObjectName("reason")
        self.progress_bar = QProgressBar(self)
        self.progress_bar.setRange(0, _TICKS)
        self.progress_bar.setVisible(False)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.reason)
        layout.addLayout(self.buttons)
        layout.addWidget(self.progress_bar)
        layout.addWidget(self.message)
        self.setMinimumWidth(WIDTH - 60)

    def _show_start(self) -> None:
        begins = self.runner.busy and self.progress_bar.isHidden()
        self.progress_bar.setVisible(self.runner.busy)
        if begins:
            self._time_left = TimeLeft()
            self.show_progress(0.0)

    def _shortcut(self, key: Qt.Key, action: object) -> None:
        shortcut = QShortcut(QKeySequence(key), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(action)


@cache
def warm_up() -> None:
    """Import the library in a thread of its own, once a session."""
    Thread(target=import_module, args=("napari_vaegan.library",), name="import of torch").start()
