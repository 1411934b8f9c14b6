"""Times in words, as terminal, docks and reports say them."""

from __future__ import annotations


def in_words(seconds: float) -> str:
    """Return a time such as ``"12 s"``, ``"3 min 20 s"`` or ``"2 h 05 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
