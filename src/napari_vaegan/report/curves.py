"""How training went: losses, validation, and what averaging samples gains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_vaegan.report.drawing import COLOURS, INK, MARKERS, SMALL, add_legend, dress, is_number, new_figure, svg
from napari_vaegan.report.markup import Markup, figure, paragraph, section
from napari_vaegan.restoration.header import Header

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Series = dict[str, tuple[list[float], list[float]]]
"""Steps and values by name."""

COLUMNS = 3

VALIDATION_SAMPLES = 2
"""That validation averages."""


def expected_gain(samples: int) -> float:
    """Return by how many dB the average of independent samples of the right distribution is nearer to the truth than one.

    The error of one has twice the variance that is left, that of the average 1 + 1 / samples times it.
    """
    return 10 * math.log10(2 / (1 + 1 / samples))


def curves_section(header: Header) -> Markup:
    """Return the training curves."""
    losses = dict(series_of(header, "losses"))
    psnr, gain = dict(series_of(header, "psnr")), dict(series_of(header, "gain"))
    parts = []
    if losses:
        parts.append(
            figure(
                _draw_losses(header, losses),
                "What the training made small, one panel a term, over its steps: what was recorded (dots) and its "
                f"running mean (line). Dashed lines mark where a new stage begins ({_stages_in_words(header)}). Falling "
                "and then flat is good. The adversarial terms are a contest, so they should stay level and not run "
                "away; KL divergences are the information that the latents carry, and should not fall to 0.",
            )
        )
    if psnr:
        parts.append(
            figure(
                _draw_validation(header, psnr, gain),
                "Left: PSNR of the best estimate on images held apart, for every kind of observation. Curves that "
                "still rise at their end say that longer training would help; curves that fall, that the training went "
                "wrong or learned its images by heart: the best of all is what was kept. Right: by how much the "
                f"average of {VALIDATION_SAMPLES} samples is nearer to the truth than one sample. At the dotted line "
                f"({expected_gain(VALIDATION_SAMPLES):.2f} dB) samples differ as much as the truth is uncertain; far "
                "below it they are too alike.",
            )
        )
    if not parts:
        parts.append(paragraph("The file holds no curves."))
    return section("How training went", *parts)


def series_of(header: Header, what: str) -> Iterator[tuple[str, tuple[list[float], list[float]]]]:
    """Yield name, steps and values of everything that was recorded under this heading."""
    points: dict[str, tuple[list[float], list[float]]] = {}
    for entry in header.curves:
        values, step = entry.get(what), entry.get("step")
        for name, value in values.items() if isinstance(values, dict) else ():
            if is_number(step) and is_number(value):
                steps, series = points.setdefault(str(name), ([], []))
                steps.append(float(step))
                series.append(float(value))
    yield from points.items()


def smoothed(values: list[float]) -> list[float]:
    """Return the running mean over a twentieth of the values."""
    reach = len(values) // 40
    windows = (values[max(0, at - reach) : at + reach + 1] for at in range(len(values)))
    return [math.fsum(window) / len(window) for window in windows]


def stage_starts(header: Header) -> list[tuple[float, str]]:
    """Return at which step each stage was first recorded."""
    starts: list[tuple[float, str]] = []
    for entry in header.curves:
        step, stage = entry.get("step"), entry.get("stage")
        if is_number(step) and isinstance(stage, str) and stage not in [name for _, name in starts]:
            starts.append((float(step), stage))
    return starts[:8]


def _draw_losses(header: Header, losses: Series) -> Markup:
    plain = {name: series for name, series in losses.items() if not name.startswith("kl level") and name != "skipped"}
    levels = {name: series for name, series in losses.items() if name.startswith("kl level")}
    panels: list[tuple[str, Series]] = [(name, {name: series}) for name, series in list(plain.items())[:12]]
    if levels:
        panels.append(("kl of each level", dict(list(levels.items())[:8])))
    rows = -(-len(panels) // COLUMNS)
    drawing = new_figure(10, 1.9 * rows + 0.2)
    for index, (title, series) in enumerate(panels):
        axes = drawing.add_subplot(rows, COLUMNS, index + 1)
        for number, (name, (steps, values)) in enumerate(series.items()):
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(steps, values, color=colour, linestyle="none", marker=".", markersize=2, alpha=0.5)
            axes.plot(steps, smoothed(values), color=colour, linewidth=1.3, label=name.removeprefix("kl "))
        if all(value > 0 for _, values in series.values() for value in values):
            axes.set_yscale("log")
        dress(axes, title, "step" if index + COLUMNS >= len(panels) else "")
        axes.tick_params(which="minor", left=False, labelleft=False)
        axes.set_xlim(0, last_step(losses))
        mark_stages(axes, header)
        if len(series) > 1:
            add_legend(axes, ncols=2, handlelength=1.2, columnspacing=0.8)
    return svg(drawing, "Losses over the steps of training")


def _draw_validation(header: Header, psnr: Series, gain: Series) -> Markup:
    drawing = new_figure(10, 3.6)
    left, right = drawing.subplots(1, 2)
    for axes, series in ((left, psnr), (right, gain)):
        for index, (name, (steps, values)) in enumerate(list(series.items())[:8]):
            colour = COLOURS[index % len(COLOURS)]
            axes.plot(steps, values, color=colour, marker=MARKERS[index], markersize=4, linewidth=1.2, label=name)
        axes.set_xlim(0, 1.02 * last_step(psnr))
    dress(left, "validation PSNR of the best estimate", "step", "dB")
    dress(right, f"gain of averaging {VALIDATION_SAMPLES} samples", "step", "dB")
    right.axhline(expected_gain(VALIDATION_SAMPLES), color=INK, linestyle=":", linewidth=1)
    mark_stages(left, header)
    mark_stages(right, header)
    handles, labels = left.get_legend_handles_labels()
    legend = drawing.legend(
        handles, labels, loc="outside lower center", ncols=len(labels), fontsize=SMALL, labelcolor=INK, frameon=False
    )
    for words in legend.get_texts():
        words.set_parse_math(False)
    return svg(drawing, "Validation PSNR and gain of averaging over the steps of training")


def last_step(series: Series) -> float:
    """Return up to where the curves go."""
    return max(1.0, *(steps[-1] for steps, _ in series.values()))


def mark_stages(axes: Axes, header: Header) -> None:
    """Begin each stage with a dashed line and its number."""
    for index, (start, _) in enumerate(stage_starts(header)):
        if index:
            axes.axvline(start, color=INK, alpha=0.45, linestyle="--", linewidth=0.8)
        place = axes.get_xaxis_transform()
        words = axes.text(start, 1.0, f" {index + 1}", transform=place, fontsize=7.5, color=INK, alpha=0.75, va="top")
        words.set_in_layout(False)


def _stages_in_words(header: Header) -> str:
    return ", ".join(f"{index + 1}: {name}" for index, (_, name) in enumerate(stage_starts(header)))
