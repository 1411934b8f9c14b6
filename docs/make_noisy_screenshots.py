"""Take a folder of noisy images through the docks Train and Denoise in a real window, with screenshots of every step.

Without a folder it makes one: every plane of a stack of nuclei as a 16-bit file, with few photons. Only its screenshots
are kept in the docs.

    python docs/make_noisy_screenshots.py                       # on a server: xvfb-run -s "-screen 0 1400x1000x24" python …
    python docs/make_noisy_screenshots.py --folder raw --shots shots         # any other folder of noisy images
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from make_screenshots import IMAGES, Script, Session, idle, seconds

PHOTONS = 25
"""At the brightest level, which one pixel in a thousand exceeds."""

GAIN, OFFSET = 40, 100
"""Grey levels a photon, and without light."""


def few_photons(stack: Path | None, folder: Path) -> None:
    """Write the planes of a stack as they would be seen with few photons, uint16."""
    import numpy as np
    import tifffile

    from napari_vaegan.demo.data import VOXEL_MICROMETRES, read_nuclei

    clean = read_nuclei() if stack is None else tifffile.imread(stack)
    light = clean / np.quantile(clean, 0.999) * PHOTONS
    random = np.random.default_rng(0)
    folder.mkdir()
    resolution = (1 / VOXEL_MICROMETRES[2], 1 / VOXEL_MICROMETRES[1])
    for number, plane in enumerate(light, start=1):
        counts = random.poisson(plane) + random.normal(0, 0.3, plane.shape)
        pixels = np.clip(np.rint(OFFSET + GAIN * counts), 0, 65535).astype(np.uint16)
        path = folder / f"plane-{number:02d}.tif"
        tifffile.imwrite(path, pixels, imagej=True, resolution=resolution, metadata={"unit": "um", "axes": "YX"})


def train(session: Session, folder: Path, model: Path, preset: str, minutes: float) -> Script:
    """Choose the folder, look at the check, train, and look at the summary."""
    yield seconds(1)
    dock = session.dock("Train", width=420)
    dock.source.folder.give(folder)
    dock.model_file.give(model)
    dock.settings.fields["preset"].set_value(preset)
    dock.settings.fields["minutes"].set_value(minutes)
    checked: list[object] = []
    dock.check.checked.connect(lambda: checked.append(True))
    yield lambda: bool(checked)
    yield seconds(1)
    session.shoot("noisy-1-check")
    dock.press_run()
    yield idle(dock)
    dock.preview.reveal()
    yield seconds(1)
    session.shoot("noisy-2-trained")
    session.viewer.layers.clear()


def denoise(session: Session, image: Path) -> Script:
    """Open an image of the folder, denoise it, and look at image, error and estimate side by side."""
    viewer = session.viewer
    viewer.open(image)
    dock = session.dock("Denoise")
    yield seconds(0.5)
    dock.press_run()
    yield idle(dock)
    viewer.layers.remove(f"{image.stem} denoised samples")
    viewer.canvas.grid.enabled = True
    viewer.canvas.grid.shape = (2, 2)
    viewer.reset_view()
    yield seconds(1)
    session.shoot("noisy-3-denoised")


def main() -> None:
    """Take all screenshots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="of noisy images, instead of the one that is made")
    parser.add_argument("--stack", type=Path, help="TIFF (Z, Y, X) to make noisy images of, instead of the package's nuclei")
    parser.add_argument("--shots", type=Path, default=IMAGES, help="folder for the screenshots")
    parser.add_argument("--model", type=Path, help="keep the model, and its quality report, here")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--minutes", type=float, default=3.0, help="of training")
    parser.add_argument("--opened", type=int, default=12, help="which image is denoised, counted from 1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        os.environ.update(XDG_CONFIG_HOME=f"{work}/config", XDG_DATA_HOME=f"{work}/data")
        folder = options.folder
        if folder is None:
            folder = Path(work) / "nuclei"
            few_photons(options.stack, folder)
        image = sorted(folder.iterdir())[options.opened - 1]
        model = options.model or Path(work) / "nuclei.vaegan"
        session = Session(options.theme, Path(work), options.shots)

        def script() -> Script:
            yield from train(session, folder, model, options.preset, options.minutes)
            yield from denoise(session, image)

        session.run(script())


if __name__ == "__main__":
    main()
