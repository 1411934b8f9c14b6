"""Where the terminal's words go: results to the standard output, progress and trouble to the standard error."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

output = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def say(message: str, style: str = "") -> None:
    """Print a result as one line, however long: what is piped elsewhere is not wrapped."""
    output.print(Text(message, style=style), soft_wrap=True)


def note(message: str, style: str = "") -> None:
    """Print a line about what is going on."""
    errors.print(Text(message, style=style), soft_wrap=True)


def in_words(seconds: float) -> str:
    """Return a time such as ``"12 s"``, ``"3 min 20 s"`` or ``"2 h 05 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
