"""How training stands by its own diagnosis: generation, latents, what is wrong and what is done about it."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_vaegan.training.diagnosis.findings import LARGEST_OVERFITTING, LEAST_ACTIVE, LEAST_DISTANCE, LEAST_SHARE
from napari_vaegan.training.diagnosis.words import in_words
from napari_vaegan.training.events import Diagnosed, Event, Finished
from napari_vaegan.widgets.message import WARNING

_LINES = 9

_TOOLTIP = f"""
<p>Training examines itself whenever it is validated, once it is some hundred steps old.</p>
<p><b>Near to:</b> the share of real images held apart that have a generated image near. In brackets, what training images
reach in the place of generated ones. <b>Variety:</b> how much generated images differ from each other; as real ones do is 1.
If either falls below {LEAST_SHARE:.0%} of its best, generated images show only a part of what there is.</p>
<p><b>Distance to training images:</b> 1 is as new as images held apart, 0 is a copy; below {LEAST_DISTANCE} training images
were learned by heart. So they were by the discriminator (the network that tells generated images from real ones) if it takes
real images held apart for generated ones, by more than {LARGEST_OVERFITTING:.0%}.</p>
<p><b>What is done:</b> while the generator learns from the discriminator, training goes back to its best weights, and on
with half of the adversarial weight.</p>
<p><b>Latents in use:</b> the share of the model's latent numbers, those of coarse structures first, that tell anything of an
image. If less than {LEAST_ACTIVE:.0%} of a level do twice in a row, the weight of the KL divergence, which presses on them,
is halved, down to a quarter.</p>
"""


class Health(QLabel):
    """What the last diagnosis found wrong and repaired, where it did, and below it what it measured."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setToolTip(_TOOLTIP)
        self.begin()

    def begin(self) -> None:
        """Show nothing before something was measured."""
        self._last: Diagnosed | None = None
        # As high as it will be if nothing is wrong, or the whole dock would be laid out anew in the middle of a training.
        self.setMinimumHeight(_LINES * self.fontMetrics().lineSpacing())
        self.setText("")

    def show_event(self, event: Event) -> None:
        """Show what was measured and done; in the end no repairs any more, as the summary tells them."""
        match event:
            case Diagnosed():
                self._last = event
                self._show(event, event.repairs + event.watched)
            case Finished() if self._last is not None:
                self._show(self._last, self._last.watched)

    def _show(self, event: Diagnosed, warnings: tuple[str, ...]) -> None:
        measured = [escape(sentence) for sentence in in_words(event.diagnosis)]
        wrong = [f"<span style='color: {WARNING}'>⚠ {escape(warning)}</span>" for warning in warnings]
        lines = [*wrong, *measured]
        self.setText("<br>".join([f"<b>At step {event.step:,}:</b> {lines[0]}", *lines[1:]]) if lines else "")
