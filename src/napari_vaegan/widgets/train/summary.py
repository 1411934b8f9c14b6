"""What a training came to, in a few lines."""

from __future__ import annotations

from html import escape
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtWidgets import QLabel, QWidget

from napari_vaegan.durations import in_words
from napari_vaegan.training.events import Event, Finished, Validated, Warned

_LINK = "#4a90d9"
"""Can be read on a dark and on a light theme."""


class Summary(QLabel):
    """Collects what a training tells, and says at its end how good the model is and where it lies."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setOpenExternalLinks(True)
        self.setToolTip(
            "PSNR of the best estimate on images held apart, in dB; in brackets what it gains over the simple estimate "
            "(filling, interpolation, or the noisy image itself)."
        )
        self.begin()

    def begin(self) -> None:
        """Forget the training before."""
        self._warnings: list[str] = []
        self._first_estimates: dict[str, float] = {}
        self.setVisible(False)

    def show_event(self, event: Event) -> None:
        """Remember what the summary needs."""
        match event:
            case Warned():
                self._warnings.append(event.message)
            case Validated():
                self._first_estimates = event.first_estimate_psnr

    def show_end(self, end: Finished, model: Path) -> None:
        """Say what the training came to."""
        how = "Stopped after" if end.stopped else "Trained"
        folder = QUrl.fromLocalFile(str(model.parent)).toString()
        rows = "".join(
            f"<tr><td>{escape(kind)}&nbsp;&nbsp;</td><td align='right'>{psnr:.1f} dB{self._gain(kind, psnr)}</td></tr>"
            for kind, psnr in end.psnr.items()
        )
        warnings = "".join(f"<p>⚠ {escape(warning)}</p>" for warning in self._warnings)
        where = f"it lies in <a href='{folder}' style='color: {_LINK}'>{escape(str(model.parent))}</a>"
        later = "<p>Resume makes it better.</p>" if end.stopped else ""
        self.setText(
            f"<b>{how} {end.step:,} steps in {in_words(end.seconds)}.</b>"
            f"<p>{escape(model.name)} is chosen in all docks; {where}.</p>"
            f"{later}<table>{rows}</table>{warnings}"
        )
        self.setVisible(True)

    def _gain(self, kind: str, psnr: float) -> str:
        return f" ({psnr - self._first_estimates[kind]:+.1f})" if kind in self._first_estimates else ""
