"""Run the demonstration: train, try every task on what was not seen, draw and count."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.config import TrainingConfig
from napari_vaegan.demo.contact_sheet import draw_contact_sheet
from napari_vaegan.demo.data import VOXEL_MICROMETRES, training_stacks, unseen_images
from napari_vaegan.demo.folder import DemoFolder
from napari_vaegan.demo.narration import Narrator
from napari_vaegan.demo.results import as_record, as_text, summarise, table
from napari_vaegan.demo.trials import try_all
from napari_vaegan.images.atomic import atomic_write
from napari_vaegan.library import train
from napari_vaegan.quality.machine import machine
from napari_vaegan.training.events import Event

MODEL, SHEET, TEXT, RECORD = "model.vaegan", "contact_sheet.png", "results.md", "results.json"

SHOWN = 1
"""Which unseen image the sheet shows."""

GENERATED, REAL, PATCH_SIDE = 5, 4, 88


def run(
    folder: Path,
    minutes: float = 5.0,
    say: Callable[[str], None] = print,
    on_event: Callable[[Event], None] | None = None,
    config: TrainingConfig | None = None,
) -> Path:
    """Train on the nuclei that come with the package, restore a field of view that was not seen, and show it all.

    Parameters
    ----------
    folder
        Where to write the model, the contact sheet and the results. Those of an earlier demonstration are replaced.
    minutes
        Of training.
    say
        Is told what happens, line by line.
    on_event
        Is told the events of training, which are told as lines if None.
    config
        How to train, instead of preset small for so many minutes.

    Returns
    -------
    Path
        The contact sheet.

    Raises
    ------
    OutputError
        If the folder holds files of the same names that no demonstration wrote, or cannot be written.
    """
    output = DemoFolder(Path(folder))
    output.claim((MODEL, SHEET, TEXT, RECORD))
    config = config or TrainingConfig(preset="small", minutes=minutes, axes="ZYX")
    say("Nuclei in a confocal z-stack: one part to train on, another that the model will not see.")
    with tempfile.TemporaryDirectory() as temporary:
        model = train(
            training_stacks(),
            config,
            on_event=on_event or _tell(say),
            checkpoint=Path(temporary) / "demo.checkpoint",
            name="demo nuclei",
        )
    model.save(output.path / MODEL, overwrite=True)
    output.record(MODEL)

    say("Restoring the part that was not seen, and the same by classical tools …")
    images = unseen_images()
    trials = [try_all(model, truth, seed) for seed, truth in enumerate(images)]
    generated = model.generate(GENERATED, shape=(PATCH_SIDE, PATCH_SIDE), seed=0)
    title = f"napari-vaegan {version('napari-vaegan')}: one model, nuclei that it never saw"
    caption = (
        f"trained for {model.header.seconds:.0f} s ({model.header.steps} steps, preset {model.header.config.preset}) "
        f"on {machine()}; image {SHOWN + 1} of {len(images)}"
    )
    sheet = draw_contact_sheet(
        title,
        caption,
        trials[SHOWN],
        generated=generated,
        real=np.stack(list(_real_patches())),
        pixel_micrometres=VOXEL_MICROMETRES[-1],
    )
    with atomic_write(output.path / SHEET) as path:
        sheet.save(path, format="PNG")
    output.record(SHEET)

    rows = summarise([trial for of_image in trials for trial in of_image])
    output.write_text(TEXT, as_text(rows, model.header, len(images)))
    output.write_text(RECORD, json.dumps(as_record(rows, model.header, len(images)), indent=1) + "\n")
    say("")
    say(table(rows))
    say("")
    for what, name in (("Look at", SHEET), ("Figures:", TEXT), ("Model:", MODEL)):
        say(f"{what:8} {output.path / name}")
    return output.path / SHEET


def _tell(say: Callable[[str], None]) -> Callable[[Event], None]:
    narrator = Narrator()

    def tell(event: Event) -> None:
        line = narrator.line(event)
        if line is not None:
            say(line)

    return tell


def _real_patches() -> Iterator[NDArray[Any]]:
    """Cut patches out of the training field, side by side and at various depths."""
    stack = training_stacks()[0]
    depths = np.linspace(4, 20, REAL).astype(int)
    lefts = np.linspace(0, stack.shape[-1] - PATCH_SIDE, REAL).astype(int)
    for depth, left in zip(depths, lefts, strict=True):
        yield stack[depth, :PATCH_SIDE, left : left + PATCH_SIDE]
