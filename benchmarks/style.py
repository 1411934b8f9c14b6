#!/usr/bin/env python3
"""Measure how well looks are matched, and write it into docs/benchmarks.md.

    python benchmarks/style.py --data DATA --referee evaluate.py

DATA holds ``stained/violet``, ``stained/purple_on_white``, ``nuclei/train``, ``nuclei/test`` and ``scanners``. The referee
is a script that scores a model file on two folders: ``evaluate.py MODEL --style SOURCE TARGET --json OUT``. The models
are trained for a few steps only: a look is taken from images and needs no trained weights.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt
from skimage.color import rgb2hed
from skimage.exposure import match_histograms
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label
from skimage.segmentation import watershed

import napari_vaegan as nv
from napari_vaegan.images.reading import find_files, read_image
from restoration import commit, machine, write_all

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "style" / "style.json"
SECTION = HERE / "style.md"

DIRECTIONS = (("violet", "purple_on_white"), ("purple_on_white", "violet"))
TARGETS = {"violet": (110, 0.95, 28.5), "purple_on_white": (55, 0.95, 28.5)}
"""Kernel distance at most, structure and recovered dB at least, by source."""

METHODS = {
    "unchanged": "unchanged",
    "histograms": "histogram matching",
    "macenko": "Macenko (torchstain)",
    "reinhard": "Reinhard (torchstain)",
    "ours": "**ours**",
}
SEGMENTED = 12
GREY_TARGET, OVERLAP_TARGET, PACE_TARGET = 30.0, 95.0, 2.0


def model_of(folder: Path) -> nv.Model:
    """Return a model that knows a folder's look, and next to nothing else."""
    config = nv.TrainingConfig(preset="tiny", steps=12, patch_size=32, batch_size=4, tasks=("denoise",), device="cpu")
    return nv.train(folder, config, checkpoint=Path(tempfile.mkdtemp()) / "a.checkpoint", name=folder.name)


def machine_of_run() -> str:
    """Say what this machine is, and if not all of it was used."""
    used, there = len(os.sched_getaffinity(0)), os.cpu_count()
    said = machine()
    return said if used == there else said.replace(f"{used} cores", f"{there} cores (of which {used} was used)")


def pixels(folder: Path) -> list[NDArray[Any]]:
    return [np.asarray(read_image(path).pixels) for path in find_files(folder)]


def referee(script: Path, model: Path, source: Path, target: Path) -> dict[str, dict[str, float]]:
    """Let the referee score a direction."""
    out = model.with_suffix(".json")
    subprocess.run([sys.executable, script, model, "--style", source, target, "--json", out], check=True)
    return dict(json.loads(out.read_text()))


def nuclei(image: NDArray[Any]) -> NDArray[np.int_]:
    """Segment nuclei: Otsu's threshold of haematoxylin, then watershed from the deepest points."""
    haematoxylin = gaussian(rgb2hed(image)[..., 0], 2)
    inside = binary_fill_holes(haematoxylin > threshold_otsu(haematoxylin))
    depth = gaussian(distance_transform_edt(inside), 3)
    seeds = np.zeros(inside.shape, int)
    peaks = peak_local_max(depth, min_distance=7, labels=label(inside))
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    found: NDArray[np.int_] = watershed(-depth, seeds, mask=inside)
    return found


def share_found_again(first: NDArray[np.int_], second: NDArray[np.int_], least: int = 64) -> tuple[int, int]:
    """Count the nuclei of the first that one of the second covers with an intersection over union above 0.5.

    Those of fewer than ``least`` pixels are not looked for.
    """
    found = total = 0
    for number in range(1, first.max() + 1):
        own = first == number
        if own.sum() < least:
            continue
        total += 1
        candidates = np.unique(second[own])
        unions = [(own & (second == other)).sum() / (own | (second == other)).sum() for other in candidates if other]
        found += bool(unions) and max(unions) > 0.5
    return found, total


def segmentation(model: nv.Model, source: Path, target: Path) -> float:
    """Return the share of nuclei that are found again in the image of the other look, in per cent."""
    references = pixels(target)[::2]
    counts = []
    for image in pixels(source)[:SEGMENTED]:
        counts.append(share_found_again(nuclei(image), nuclei(model.match_style(image, references, axes="YXC").image)))
    found, total = np.sum(counts, axis=0)
    return float(100 * found / total)


