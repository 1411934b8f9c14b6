"""Make the pictures of docs/match_style.md: the first ten images of each direction before and after, failures, and the dock.

python docs/make_style_pictures.py --data DATA     # DATA holds stained/violet, purple_on_white and pink_he

It needs a screen for the dock; on a server: xvfb-run -s "-screen 0 1400x1000x24" python …
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from make_screenshots import Script, Session, seconds
from numpy.typing import NDArray
from PIL import Image

import napari_vaegan as nv
from napari_vaegan.images.reading import find_files, read_image

IMAGES = Path(__file__).parent / "images" / "style"
COUNT = 10
TILE = (160, 128)
"""Width and height of a small picture."""


def pixels(folder: Path) -> list[NDArray[Any]]:
    """Return the images of a folder, by name."""
    return [np.asarray(read_image(path).pixels) for path in find_files(folder)]


def sheet(rows: list[list[NDArray[Any]]], name: str) -> None:
    """Write rows of small pictures as one."""
    width, height = TILE
    paper = Image.new("RGB", (width * max(map(len, rows)), height * len(rows)), "white")
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            small = Image.fromarray(image).resize((width - 4, height - 4), Image.Resampling.LANCZOS)
            paper.paste(small, (column * width + 2, row * height + 2))
    IMAGES.mkdir(parents=True, exist_ok=True)
    paper.save(IMAGES / f"{name}.jpg", quality=80)
    print(f"{name}.jpg", flush=True)


def dock(session: Session, model: Path, image: NDArray[Any], references: Path) -> Script:
    """Preview the look of a folder on the visible part of an image."""
    yield seconds(1)
    session.viewer.add_image(image, name="violet", rgb=True)
    widget = session.dock("Match style")
    widget.model.choose(model)
    widget.references.kind.setCurrentText("images or a model on disk")
    widget.references.path.give(references)
    session.viewer.reset_view()
    session.viewer.scene.camera.zoom *= 1.6
    yield seconds(1)
    widget.strength.slider.setValue(90)
    yield lambda: widget.preview.layer is not None and not widget.preview.runner.busy
    yield seconds(1)
    session.shoot("dock")


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the image sets")
    stained = parser.parse_args().data.resolve() / "stained"
    violet, purple, pink = (pixels(stained / name) for name in ("violet", "purple_on_white", "pink_he"))
    config = nv.TrainingConfig(preset="tiny", steps=12, patch_size=32, batch_size=4, tasks=("denoise",), device="cpu")
    model = nv.train(violet, config, checkpoint=Path(tempfile.mkdtemp()) / "a.checkpoint", name="violet")
    for source, target, name in (
        (violet, purple, "violet-to-purple"),
        (purple, violet, "purple-to-violet"),
        (pink, violet, "pink-to-violet"),
    ):
        images, references = source[:COUNT], target[::2]
        after = [model.match_style(image, references, axes="YXC") for image in images]
        for result in after:
            print({key: result.report[key] for key in ("structure", "out_of_distribution", "strength")}, flush=True)
        sheet([images, [result.image for result in after], references[: len(images)]], name)
    with tempfile.TemporaryDirectory() as folder:
        path = model.save(Path(folder) / "violet.vaegan")
        session = Session("dark", Path(folder), IMAGES)
        session.run(dock(session, path, violet[1], stained / "purple_on_white"))


if __name__ == "__main__":
    main()
