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
