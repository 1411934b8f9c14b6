"""The page: its sections in order, in one file that asks for nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from napari_vaegan.durations import in_words
from napari_vaegan.report.calibration import calibration_section
from napari_vaegan.report.curves import curves_section
from napari_vaegan.report.diagnosis import diagnosis_section
from napari_vaegan.report.facts import time_section, training_section
from napari_vaegan.report.figures import percent, signed
from napari_vaegan.report.limits import limits_section
from napari_vaegan.report.markup import Markup, join, paragraph, section, text
from napari_vaegan.report.noise import noise_section
from napari_vaegan.report.results import generated_section, pictures_section, table_section
from napari_vaegan.restoration.header import Header

MARK = '<meta name="generator" content="napari-vaegan quality report">'
"""By which a report is known: nothing else is ever replaced."""

# The policy keeps a browser from running or fetching anything, whatever the page held.
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
$mark
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$name: quality report</title>
<style>
$style
</style>
</head>
<body>
<header>
<h1>$name</h1>
$summary
</header>
<main>
$sections
</main>
</body>
</html>
""")


def page(header: Header) -> str:
    """Return the report of a model as HTML."""
    quality, noisy = header.quality, header.noisy_only
    sections = [training_section(header)]
    if quality is None:
        words = "This model was not measured: it is of an earlier version, or its training was stopped."
        sections.append(section("How good it is", paragraph(words)))
    else:
        sections += [table_section(quality, noisy), pictures_section(quality, noisy), generated_section(quality)]
        sections.append(calibration_section(quality, noisy))
    sections += [noise_section(header), curves_section(header), diagnosis_section(header)]
    sections += [time_section(header, quality), limits_section(header)]
    return _PAGE.substitute(
        mark=MARK,
        name=text(header.name),
        style=files("napari_vaegan.report").joinpath("style.css").read_text(encoding="utf-8"),
        summary=_summary(header),
        sections=join([part for part in sections if part]),
    )


def _summary(header: Header) -> Markup:
    images = header.training_set.get("images", "?")
    words = f"Quality report of a model trained for {in_words(header.seconds)} on {images} images; it can {_tasks(header)}."
    return join([paragraph(words), _cards(header)])


def _tasks(header: Header) -> str:
    *most, last = header.config.tasks
    return f"{', '.join(most)} and {last}" if most else last


def _cards(header: Header) -> Markup:
    """Return the lead over the classical tools, and what the 90 % intervals cover, at a glance."""
    if header.quality is None:
        return Markup("")
    cards = []
    for one in header.quality.kinds:
        inside = dict(zip(one.levels, one.observed, strict=False)).get(0.9)
        covered = f"90 % intervals hold {percent(inside)}" if inside is not None else ""
        cards.append(
            f'<div class="card"><b>{text(one.kind)}</b><span class="figure">{text(signed(one.lead, 1) + " dB")}</span>'
            f"<span>over {text(one.tool)}</span><span>{text(covered)}</span></div>"
        )
    return Markup(f'<div class="cards">{"".join(cards)}</div>')
