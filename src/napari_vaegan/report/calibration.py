"""Whether the error bars hold: what intervals promise against what they cover."""

from __future__ import annotations

from collections.abc import Sequence

from napari_vaegan.report.drawing import COLOURS, INK, MARKERS, add_legend, dress, finite, new_figure, svg
from napari_vaegan.report.figures import number, percent
from napari_vaegan.report.markup import Markup, figure, paragraph, section, table, text
from napari_vaegan.restoration.quality_record import KindQuality, QualityRecord

HALVES = {
    "images": "on one half of the images held apart and counted on the other half, and the other way round",
    "parts": "on one half of each image held apart and counted on its other half, and the other way round",
    "patches": "on some patches and counted on others of the same small images, which may overlap: rather too good a figure",
}

TOLD = (0.5, 0.9, 0.95)
"""Levels whose figures stand in the table."""


def calibration_section(quality: QualityRecord, noisy: bool) -> Markup:
    """Return expected against observed coverage, and how wide intervals are."""
    if not quality.kinds:
        return section("Do the error bars hold?", paragraph("There is nothing to restore, hence there are no error bars."))
    words = (
        "What intervals promise against the share of true pixels that lay inside. They were calibrated "
        f"{HALVES[quality.halves]}. On the diagonal the promise holds; below it intervals are too narrow (overconfident), "
        "above it too wide. The bars are standard errors over patches: with few patches, points stray that far by chance."
    )
    if noisy:
        words += (
            " The images are noisy themselves: their noise is allowed for by its fitted law, and in the error bars of "
            "denoising, here as in use, the doubt of that law too. What is wrong with the law itself cannot be seen here."
        )
    widths = (
        "The same in figures, and the mean full width, in grey levels, of the intervals that the model gives. Half of the "
        "width of the 90 % interval is what may be written after a ±."
    )
    return section(
        "Do the error bars hold?",
        figure(_draw(quality.kinds), words),
        figure(_table(quality.kinds), widths),
    )


def _draw(kinds: Sequence[KindQuality]) -> Markup:
    drawing = new_figure(6.4, 4.6)
    axes = drawing.add_subplot()
    axes.plot([0, 1], [0, 1], color=INK, linestyle=":", linewidth=1)
    for index, one in enumerate(kinds[:8]):
        levels, observed, errors = finite(one.levels, one.observed, one.errors)
        beside = 0.005 * (index - (len(kinds) - 1) / 2)  # or their bars would hide one another
        axes.errorbar(
            [level + beside for level in levels],
            observed,
            yerr=[max(error, 0) for error in errors],
            color=COLOURS[index],
            marker=MARKERS[index],
            markersize=4,
            linewidth=1.1,
            elinewidth=0.8,
            capsize=2,
            label=one.kind,
        )
    dress(axes, "", "share promised", "share of true pixels inside")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_aspect("equal")
    add_legend(axes, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return svg(drawing, "Expected against observed coverage of the intervals")


def _table(kinds: Sequence[KindQuality]) -> Markup:
    titles = ["", *(f"inside {percent(level)}" for level in TOLD), "width of 50 %", "width of 90 %"]
    rows = []
    for one in kinds:
        observed, errors, widths = (
            dict(zip(one.levels, values, strict=False)) for values in (one.observed, one.errors, one.widths)
        )
        inside = [
            text(f"{percent(observed[level], 1)} ± {percent(errors.get(level, 0), 1)}" if level in observed else "–")
            for level in TOLD
        ]
        wide = [text(number(widths[level]) if level in widths else "–") for level in (0.5, 0.9)]
        rows.append([text(one.kind), *inside, *wide])
    return table(titles, rows)
