"""The choice between a restoration in one pass, and a better one in eight."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QWidget


class QualityChooser(QCheckBox):
    """A box to tick, off at first."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("best (8 times slower)", parent)
        self.setToolTip(
            "Restore the image in all its flips and quarter turns, and average: a little nearer to the truth. "
            "The error bars stay those of one pass, and are rather too wide then."
        )

    @property
    def settings(self) -> dict[str, str]:
        """What the library's call takes by name; nothing where the default holds."""
        return {"quality": "best"} if self.isChecked() else {}
