"""How a training goes: its losses and the validation PSNR, live, with the stages marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph
from napari.utils.theme import get_theme
from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_vaegan.training.events import Event, StageChanged, Stepped, Validated

if TYPE_CHECKING:
    import napari

LOSSES = {
    "reconstruction": "Reconstruction",
    "kl": "KL divergence",
    "adversarial": "Adversarial",
}
"""Those that are drawn, with their titles, from top to bottom; below them the validation PSNR."""

_PSNR = "Validation PSNR (dB)"

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
"""Told apart by colour-blind readers as well (Okabe and Ito 2008)."""

_HEIGHT = 80
_LAST_HEIGHT = 120
_MOST_POINTS = 1000
_KEY_LINES = 6

_DRAW_MILLISECONDS = 500
"""Least time between two drawings: painting four plots takes the GUI long enough to be felt."""


class Series:
    """Points of one curve; once there are too many, neighbours are averaged."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.values: list[float] = []
        self._together = 1
        self._waiting: list[tuple[float, float]] = []

    def add(self, step: float, value: float) -> None:
        """Add a point; one that is not finite is left out."""
        if not np.isfinite(value):
            return
        self._waiting.append((step, value))
        if len(self._waiting) < self._together:
            return
        mean = np.mean(self._waiting, axis=0)
        self._waiting.clear()
        self.steps.append(float(mean[0]))
        self.values.append(float(mean[1]))
        if len(self.steps) >= _MOST_POINTS:
            self._together *= 2
            self.steps, self.values = _halved(self.steps), _halved(self.values)


