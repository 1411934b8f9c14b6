"""Figures as SVG inside the page, in the page's own colour for lines and letters, so that they suit a dark page as well."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, TypeGuard

from napari_vaegan.report.markup import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the colour of the page's text, and is used for nothing else."""

COLOURS = ("#3b82d6", "#e0791b", "#2a9d5c", "#c2489b", "#8a74d6", "#8c8c1f", "#c4483d", "#2aa0a8")
"""Can be told apart, and read on white and on black."""

MARKERS = "os^Dv*PX"

SMALL, LARGE = 8.5, 9.5


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches, whose parts make room for one another."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="none")


def dress(axes: Axes, title: str = "", x: str = "", y: str = "") -> None:
    """Give axes the looks of the page."""
    axes.set_facecolor("none")
    axes.grid(True, color=INK, alpha=0.12, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=SMALL, length=3, width=0.6)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_edgecolor(INK)
        spine.set_linewidth(0.6)
    for set_words, words in ((axes.set_title, title), (axes.set_xlabel, x), (axes.set_ylabel, y)):
        set_words(words, color=INK, fontsize=LARGE, parse_math=False)


def add_legend(axes: Axes, **place: Any) -> None:
    """Name the lines."""
    legend = axes.legend(fontsize=SMALL, labelcolor=INK, frameon=False, **place)
    for words in legend.get_texts():
        words.set_parse_math(False)


def svg(figure: Figure, words: str) -> Markup:
    """Return a figure as an element of the page, with words for those who cannot see it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<!--.*?-->\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"<metadata>.*?</metadata>\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"<style [^>]*>.*?</style>\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r' id="[A-Za-z0-9.]*_\d+"', "", drawn)
    drawn = re.sub(r'(width|height)="[\d.]+pt" ?', "", drawn, count=2)
    drawn = drawn.replace(INK, "currentColor")
    return Markup(drawn.replace("<svg", f'<svg role="img" aria-label="{escape(words)}"', 1))


def finite(*series: Sequence[Any]) -> tuple[list[float], ...]:
    """Return series of one length, without the places where any of them has no finite number."""
    rows = [row for row in zip(*series, strict=False) if all(is_number(value) for value in row)]
    return tuple([float(row[index]) for row in rows] for index in range(len(series)))


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of a header can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
