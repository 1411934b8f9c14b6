"""How training watched itself: what it measured of generation and latents, what it found, and what it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from napari_vaegan.report.curves import COLUMNS, Series, last_step, mark_stages, series_of
from napari_vaegan.report.drawing import COLOURS, INK, MARKERS, add_legend, dress, is_number, new_figure, svg
from napari_vaegan.report.markup import Markup, bullets, figure, paragraph, section
from napari_vaegan.restoration.header import Header
from napari_vaegan.training.diagnosis.findings import LARGEST_OVERFITTING, LEAST_ACTIVE, LEAST_DISTANCE

_MOST_TOLD = 100


@dataclass(frozen=True)
class Panel:
    """Curves that share a limit: a number, or the name of a curve."""

    title: str
    curves: dict[str, str]
    limit: float | str


def diagnosis_section(header: Header) -> Markup:
    """Return how training watched itself; nothing if it did not, as in files of earlier versions."""
    measured, told = dict(series_of(header, "diagnosis")), list(_told(header))
    panels = [panel for panel in _panels(measured) if any(name in measured for name in panel.curves)]
    parts = []
    if panels:
        parts.append(
            figure(
                _draw(header, panels, measured),
                "What was measured at each validation, on images held apart. Beyond a dotted line something is wrong. "
                "Coverage: the share of real images that have a generated one near, and what training images reach in "
                "their place. Variety: how much generated images differ from each other; as real ones do is 1. Distance "
                "to training images: as new as images held apart is 1, a copy is 0. Overfitting of the discriminator: 1 "
                "if it takes all real images that it was not trained on for generated ones. Latents in use: the share "
                "of each level that tells anything of an image; level 1 is the coarsest.",
            )
        )
        if not told:
            parts.append(paragraph("Nothing was found wrong."))
    if told:
        parts.append(bullets(told, "warning"))
    return section("How training watched itself", *parts) if parts else Markup("")


def _told(header: Header) -> Iterator[str]:
    """Yield what was found and done, with its step."""
    for entry in header.curves:
        step, sentences = entry.get("step"), entry.get("told")
        for sentence in sentences[:_MOST_TOLD] if isinstance(sentences, list) else ():
            if is_number(step) and isinstance(sentence, str):
                yield f"Step {step:,.0f}: {sentence}"


def _panels(measured: Series) -> list[Panel]:
    levels = [name for name in measured if name.startswith("active latents")][: len(MARKERS)]
    return [
        Panel("coverage", {"coverage": "generated images", "floor": "training images"}, "least coverage"),
        Panel("variety", {"diversity": "generated images"}, "least diversity"),
        Panel("distance to training images", {"distance": "generated images"}, LEAST_DISTANCE),
        Panel("overfitting of the discriminator", {"overfitting": "discriminator"}, LARGEST_OVERFITTING),
        Panel("latents in use", {name: name.removeprefix("active latents ") for name in levels}, LEAST_ACTIVE),
    ]


def _draw(header: Header, panels: list[Panel], measured: Series) -> Markup:
    rows = -(-len(panels) // COLUMNS)
    drawing = new_figure(10, 2.3 * rows + 0.2)
    for index, panel in enumerate(panels):
        axes = drawing.add_subplot(rows, COLUMNS, index + 1)
        curves = [(label, *measured[name]) for name, label in panel.curves.items() if name in measured]
        for number, (label, steps, values) in enumerate(curves):
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            axes.plot(steps, values, color=colour, marker=marker, markersize=3.5, linewidth=1.2, label=label)
        if not isinstance(panel.limit, str):
            axes.axhline(panel.limit, color=INK, linestyle=":", linewidth=1.2)
        elif panel.limit in measured:
            axes.plot(*measured[panel.limit], color=INK, linestyle=":", linewidth=1.2)
        dress(axes, panel.title, "step" if index + COLUMNS >= len(panels) else "")
        axes.set_xlim(0, 1.02 * last_step(measured))
        axes.set_ylim(min(0.0, axes.get_ylim()[0]), max(1.05, axes.get_ylim()[1]))
        mark_stages(axes, header)
        if len(curves) > 1:
            add_legend(axes, ncols=1 if len(curves) == 2 else 2, handlelength=1.2, columnspacing=0.8)
    return svg(drawing, "Self-diagnosis over the steps of training")
