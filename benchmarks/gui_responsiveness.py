"""How long napari's window stands still while a model is trained in its dock, and how soon a Stop is honoured.

A timer in the GUI thread of a real napari ticks every 5 ms; what is reported is the longest time between two ticks.

    xvfb-run -s "-screen 0 1400x1000x24" python benchmarks/gui_responsiveness.py --minutes 1
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tifffile

TICK_MILLISECONDS = 5
DOCKS = ("Train", "Generate", "Inpaint", "Super-resolve", "Denoise", "Restore folder")

Script = Iterator[Callable[[], bool]]


class Watch:
    """Notes the longest times between two ticks of the GUI thread, and what went on then."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.doing = ""
        self.gaps: list[tuple[float, str]] = []
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MILLISECONDS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to watch."""
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.stop()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append((now - self._last, self.doing))
        self._last = now


def measure(viewer: Any, images: Path, minutes: float, preset: str) -> Script:
    """Open every dock, train, and stop a second training in its middle."""
    yield until(2)
    for name in DOCKS:
        begin = time.perf_counter()
        dock, _ = viewer.window.add_plugin_dock_widget("napari-vaegan", name)
        print(f"opening {name}: {time.perf_counter() - begin:.2f} s; torch imported: {'torch' in sys.modules}")
        if name != "Train":
            viewer.window.remove_dock_widget(dock)
    train = viewer.window.dock_widgets["Train (napari-vaegan)"]
    yield until(5)  # torch is imported behind the scenes half a second after a dock is shown
    train.settings.fields["preset"].set_value(preset)
    train.settings.fields["minutes"].set_value(minutes)
    train.source.folder.give(images)
    checked: list[object] = []
    train.check.checked.connect(lambda: checked.append(train.check.result))
    yield lambda: any(checked)
    watch, saved = Watch(), []

    def listen(event: Any) -> None:
        watch.doing = f"{type(event).__name__} at step {getattr(event, 'step', 0)}, {getattr(event, 'stage', '')}"
        if type(event).__name__ == "CheckpointSaved":
            saved.append(time.perf_counter())

    train.runner.told.connect(listen)
    train.press_run()
    watch.start()
    yield lambda: not train.runner.busy
    watch.stop()
    longest = sorted(watch.gaps, reverse=True)[:5]
    print(f"training {preset}, {train.summary.text().split('</b>')[0].split('<b>')[-1]}")
    print("longest times without a tick of the GUI thread:")
    for gap, doing in longest:
        print(f"  {1000 * gap:.0f} ms ({doing or 'before the first event'})")
    for share in (0.3, 0.75):
        train.press_run()
        yield lambda share=share: train.progress_bar.value() > 1000 * share
        saved.clear()
        begin = time.perf_counter()
        train.stop_button.click()
        yield lambda: not train.runner.busy
        print(
            f"Stop at {share:.0%}: checkpoint seen after {saved[0] - begin:.2f} s, model saved after "
            f"{time.perf_counter() - begin:.2f} s"
        )


def until(seconds: float) -> Callable[[], bool]:
    """Wait so long."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def main() -> None:
    """Measure in a real window."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--preset", default="small")
    arguments = parser.parse_args()
    import napari
    from qtpy.QtCore import QTimer

    from napari_vaegan.demo.data import training_stacks

    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "nuclei"
        images.mkdir()
        for number, stack in enumerate(training_stacks()):
            tifffile.imwrite(images / f"field-{number}.tif", stack, metadata={"axes": "ZYX"})
        viewer = napari.Viewer(show=True)
        script = measure(viewer, images, arguments.minutes, arguments.preset)
        waiting: list[Callable[[], bool]] = []

        def step() -> None:
            if waiting and not waiting[0]():
                return
            waiting.clear()
            try:
                waiting.append(next(script))
            except StopIteration:
                timer.stop()
                viewer.close()

        timer = QTimer()
        timer.timeout.connect(step)
        timer.start(50)
        napari.run()


if __name__ == "__main__":
    main()
