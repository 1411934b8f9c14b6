#!/usr/bin/env python3
"""Measure what each part of the method is worth, and write docs/ablation.md.

    python benchmarks/ablation.py --data DATA/nuclei --referee evaluate.py [--minutes 7] [--seeds 0 1 2] [--only "VAE only"]
        [--at-once 2]

DATA holds ``train`` and ``test``. Every variant is trained for the same time, with the same seeds, on the same images; the
referee, a script that scores a model file through the public API, takes its measure. Each run's figures are kept in
``benchmarks/results/ablation``, in a folder for each length of training, with a sheet of its first generated images, and its
model in ``runs``; runs that are there already are passed over, so that whoever interrupts it can go on. Several runs at once
share the cores: nothing else should take any of them meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import imageio.v3 as imageio
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import napari_vaegan as nv
from napari_vaegan.training.events import Diagnosed, Validated, Warned
from patches import real_patches, sheet
from restoration import HERE, commit, cores, machine

RESULTS = HERE / "results" / "ablation"
PAGE = HERE.parent / "docs" / "ablation.md"
PICTURES = HERE.parent / "docs" / "images"
MODELS = HERE.parent / "runs"

Grey = NDArray[np.uint8]

WHOLE = "the whole"
VARIANTS: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "VAE only": {"adversarial": False},
    "GAN only": {"variational": False, "spread_weight": 0, "feature_matching_weight": 0},
    "without the learned prior": {"learned_prior": False},
    "without spectral normalisation": {"spectral_normalisation": False},
    "without progressive training": {"progressive": False},
    "without feature matching": {"feature_matching_weight": 0},
    "without gradient penalty": {"gradient_penalty": 0},
    "without the score of spread": {"spread_weight": 0},
    "without KL divergence": {"kl_weight": 0},
    "the textbook's adversarial loss": {"adversarial_loss": "non-saturating"},
}

RESTORED = ("sr2", "sr4", "inpaint", "denoise")
COLLAPSED = 0.25
"""A run has collapsed if generated patches differ from each other less than that share of what real ones do."""

SHOWN, SHOWN_SIDE = 16, 64
"""Patches of every variant in the picture, and their side in pixels."""

LABEL_WIDTH, LABEL_SIZE = 290, 18


def measure(data: Path, referee: Path, name: str, seed: int, minutes: float) -> None:
    """Train one variant once, score it, and write down its figures."""
    print(f"{name}, seed {seed}", flush=True)
    diversity: float | None = None
    kept = False
    warned = []

    def listen(event: object) -> None:
        nonlocal diversity, kept
        if isinstance(event, Validated):
            kept = event.best
        if isinstance(event, Diagnosed) and kept:
            diversity = event.diagnosis.diversity
        if isinstance(event, Warned):
            warned.append(event.message)

    measured = commit()
    config = nv.TrainingConfig(preset="small", minutes=minutes, seed=seed, **VARIANTS[name])
    MODELS.mkdir(exist_ok=True)
    path = MODELS / f"ablation-{minutes:g}-{_stem(name, seed)}.vaegan"
    model = nv.train(data / "train", config, on_event=listen, checkpoint=path.with_suffix(".checkpoint"))
    model.save(path, overwrite=True)
    scores = path.with_suffix(".json")
    tasks = ["--tasks", "generate", *RESTORED, "--size", "64", "--images", "4"]
    subprocess.run([sys.executable, str(referee), str(path), str(data / "test"), *tasks, "--json", str(scores)], check=True)
    rows = json.loads(scores.read_text())
    samples = model.generate(SHOWN, (SHOWN_SIDE, SHOWN_SIDE), seed=0)
    folder = _folder(minutes)
    folder.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(folder / f"{_stem(name, seed)}.png", sheet(list(samples), SHOWN))
    figures = {
        "variant": name,
        "seed": seed,
        "minutes": minutes,
        "steps": model.header.steps,
        "kernel_distance": rows["generate"]["kd"],
        "floor": rows["generate"]["kd_floor"],
        "density": rows["generate"].get("density"),
        "coverage": rows["generate"].get("coverage"),
        "psnr": {task: rows[task]["mean_psnr"] for task in RESTORED},
        "gain": {task: rows[task]["gain_of_averaging"] for task in RESTORED},
        "diversity": diversity,
        "warnings": warned,
        "commit": measured,
        "machine": machine(),
        "threads": torch.get_num_threads(),
    }
    _figures(name, seed, minutes).write_text(json.dumps(figures, indent=1) + "\n")


def _folder(minutes: float) -> Path:
    return RESULTS / f"{minutes:g}-minutes"


def _figures(name: str, seed: int, minutes: float) -> Path:
    return _folder(minutes) / f"{_stem(name, seed)}.json"


def _stem(name: str, seed: int) -> str:
    words = name.replace("'", "").split()
    return f"{'-'.join(words)}-{seed}"


def with_spread(values: list[float], digits: int = 0, sign: str = "") -> str:
    """Return mean ± standard deviation over the seeds."""
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):{sign}.{digits}f}{deviation}"


def row_of(name: str, runs: list[dict[str, Any]], whole: list[dict[str, Any]]) -> str:
    """Return one line of the table; restoration is given beside the whole of the same seeds."""
    psnr = {run["seed"]: mean(run["psnr"].values()) for run in whole}
    lost = [mean(run["psnr"].values()) - psnr[run["seed"]] for run in runs if run["seed"] in psnr]
    collapsed = sum(run["diversity"] is not None and run["diversity"] < COLLAPSED for run in runs)
    cells = [
        name,
        with_spread([run["kernel_distance"] for run in runs]),
        with_spread([run["density"] for run in runs], 2),
        with_spread([run["coverage"] for run in runs], 2),
        with_spread([mean(run["psnr"].values()) for run in runs], 2),
        with_spread(lost, 2, "+") if name != WHOLE and lost else "",
        with_spread([mean(run["gain"].values()) for run in runs], 1),
        f"{collapsed} of {len(runs)}",
        f"{mean(run['steps'] for run in runs):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def write_page(data: Path | None) -> None:
    """Write tables and pictures from all runs that are there; with real patches, if their folder is given."""
    runs = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*/*.json"))]
    lines = [
        "# What each part of the method is worth",
        "",
        "Written by `python benchmarks/ablation.py --data DATA/nuclei --referee evaluate.py --minutes MINUTES`: `small`.",
        "Mean and standard deviation over the seeds. Kernel distance × 1000 of 256 generated patches of 64² to real ones",
        f"of the test images (lower is better; real ones among each other: {runs[0]['floor']:.1f}), density and coverage",
        "(higher is better); PSNR of the best estimate, mean of ×2, ×4, holes and noise on four test images, and beside the",
        "whole of the same seed; what averaging eight samples gains (2.5 dB is right); runs that collapsed: generated",
        f"patches differ from each other less than {COLLAPSED:g} times as much as real ones do.",
        "",
    ]
    for minutes in sorted({run["minutes"] for run in runs}):
        lines += section(minutes, [run for run in runs if run["minutes"] == minutes], data)
    remarks = HERE / "ablation.md"
    if remarks.exists():
        lines += [remarks.read_text().rstrip(), ""]
    PAGE.write_text("\n".join(lines))
    print(f"Written: {PAGE}")


def section(minutes: float, runs: list[dict[str, Any]], data: Path | None) -> list[str]:
    """Return the part of the page on trainings of one length, and write its picture."""
    by_name = {name: [run for run in runs if run["variant"] == name] for name in VARIANTS}
    picture = PICTURES / f"ablation_{minutes:g}.png"
    seeds = {name: found[0]["seed"] for name, found in by_name.items() if found}
    rows = {name: imageio.imread(_folder(minutes) / f"{_stem(name, seed)}.png") for name, seed in seeds.items()}
    if data is not None:
        rows = {"real": sheet(real_patches(data / "test", SHOWN_SIDE, SHOWN), SHOWN)} | rows
    imageio.imwrite(picture, np.concatenate([_labelled(name, row) for name, row in rows.items()]))
    return [
        f"## {minutes:g} minutes of training",
        "",
        f"Threads of torch: {_all(runs, 'threads')}; commit {_all(runs, 'commit')}; {_all(runs, 'machine')}.",
        "",
        "| | kernel distance | density | coverage | PSNR, dB | beside the whole | averaging gains, dB | collapsed | steps |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row_of(name, found, by_name[WHOLE]) for name, found in by_name.items() if found),
        "",
        f"![Real patches, and the first {SHOWN} generated ones of each variant](images/{picture.name})",
        "",
        f"*Real patches of the test images, and the first {SHOWN} that each variant generates with its first seed, none",
        "left out; each is stretched to its own range.*",
        "",
    ]


def _all(runs: list[dict[str, Any]], key: str) -> str:
    """Name every value that runs have for a key."""
    return " and ".join(sorted({str(run[key]) for run in runs}))


def _labelled(name: str, row: Grey) -> Grey:
    """Put a name to the left of a row of patches."""
    label = Image.new("L", (LABEL_WIDTH, len(row)), 255)
    draw = ImageDraw.Draw(label)
    draw.text((6, len(row) / 2), name, fill=0, font=ImageFont.load_default(LABEL_SIZE), anchor="lm")
    return np.concatenate([np.asarray(label), row], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train and test")
    parser.add_argument("--referee", type=Path, help="the script that scores a model file")
    parser.add_argument("--minutes", type=float, default=7)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS), metavar="VARIANT")
    parser.add_argument("--at-once", type=int, default=1, help="how many runs share the cores")
    parser.add_argument("--page-only", action="store_true", help="write the page from the runs that are there")
    options = parser.parse_args()
    if not options.page_only:
        if options.data is None or options.referee is None:
            parser.error("give --data and --referee, or --page-only")
        wanted = [(name, seed) for seed in options.seeds for name in options.only]
        runs = [(name, seed) for name, seed in wanted if not _figures(name, seed, options.minutes).exists()]
        os.environ["OMP_NUM_THREADS"] = str(max(1, cores() // options.at_once))  # torch takes it when a process starts
        with ProcessPoolExecutor(options.at_once, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
            measured = [
                pool.submit(measure, options.data.resolve(), options.referee.resolve(), name, seed, options.minutes)
                for name, seed in runs
            ]
            for run in measured:
                run.result()
    write_page(options.data)


if __name__ == "__main__":
    main()
