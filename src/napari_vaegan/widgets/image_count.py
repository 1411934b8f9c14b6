"""How many images a folder holds, counted in a worker thread while the user types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal

from napari_vaegan.images.reading import find_files
from napari_vaegan.widgets.control import Control
from napari_vaegan.widgets.failure import Failure
from napari_vaegan.widgets.runner import Runner

_PAUSE_MILLISECONDS = 250
"""After the last key stroke."""


class ImageCount(QObject):
    """Counts the images of a folder and its sub-folders, but for those that lie in some of them.

    Parameters
    ----------
    parent
        The dock.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.runner = Runner(self, shown=False, computes=False)
        self.runner.returned.connect(self._take)
        self.runner.failed.connect(self._fail)
        self._wanted: tuple[Path, ...] = ()
        self._counting: tuple[Path, ...] = ()
        self.count: int | None = None
        """The number of images; None as long as it is not known."""
        self.fault = ""
        """Why they cannot be counted, in a sentence."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MILLISECONDS)
        self._timer.timeout.connect(self._start)

    def of(self, folder: Path | None, without: Sequence[Path] = ()) -> None:
        """Count the images of a folder, in a moment; only the latest wish counts."""
        wanted = (folder, *without) if folder else ()
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self.count, self.fault = None, ""
        self.changed.emit()
        self._timer.start()

    def again(self) -> None:
        """Count anew: there may be others by now."""
        self._timer.start()

    def leave(self) -> None:
        """Count no more."""
        self._timer.stop()
        self.runner.leave()

    def _start(self) -> None:
        if not self._wanted or self.runner.busy:
            return
        self._counting = self._wanted
        folder, *without = self._counting

        def work(control: Control) -> int:
            return count_images(folder, without)

        self.runner.start("Counting images", work)

    def _take(self, count: int) -> None:
        self._settle(count, "")

    def _fail(self, failure: Failure) -> None:
        self._settle(None, failure.sentence)

    def _settle(self, count: int | None, fault: str) -> None:
        if self._counting != self._wanted:
            self._start()
            return
        self.count, self.fault = count, fault
        self.changed.emit()


def count_images(folder: Path, without: Sequence[Path]) -> int:
    """Return how many images a folder holds, without those that lie in some places of it.

    Raises
    ------
    DataError
        If the folder is missing or cannot be listed.
    """
    apart = [path.resolve() for path in without if path.resolve() != folder.resolve()]
    return sum(not any(path.resolve().is_relative_to(other) for other in apart) for path in find_files(folder))
