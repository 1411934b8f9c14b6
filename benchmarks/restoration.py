#!/usr/bin/env python3
"""Train on folders of images, score the models with the referee, and write docs/benchmarks.md.

    python benchmarks/restoration.py --data DATA --referee evaluate.py [--sets nuclei em denoise_pairs] [--minutes 10]

DATA holds a folder for each set, with ``train`` and ``test`` inside, and for real noise ``denoise_pairs`` with ``raw``, on
which alone is trained, and ``gt``. The referee is a script that scores a model file on
a folder through the public API and writes its figures as JSON: ``evaluate.py MODEL FOLDER --json OUT``. Figures are kept
in ``benchmarks/results``; the page is written from all that are there, so sets can be measured one at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "benchmarks.md"

BASELINES = {"sr2": "bicubic", "sr4": "bicubic", "inpaint": "biharmonic", "denoise": "bm3d"}
NAMES = {
    "sr2": "×2 vs bicubic",
    "sr4": "×4 vs bicubic",
    "inpaint": "inpaint vs biharmonic",
    "denoise": "denoise vs BM3D",
}
TARGETS = {
    "nuclei": {"sr2": 1.2, "sr4": 2.5, "inpaint": 2.0, "denoise": 0.5},
    "em": {"sr2": 0.6, "sr4": 2.0, "inpaint": 0.8, "denoise": 0.8},
}
"""Leads in dB to be reached after 60 minutes of ``small`` on two cores."""

PAIRS = "denoise_pairs"
PAIRS_TARGET = 33.0
"""PSNR in dB for a peak of 255, after 10 minutes."""

PEERS = "raw 27.16, BM3D with an estimated sigma 30.10, CAREamics 0.3.5 N2V trained on the same images for 9¼ minutes 31.13"


def machine() -> str:
    """Say what this machine is."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    extensions = ""
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
        flags = next((line for line in lines if line.startswith("flags")), "")
        formats = {"amx_bf16": "with AMX", "avx512_bf16": "with AVX512-BF16"}
        extensions = ", " + next((words for flag, words in formats.items() if flag in flags), "without bfloat16")
    return f"{model}, {cores()} core{'s' if cores() != 1 else ''}{extensions}"


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def commit() -> str:
    """Return the commit that is measured, marked if the tree differs from it."""

    def run(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=True).stdout

    dirty = any(not line.endswith(".md") for line in run("status", "--porcelain", "--", "src").splitlines())
    return run("rev-parse", "--short", "HEAD").strip() + ("+" if dirty else "")


def seconds_per_megapixel(model: Any, samples: int = 0, size: int = 1024) -> float:
    """Time an image of one megapixel: the best of three."""
    import numpy as np

    random = np.random.default_rng(0)
    image = random.integers(0, 255, (size, size), dtype=np.uint8)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        model.denoise(image, samples=samples)
        times.append(time.perf_counter() - begin)
    return min(times) / (size**2 / 1e6)


def measure(data: Path, name: str, preset: str, minutes: float, referee: Path, images: int) -> dict[str, Any]:
    """Train on one set and score the model on its test images."""
    import napari_vaegan as nv
    from napari_vaegan.training.events import StageChanged, Validated, Warned

    def say(event: object) -> None:
        if isinstance(event, StageChanged):
            print(f"  {event.stage}: {event.description}", flush=True)
        if isinstance(event, Validated):
            figures = "  ".join(f"{kind} {value:.2f}" for kind, value in event.psnr.items())
            print(f"  step {event.step}: {figures}", flush=True)
        if isinstance(event, Warned):
            print(f"  {event.message}", flush=True)

    folder = HERE.parent / "runs"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{preset}-{minutes:g}.vaegan"
    measured = commit()  # of the code that trains, whatever is committed meanwhile
    begin = time.perf_counter()
    checkpoint = path.with_suffix(".checkpoint")
    pairs = name == PAIRS
    model = nv.train(
        data / name / ("raw" if pairs else "train"),
        nv.TrainingConfig(preset=preset, minutes=minutes),
        on_event=say,
        checkpoint=checkpoint,
    )
    seconds = time.perf_counter() - begin
    model.save(path, overwrite=True)
    pace = seconds_per_megapixel(model)
    figures = folder / f"{path.stem}.json"
    folders = ["--pairs", str(data / name / "raw"), str(data / name / "gt")] if pairs else [str(data / name / "test")]
    images = 24 if pairs else images
    command = [sys.executable, str(referee), str(path), *folders, "--json", str(figures), "--images", str(images)]
    subprocess.run(command, check=True)
    return {
        "set": name,
        "preset": preset,
        "minutes": minutes,
        "training_seconds": round(seconds, 1),
        "steps": model.header.steps,
        "images": images,
        "precision": model.header.precision,
        "mean_s_per_megapixel": round(pace, 3),
        "sampled_s_per_megapixel": round(seconds_per_megapixel(model, samples=8), 3),
        "commit": measured,
        "machine": machine(),
        "figures": json.loads(figures.read_text()),
    }


