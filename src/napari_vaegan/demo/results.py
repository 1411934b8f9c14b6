"""The demonstration's figures: a table of PSNR against the classical tools, and what it was measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from napari_vaegan.demo.trials import SAMPLES, Trial
from napari_vaegan.quality.machine import machine
from napari_vaegan.restoration.header import Header


@dataclass(frozen=True)
class Row:
    """The mean figures of a task over all images.

    Attributes
    ----------
    classical_psnr, model_psnr, sample_psnr
        dB: of the classical tool, of the model's mean, of one of its samples.
    coverage
        Share of true pixels inside the interval that should hold 90 %.
    seconds
        Of the model, an image, with all samples.
    """

    task: str
    tool: str
    classical_psnr: float
    model_psnr: float
    sample_psnr: float
    coverage: float
    seconds: float

    @property
    def gain(self) -> float:
        """By how many dB the model's mean is nearer to the truth than the classical tool."""
        return self.model_psnr - self.classical_psnr


def summarise(trials: Sequence[Trial]) -> list[Row]:
    """Return a row for each task, in the order of the trials."""
    rows = []
    for task in dict.fromkeys(trial.task for trial in trials):
        same = [trial for trial in trials if trial.task == task]
        rows.append(
            Row(
                task=task,
                tool=same[0].tool,
                classical_psnr=fmean(trial.psnr(trial.classical) for trial in same),
                model_psnr=fmean(trial.psnr(trial.restoration.mean) for trial in same),
                sample_psnr=fmean(trial.psnr(trial.restoration.samples[0]) for trial in same),
                coverage=fmean(trial.coverage for trial in same),
                seconds=fmean(trial.seconds for trial in same),
            )
        )
    return rows


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| task | classical tool | classical, dB | model, dB | gain, dB | a sample, dB | in 90 % interval | seconds |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row.task} | {row.tool} | {row.classical_psnr:.2f} | {row.model_psnr:.2f} | {row.gain:+.2f} "
        f"| {row.sample_psnr:.2f} | {100 * row.coverage:.0f} % | {row.seconds:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def as_text(rows: Sequence[Row], header: Header, images: int) -> str:
    """Return the whole of ``results.md``."""
    versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
    return f"""# What the demonstration measured

{table(rows)}

Mean over {images} images of a field of view that training knew nothing of. PSNR: the peak is the truth's range, and
inpainting counts the missing pixels only. Seconds are for one image with {SAMPLES} samples. The truth
is a photograph with noise of its own, which nothing can predict: that bounds what super-resolution can gain here.

- Training: preset {header.config.preset}, {header.steps} steps in {header.seconds:.0f} s on {header.device}.
- Machine: {machine()}.
- Versions: {versions}.
"""


def as_record(rows: Sequence[Row], header: Header, images: int) -> dict[str, Any]:
    """Return the whole of ``results.json``."""
    return {
        "rows": [asdict(row) | {"gain": row.gain} for row in rows],
        "images": images,
        "samples": SAMPLES,
        "preset": header.config.preset,
        "steps": header.steps,
        "training_seconds": header.seconds,
        "device": header.device,
        "machine": machine(),
        "versions": dict(header.versions),
    }