def camera_changed(image: NDArray[Any], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a grey image after another gamma (0.5 to 2), gain, offset and uneven light."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in image.shape), indexing="ij")
    slopes = random.uniform(-0.15, 0.15, 5)
    light = np.exp(np.tensordot(slopes, np.stack([x, y, x * x - 1 / 3, x * y, y * y - 1 / 3]), 1))
    gamma, gain, offset = 2 ** random.uniform(-1, 1), random.uniform(0.5, 1), random.uniform(0, 0.1)
    return np.clip(np.rint(255 * (gain * (image / 255) ** gamma * light + offset)), 0, 255).astype(np.uint8)


def psnr(image: NDArray[Any], truth: NDArray[Any]) -> float:
    error = np.mean((image.astype(float) - truth) ** 2)
    return float(10 * np.log10(np.ptp(truth.astype(float)) ** 2 / max(error, 1e-9)))


def grey(train: Path, test: Path) -> dict[str, float]:
    """Bring grey images back to the look of the training folder, and compare with what is usually done."""
    model, random = model_of(train), np.random.default_rng(0)
    references = pixels(train)
    pooled = np.concatenate([image.ravel()[:: image.size // 2000] for image in references])[None]
    rows = []
    for image in pixels(test):
        changed = camera_changed(image, random)
        rows.append(
            {
                "unchanged": psnr(changed, image),
                "histogram of one": psnr(match_histograms(changed, references[0]), image),
                "histogram of all": psnr(match_histograms(changed, pooled), image),
                "ours": psnr(model.match_style(changed).image, image),
            }
        )
    return {name: round(float(np.mean([row[name] for row in rows])), 2) for name in rows[0]}


def pace(model: nv.Model, image: NDArray[Any], references: list[NDArray[Any]]) -> dict[str, float]:
    """Time an image of about a megapixel, best of three, with references that are known already."""
    model.match_style(image, references, axes="YXC")
    walls = []
    for _ in range(3):
        begin = time.perf_counter()
        model.match_style(image, references, axes="YXC")
        walls.append(time.perf_counter() - begin)
    return {"s_per_megapixel": round(min(walls) / (image.shape[0] * image.shape[1] / 1e6), 3)}


def measure(data: Path, script: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {"commit": commit(), "machine": machine_of_run(), "directions": {}}
    stained = data / "stained"
    with tempfile.TemporaryDirectory() as folder:
        for source, target in DIRECTIONS:
            model = model_of(stained / source)
            path = model.save(Path(folder) / f"{source}.vaegan")
            scores = referee(script, path, stained / source, stained / target)
            found = segmentation(model, stained / source, stained / target)
            figures["directions"][source] = {"target": target, "scores": scores, "nuclei_found_again": round(found, 1)}
        tissue = np.asarray(read_image(data / "scanners" / "OS-1-detail.ome.tif").pixels)
        figures["pace"] = pace(model, tissue, pixels(stained / "violet")[::2])
    figures["grey"] = grey(data / "nuclei" / "train", data / "nuclei" / "test")
    return figures


def verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"


def rows_of_direction(source: str, direction: dict[str, Any]) -> list[str]:
    """Return the table of a direction."""
    distance, structure, recovered = TARGETS[source]
    scores = {name.removeprefix("style:"): row for name, row in direction["scores"].items()}
    lines = [
        f"### {source} → {direction['target']}",
        "",
        "| | kernel distance | structure | recovered dB |",
        "|---|---|---|---|",
        *(
            f"| {name} | {scores[key]['kd']:.0f} | {scores[key]['structure']:.3f} | {scores[key]['recovered_psnr']:.1f} |"
            for key, name in METHODS.items()
            if key in scores
        ),
        f"| target images against each other | {scores['floor']['kd']:.0f} | | |",
    ]
    ours = scores["ours"]
    lines += [
        f"| to reach | ≤ {distance}: {verdict(ours['kd'] <= distance)} | ≥ {structure}: "
        f"{verdict(ours['structure'] >= structure)} | ≥ {recovered}: {verdict(ours['recovered_psnr'] >= recovered)} |",
        "",
        f"Nuclei found again in the image of the other look: {direction['nuclei_found_again']:.1f} % "
        f"(≥ {OVERLAP_TARGET:g} %: {verdict(direction['nuclei_found_again'] >= OVERLAP_TARGET)}).",
        "",
    ]
    return lines


def write_section(figures: dict[str, Any]) -> None:
    """Write what docs/benchmarks.md says of style."""
    of_grey, seconds = figures["grey"], figures["pace"]["s_per_megapixel"]
    anew = [direction["scores"]["style:ours"]["s_per_mpix"] for direction in figures["directions"].values()]
    lines = [
        "## Matching style",
        "",
        "By `python benchmarks/style.py --data DATA --referee evaluate.py`; "
        f"commit `{figures['commit']}`; {figures['machine']}.",
        "Kernel distance to images of the target that were held apart (lower is better); structure: correlation of gradient",
        "magnitudes with the source; recovered: PSNR of target images whose look was changed on purpose. The even target",
        "images are the references. What was tried beyond, and why targets are missed, stands in",
        "[match style](match_style.md).",
        "",
    ]
    for source, direction in figures["directions"].items():
        lines += rows_of_direction(source, direction)
    lines += [
        "### Grey: nuclei after another gamma, gain, offset and uneven light",
        "",
        "| unchanged | histogram of one reference | histogram of all references | **ours** | to reach |",
        "|---|---|---|---|---|",
        f"| {of_grey['unchanged']:.1f} | {of_grey['histogram of one']:.1f} | {of_grey['histogram of all']:.1f} "
        f"| **{of_grey['ours']:.1f}** | ≥ {GREY_TARGET:g}: {verdict(of_grey['ours'] >= GREY_TARGET)} |",
        "",
        "dB over all test images; the look is that of the training folder, which holds several microscopes. Histograms are",
        "the classical part; what ours learns from randomly changed references is the regression from what an image shows",
        "to how bright it is.",
        "",
        f"An image of 1101² of tissue takes {seconds:.2f} s a megapixel (≤ {PACE_TARGET:g} s: "
        f"{verdict(seconds <= PACE_TARGET)}), with references that are known already.",
        "Finding a change takes its time for an image however small: the referee's, of 256 × 320 pixels, take "
        f"{' and '.join(f'{pace:.1f}' for pace in anew)} s a megapixel",
        f"({verdict(max(anew) <= PACE_TARGET)}), the look of the references included. `source=` finds one change for all.",
        "",
    ]
    SECTION.write_text("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the image sets")
    parser.add_argument("--referee", type=Path, help="the script that scores a model file")
    parser.add_argument("--page-only", action="store_true", help="write the page from the results that are there")
    options = parser.parse_args()
    if not options.page_only:
        if options.data is None or options.referee is None:
            parser.error("give --data and --referee, or --page-only")
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(measure(options.data.resolve(), options.referee.resolve()), indent=1) + "\n")
    write_section(json.loads(RESULT.read_text()))
    write_all()


if __name__ == "__main__":
    main()