def gain(result: dict[str, Any], task: str) -> float:
    """Return our mean's lead over the classical tool in dB."""
    row = result["figures"][task]
    return float(row["mean_psnr"] - row[f"base_{BASELINES[task]}"])


def rows_of_tasks(result: dict[str, Any]) -> list[str]:
    """Return the table of a set of clean images."""
    lines = [
        "| task | classical tool | our mean | lead | target at 60 minutes | one sample | averaging 8 gains "
        "| 90 % interval covers | its width | inconsistency |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for task, name in NAMES.items():
        row, lead = result["figures"][task], gain(result, task)
        target = TARGETS[result["set"]][task]
        verdict = f"≥ {target:+.1f}: {'reached' if lead >= target else '**missed**'}"
        lines.append(
            f"| {name} | {row[f'base_{BASELINES[task]}']:.2f} | {row['mean_psnr']:.2f} | **{lead:+.2f}** | {verdict} "
            f"| {row['sample_psnr']:.2f} | {row['gain_of_averaging']:+.2f} | {100 * row['coverage90']:.1f} % "
            f"| {row['interval_width']:.3f} | {row.get('inconsistency', '')} |"
        )
    return lines


def rows_of_pairs(result: dict[str, Any]) -> list[str]:
    """Return the table of real noise."""
    row = result["figures"]["real_noise"]
    verdict = "reached" if row["psnr255"] >= PAIRS_TARGET else "**missed**"
    return [
        "Trained on the noisy images alone; the ground truth is only compared with. PSNR for a peak of 255.",
        "",
        "| noisy | our mean | target at 10 minutes | one sample | averaging 8 gains | 90 % interval covers | its width |",
        "|---|---|---|---|---|---|---|",
        f"| {row['noisy_psnr255']:.2f} | **{row['psnr255']:.2f}** | ≥ {PAIRS_TARGET}: {verdict} "
        f"| {row['sample_psnr'] - row['mean_psnr'] + row['psnr255']:.2f} | {row['gain_of_averaging']:+.2f} "
        f"| {100 * row['coverage90']:.1f} % | {row['interval_width']:.3f} |",
        "",
        f"Others on the same images (dB): {PEERS}.",
    ]


def scored_by(result: dict[str, Any]) -> str:
    """Name the commit that scored a model, where it is not the one that trained it."""
    return f", scored by `{result['scored_commit']}`" if "scored_commit" in result else ""


def write_page(results: list[dict[str, Any]]) -> None:
    """Write the page of figures."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python benchmarks/restoration.py --data DATA --referee evaluate.py`, which trains a model on each",
        "set's training images and scores it on its test images. Figures are means over the images: dB of PSNR over",
        "the range of the true image. *Lead* is ours minus the classical tool's, on the same observations in the same",
        "run. Bicubic is scikit-image's `resize` of order 3, biharmonic its `inpaint_biharmonic`; BM3D runs on",
        "Anscombe-stabilised counts and is told the true gain, which our model is not.",
        "",
    ]
    for result in results:
        lines += [
            f"## {result['set']}: `{result['preset']}`, {result['minutes']:g} minutes of training",
            "",
            f"{result['images']} test images; {result['steps']} steps in {result['training_seconds']:.0f} s "
            f"({result['precision']}); commit `{result['commit']}`{scored_by(result)}; {result['machine']}.",
            "",
            *([result["note"], ""] if "note" in result else []),
            *(rows_of_pairs(result) if result["set"] == PAIRS else rows_of_tasks(result)),
            "",
            f"One 1024² image, best of three: the mean alone takes {result['mean_s_per_megapixel']:.2f} s a megapixel "
            f"(target ≤ 0.7 s), with 8 samples {result['sampled_s_per_megapixel']:.2f} s (target ≤ 5 s).",
            "",
        ]
    for more in ("notes.md", "style.md"):
        if (HERE / more).exists():
            lines += [(HERE / more).read_text().rstrip(), ""]
    PAGE.write_text("\n".join(lines))


def write_all() -> None:
    """Write the page of figures from all results that are there."""
    order = {"nuclei": 0, "em": 1, PAIRS: 2}
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    write_page(sorted(results, key=lambda result: (order.get(result["set"], 3), result["minutes"])))
    print(f"Written: {PAGE}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the image sets")
    parser.add_argument("--referee", type=Path, help="the script that scores a model file")
    parser.add_argument("--sets", nargs="*", default=["nuclei", "em"])
    parser.add_argument("--preset", default="small")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--page-only", action="store_true", help="write the page from the results that are there")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    if not options.page_only:
        if options.data is None or options.referee is None:
            parser.error("give --data and --referee, or --page-only")
        for name in options.sets:
            print(f"{name}: {options.minutes:g} minutes of {options.preset}", flush=True)
            result = measure(
                options.data.resolve(), name, options.preset, options.minutes, options.referee.resolve(), options.images
            )
            (RESULTS / f"{name}-{options.preset}-{options.minutes:g}.json").write_text(json.dumps(result, indent=1) + "\n")
    write_all()


if __name__ == "__main__":
    main()
