"""Pieces of HTML. Text becomes markup here and nowhere else: whatever a header says is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

Markup = NewType("Markup", str)
"""HTML that is safe to put into a page."""


def text(value: object) -> Markup:
    """Return any value as text."""
    return Markup(escape(str(value)))


def join(parts: Iterable[Markup]) -> Markup:
    """Put pieces one after another."""
    return Markup("\n".join(parts))


def paragraph(words: str, kind: str = "") -> Markup:
    """Return a paragraph."""
    return Markup(f'<p class="{escape(kind)}">{escape(words)}</p>' if kind else f"<p>{escape(words)}</p>")


def bullets(items: Sequence[str], kind: str = "") -> Markup:
    """Return a list of sentences."""
    return Markup(f'<ul class="{escape(kind)}">' + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>")


def section(title: str, *parts: Markup) -> Markup:
    """Return a section with its heading."""
    return Markup(f"<section>\n<h2>{escape(title)}</h2>\n{join(parts)}\n</section>")


def figure(drawing: Markup, words: str) -> Markup:
    """Return a figure with a sentence below that says what it shows and how to read it."""
    return Markup(f"<figure>\n{drawing}\n<figcaption>{escape(words)}</figcaption>\n</figure>")


def facts(rows: Sequence[tuple[str, str]]) -> Markup:
    """Return names and values as a table of two columns."""
    cells = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return Markup(f'<table class="facts">{cells}</table>')


def table(titles: Sequence[str], rows: Sequence[Sequence[Markup]]) -> Markup:
    """Return a table of figures; its first column names the rows. It scrolls where the page is narrow."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>" for row in rows
    )
    return Markup(
        f'<div class="wide"><table class="figures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def picture(png: str, words: str) -> Markup:
    """Return a picture, given as base64 of PNG, with words below it."""
    image = f'<img src="data:image/png;base64,{escape(png)}" alt="{escape(words)}">'
    return Markup(f'<div class="picture">{image}<span>{escape(words)}</span></div>')
