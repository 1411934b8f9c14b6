"""Drive the real application in a real window, and take the screenshots of the README and the docs.

It trains for a minute on the nuclei that come with the package, closes napari in the middle of it, opens napari again,
resumes, and restores images that the model has not seen; once in the dark theme and once in the light one.

    python docs/make_screenshots.py            # needs a screen; on a server: xvfb-run -s "-screen 0 1400x1000x24" python …
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parent / "images" / "napari"
WINDOW = (1280, 860)
PHOTONS = 30
"""At the brightest pixel of the noisy image to be restored."""

Script = Iterator[Callable[[], bool]]
"""Does something, and yields what must come true before it goes on."""


class Session:
    """One run of napari, driven by a script that its own event loop steps through."""

    def __init__(self, theme: str, work: Path, shots: Path = IMAGES) -> None:
        import napari

        self.theme, self.work, self.shots = theme, work, shots
        self.viewer = napari.Viewer(show=True)
        self.viewer.theme = theme
        self.window = self.viewer.window._qt_window
        self.window.resize(*WINDOW)

    def run(self, script: Script) -> None:
        """Step through a script, then close the window and leave as a user does."""
        import napari
        from qtpy.QtCore import QTimer

        waiting: list[Callable[[], bool]] = []

        def step() -> None:
            if waiting and not waiting[0]():
                return
            waiting.clear()
            try:
                waiting.append(next(script))
            except StopIteration:
                timer.stop()
                print(f"closing at {time.time():.3f}", flush=True)
                self.window.close()

        timer = QTimer()
        timer.timeout.connect(step)
        timer.start(50)
        napari.run()

    def dock(self, name: str, width: int = 330) -> Any:
        """Open a dock, on its own at the right of the window."""
        from qtpy.QtCore import Qt

        for other in list(self.viewer.window.dock_widgets):
            if "napari-vaegan" in other:
                widget = self.viewer.window.dock_widgets[other]
                self.viewer.window.remove_dock_widget(widget)
        dock, widget = self.viewer.window.add_plugin_dock_widget("napari-vaegan", name)
        self.window.resizeDocks([dock], [width], Qt.Orientation.Horizontal)
        return widget

    def shoot(self, name: str) -> None:
        """Take a picture of the whole window."""
        from PIL import Image

        folder = self.shots / self.theme
        folder.mkdir(parents=True, exist_ok=True)
        picture = self.viewer.screenshot(canvas_only=False, flash=False)
        # A palette is a quarter of the size; this way of choosing it keeps the few pixels of the curves' colours.
        few = Image.fromarray(picture[..., :3]).quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(folder / f"{name}.png", optimize=True)
        print(f"{self.theme}/{name}.png", flush=True)


def seconds(duration: float) -> Callable[[], bool]:
    """Wait so long."""
    end = time.monotonic() + duration
    return lambda: time.monotonic() > end


def idle(dock: Any) -> Callable[[], bool]:
    """Wait until the job of a dock is over; say its error if there is one."""

    def over() -> bool:
        if dock.message.details:
            raise RuntimeError(dock.message.details)
        return not dock.runner.busy

    return over


def begin(session: Session, minutes: float) -> Script:
    """Choose a folder, train, and close the window in the middle."""
    yield seconds(1)
    train = session.dock("Train")
    train.source.folder.give(session.work / "nuclei")
    train.settings.fields["preset"].set_value("tiny")
    train.settings.fields["minutes"].set_value(minutes)
    checked: list[object] = []
    train.check.checked.connect(lambda: checked.append(True))
    yield lambda: bool(checked)
    yield seconds(1)
    session.shoot("1-choose-a-folder")
    train.press_run()
    yield lambda: train.preview.available and train.progress_bar.value() > 600
    train.preview.reveal()
    yield seconds(1)
    session.shoot("2-watch-it-learn")


def finish(session: Session) -> Script:
    """Resume the training in a new napari, and restore images that the model has not seen."""
    train = session.dock("Train")
    yield train.resume.isVisible
    yield seconds(0.5)
    session.shoot("resume")
    train.resume.accept()
    yield seconds(2)
    yield idle(train)
    if train.preview.available:
        train.preview.reveal()
    yield seconds(1)
    session.shoot("finished")
    session.viewer.layers.clear()
    yield from denoise(session)
    yield from inpaint(session)
    yield from super_resolve(session)
    yield from generate(session)
    yield from restore_folder(session)


def denoise(session: Session) -> Script:
    """Restore a noisy image, then lay estimate, error and a possible truth side by side."""
    import numpy as np

    from napari_vaegan.demo.data import VOXEL_MICROMETRES, unseen_images
    from napari_vaegan.demo.observe import noisy

    viewer = session.viewer
    truth = unseen_images()[2]
    image = noisy(truth, PHOTONS, np.random.default_rng(0))
    scale = {"scale": VOXEL_MICROMETRES[1:], "units": ("micrometer",) * 2, "axis_labels": ("y", "x")}
    viewer.add_image(image, name="nuclei", **scale)
    viewer.canvas.overlays.scale_bar.visible = True
    dock = session.dock("Denoise")
    viewer.reset_view()
    yield seconds(0.5)
    dock.press_run()
    yield idle(dock)
    yield seconds(0.5)
    session.shoot("3-restore-a-layer")
    dock.truth.dial.go_to_truth()
    yield lambda: dock.truth.layer is not None and not dock.truth.runner.busy
    viewer.canvas.grid.enabled = True
    viewer.canvas.grid.shape = (2, 2)
    viewer.layers.remove("nuclei denoised samples")
    viewer.reset_view()
    yield seconds(1)
    session.shoot("4-compare")
    viewer.canvas.grid.enabled = False
    viewer.layers.clear()


def stack(session: Session) -> None:
    """Show the whole stack."""
    session.viewer.open_sample("napari-vaegan", "nuclei")
    session.viewer.reset_view()


def inpaint(session: Session) -> Script:
    """Fill what a painted mask covers, in the plane that is shown."""
    viewer = session.viewer
    stack(session)
    dock = session.dock("Inpaint")
    dock.paint_button.click()
    mask = viewer.layers["nuclei mask"]
    mask.data[12, 118:126, 20:230] = 1
    mask.data[12, 40:60, 170:190] = 1
    mask.refresh()
    yield seconds(0.5)
    session.shoot("inpaint-mask")
    dock.press_run()
    yield idle(dock)
    mask.visible = False
    yield seconds(0.5)
    session.shoot("inpaint")
    viewer.layers.clear()


def super_resolve(session: Session) -> Script:
    """Refine the grid of the plane that is shown."""
    viewer = session.viewer
    stack(session)
    dock = session.dock("Super-resolve")
    dock.press_run()
    yield idle(dock)
    viewer.scene.camera.zoom *= 3
    yield seconds(0.5)
    session.shoot("super-resolve")
    viewer.layers.clear()


def generate(session: Session) -> Script:
    """Draw images from nothing, and walk from one to another."""
    dock = session.dock("Generate")
    dock.press_run()
    yield idle(dock)
    session.viewer.reset_view()
    yield seconds(1)
    session.shoot("generate")
    session.viewer.layers.clear()


def restore_folder(session: Session) -> Script:
    """Restore a folder, one file of which is broken."""
    dock = session.dock("Restore folder")
    dock.source.give(session.work / "raw")
    yield seconds(1)
    dock.press_run()
    yield idle(dock)
    yield seconds(0.5)
    session.shoot("restore-folder")


def prepare(work: Path) -> None:
    """Write the images to train on, and a folder to restore."""
    import numpy as np
    import tifffile

    from napari_vaegan.demo.data import VOXEL_MICROMETRES, training_stacks, unseen_images
    from napari_vaegan.demo.observe import noisy

    size = {"spacing": VOXEL_MICROMETRES[0], "unit": "um", "axes": "ZYX"}
    resolution = (1 / VOXEL_MICROMETRES[2], 1 / VOXEL_MICROMETRES[1])
    (work / "nuclei").mkdir()
    for number, pixels in enumerate(training_stacks(), start=1):
        path = work / "nuclei" / f"field-{number}.tif"
        tifffile.imwrite(path, pixels, imagej=True, resolution=resolution, metadata=size)
    (work / "nuclei" / "notes.txt").write_text("63×, Hoechst")
    (work / "raw").mkdir()
    random = np.random.default_rng(1)
    for number, pixels in enumerate(unseen_images(), start=1):
        tifffile.imwrite(work / "raw" / f"cell-{number}.tif", noisy(pixels, PHOTONS, random))
    (work / "raw" / "broken.tif").write_bytes(b"II*\0 and no more")


def drive(theme: str, minutes: float) -> None:
    """Run napari twice: begin and close, then resume and go on."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prepare(work)
        environment = {**os.environ, "XDG_CONFIG_HOME": str(work / "config"), "XDG_DATA_HOME": str(work / "data")}
        for phase in ("begin", "finish"):
            command = [
                sys.executable,
                __file__,
                "--phase",
                phase,
                "--theme",
                theme,
                "--work",
                folder,
                "--minutes",
                str(minutes),
            ]
            finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            end = time.time()
            print(finished.stdout, finished.stderr, sep="")
            finished.check_returncode()
            closing = float(finished.stdout.rsplit("closing at ", 1)[1].split()[0])
            print(f"napari was gone {end - closing:.1f} s after its window was closed ({phase})", flush=True)
            if phase == "begin" and not list(work.glob("*.checkpoint")):
                raise RuntimeError("There is no checkpoint to resume from.")


def main() -> None:
    """Take all screenshots, or be one of the two runs of napari."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--theme", choices=("dark", "light"), help="only this theme")
    parser.add_argument("--minutes", type=float, default=1.0, help="of training")
    parser.add_argument("--phase", choices=("begin", "finish"), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.phase:
        session = Session(arguments.theme, arguments.work)
        session.run(begin(session, arguments.minutes) if arguments.phase == "begin" else finish(session))
        return
    for theme in ("dark", "light") if arguments.theme is None else (arguments.theme,):
        drive(theme, arguments.minutes)


if __name__ == "__main__":
    main()