class Curves(QWidget):
    """A small plot for each loss, and one for the validation; their colours follow napari's theme.

    Parameters
    ----------
    viewer
        Whose theme is followed.
    parent
        The dock.
    """

    def __init__(self, viewer: napari.Viewer, parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.series: dict[str, Series] = {}
        self._lines: dict[str, Any] = {}
        self._marks: list[Any] = []
        self._stages: list[str] = []
        self._undrawn: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DRAW_MILLISECONDS)
        self._timer.timeout.connect(self.draw)
        self.plots = {name: _plot(title) for name, title in {**LOSSES, "psnr": _PSNR}.items()}
        self.stage_key = QLabel(self)
        self.stage_key.setWordWrap(True)
        self.stage_key.setToolTip("The numbered lines in the plots mark where the stages begin.")
        self.key = QLabel(self)
        self.key.setWordWrap(True)
        # As high as it will be, or the whole dock would be laid out anew in the middle of a training.
        self.key.setMinimumHeight(_KEY_LINES * self.key.fontMetrics().lineSpacing())
        self.key.setToolTip("PSNR on images held apart, and in brackets its gain over the simple estimate.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stage_key)
        for name, plot in self.plots.items():
            plot.setToolTip(f"{name if name != 'psnr' else _PSNR} against the step; lines mark the stages of training.")
            layout.addWidget(plot)
        layout.addWidget(self.key)
        *above, last = self.plots.values()
        for plot in above:
            plot.setXLink(last)
            plot.getPlotItem().getAxis("bottom").setStyle(showValues=False)
        last.setFixedHeight(_LAST_HEIGHT)
        viewer.events.theme.connect(self._follow_theme)
        self._follow_theme()

    @property
    def stages(self) -> list[str]:
        """The stages that are marked."""
        return list(self._stages)

    def begin(self) -> None:
        """Clear all plots."""
        for plot in self.plots.values():
            plot.clear()
        self.series.clear()
        self._undrawn.clear()
        self._lines.clear()
        self._marks.clear()
        self._stages.clear()
        self.stage_key.setText("")
        self.key.setText("")

    def show_event(self, event: Event) -> None:
        """Draw what happened."""
        match event:
            case Stepped():
                for name in LOSSES:
                    if name in event.losses:
                        self._add(name, name, event.step, event.losses[name], _COLOURS[0])
            case Validated():
                for index, (kind, psnr) in enumerate(event.psnr.items()):
                    self._add("psnr", f"psnr {kind}", event.step, psnr, _COLOURS[index % len(_COLOURS)], dots=True)
                self.key.setText(_key(event))
            case StageChanged():
                self._mark(event)

    def leave(self) -> None:
        """Follow the viewer no longer."""
        self._viewer.events.theme.disconnect(self._follow_theme)

    def draw(self) -> None:
        """Bring the lines up to date."""
        for name in self._undrawn:
            series = self.series[name]
            self._lines[name].setData(series.steps, series.values)
            if name in LOSSES and len(series.values) > 3:
                self._show_what_matters(self.plots[name], series)
        self._undrawn.clear()

    def _add(self, plot: str, name: str, step: int, value: float, colour: str, dots: bool = False) -> None:
        if name not in self._lines:
            self.series[name] = Series()
            dotted = {"symbol": "o", "symbolSize": 4, "symbolBrush": colour, "symbolPen": None} if dots else {}
            self._lines[name] = self.plots[plot].plot(pen=pyqtgraph.mkPen(colour, width=1.5), **dotted)
        self.series[name].add(step, value)
        self._undrawn.add(name)
        if not self._timer.isActive():
            self._timer.start()

    def _show_what_matters(self, plot: Any, series: Series) -> None:
        """Leave the first steps out of the range: they are so far off that nothing could be seen of the others."""
        low, high = np.percentile(series.values, [0, 97])
        padding = 0.05 * (high - low) or 0.05
        plot.setYRange(low - padding, high + padding, padding=0)

    def _mark(self, event: StageChanged) -> None:
        self._stages.append(event.stage)
        number = event.index + 1
        for plot in self.plots.values():
            mark = pyqtgraph.InfiniteLine(
                event.step, label=f"{number}", labelOpts={"position": 0.85, "anchors": [(0, 0.5), (0, 0.5)]}
            )
            plot.addItem(mark)
            self._marks.append(mark)
            self._dress(mark)
        known = self.stage_key.text()
        self.stage_key.setText(f"{known}, {number} {event.stage}" if known else f"Stages: {number} {event.stage}")

    def _follow_theme(self, event: object = None) -> None:
        if not isalive(self):  # napari's events outlive the window
            return
        theme = get_theme(self._viewer.theme)
        background, text, rule = (colour.as_hex() for colour in (theme.background, theme.text, theme.highlight))
        for plot in self.plots.values():
            plot.setBackground(background)
            item = plot.getPlotItem()
            item.setTitle(item.titleLabel.text, color=text, size="8pt", justify="left")
            for name in ("left", "bottom"):
                item.getAxis(name).setPen(rule)
                item.getAxis(name).setTextPen(text)
        for mark in self._marks:
            self._dress(mark)

    def _dress(self, mark: Any) -> None:
        """Give a mark the colours of the theme."""
        theme = get_theme(self._viewer.theme)
        mark.setPen(pyqtgraph.mkPen(theme.highlight.as_hex(), style=pyqtgraph.QtCore.Qt.PenStyle.DashLine))
        mark.label.setColor(theme.text.as_hex())


def _plot(title: str) -> Any:
    plot = pyqtgraph.PlotWidget(title=title)
    plot.setFixedHeight(_HEIGHT)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.setMenuEnabled(False)
    item = plot.getPlotItem()
    item.titleLabel.setMaximumHeight(16)
    item.layout.setRowFixedHeight(0, 16)
    for name in ("left", "bottom"):
        axis = item.getAxis(name)
        font = axis.label.font()
        font.setPointSize(7)
        axis.setTickFont(font)
        axis.enableAutoSIPrefix(False)
    item.getAxis("left").setWidth(44)
    return plot


def _halved(values: list[float]) -> list[float]:
    return [float(value) for value in np.reshape(values[: len(values) // 2 * 2], (-1, 2)).mean(1)]


def _key(event: Validated) -> str:
    """Say which colour is which kind, and its latest PSNR."""
    entries = [
        f"<span style='color: {_COLOURS[index % len(_COLOURS)]}'>●</span>&nbsp;{_unbroken(kind)}&nbsp;{psnr:.1f}"
        f"&nbsp;({psnr - event.first_estimate_psnr[kind]:+.1f})"
        for index, (kind, psnr) in enumerate(event.psnr.items())
    ]
    return "&nbsp; ".join(entries)


def _unbroken(kind: str) -> str:
    """Keep a name on one line."""
    return kind.replace(" ", "&nbsp;").replace("-", "&#8209;")
