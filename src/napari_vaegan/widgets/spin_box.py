"""A field for a whole number."""

from __future__ import annotations

from qtpy.QtWidgets import QSpinBox


def spin_box(smallest: int, value: int, largest: int, tooltip: str) -> QSpinBox:
    """Return a field for a whole number from the smallest to the largest, holding this value."""
    box = QSpinBox()
    box.setRange(smallest, largest)
    box.setValue(value)
    box.setToolTip(tooltip)
    return box
