"""Whether memory suffices: asked before it is taken, as a process that takes too much is killed without a word."""

from __future__ import annotations

import psutil

from napari_vaegan.errors import SettingError


def check_memory(needed: int, work: str, advice: str) -> None:
    """Refuse work that needs more memory than there is.

    Parameters
    ----------
    needed
        Bytes.
    work
        What needs them, as the beginning of a sentence.
    advice
        What to do instead, as its end.

    Raises
    ------
    SettingError
        With that sentence.
    """
    available = psutil.virtual_memory().available
    if needed > available:
        raise SettingError(
            f"{work} needs about {_in_words(needed)} of memory, and {_in_words(available)} are available: {advice}."
        )


def _in_words(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
