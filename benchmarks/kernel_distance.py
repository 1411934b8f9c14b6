#!/usr/bin/env python3
"""What the kernel distance of generated images reacts to: that of real patches which were blurred or made noisier.

    python benchmarks/kernel_distance.py DATA/nuclei/test DATA/em/test --referee evaluate.py [--size 64] [--count 128]

Half of the patches stand for the real ones, the other half is altered; features and distance are the referee's.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from patches import real_patches

Patch = NDArray[np.float64]

BLURS = (0.5, 0.7, 1.0, 2.0)
"""Standard deviations in pixels."""

NOISES = (0.005, 0.01, 0.02, 0.04)
"""Standard deviations as a share of the patch's range."""


def load(referee: Path) -> ModuleType:
    """Return the referee as a module."""
    spec = importlib.util.spec_from_file_location("referee", referee)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alterations(real: list[Patch], random: np.random.Generator) -> Iterator[tuple[str, list[Patch]]]:
    """Name what is done to patches, and do it."""
    yield "nothing", real
    for sigma in BLURS:
        yield f"blur of {sigma:g} pixels", [gaussian_filter(patch, sigma) for patch in real]
    for share in NOISES:
        yield f"white noise of {share:.1%}", [patch + random.normal(0, share * np.ptp(patch), patch.shape) for patch in real]
    for sigma in (1.0, 2.0):
        yield (
            f"blur of {sigma:g} pixels, and white noise for what it took",
            [_whitened(patch, sigma, random) for patch in real],
        )


def _whitened(patch: Patch, sigma: float, random: np.random.Generator) -> Patch:
    """Return a blurred patch with white noise as strong as the grain that the blur took from its upper quarter."""
    blurred: Patch = gaussian_filter(patch, sigma)
    quarter = slice(len(patch) // 4)
    return blurred + random.normal(0, (patch - blurred)[quarter].std(), patch.shape)


def eight_bit(patch: Patch) -> Patch:
    """Stretch a patch to 0…255, as the referee does."""
    stretched: Patch = np.clip(255 * (patch - patch.min()) / max(float(np.ptp(patch)), 1e-6), 0, 255)
    return stretched


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--referee", type=Path, required=True)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--count", type=int, default=128)
    options = parser.parse_args()
    referee = load(options.referee)
    for folder in options.folders:
        random = np.random.default_rng(0)
        found = [patch.astype(np.float64) for patch in real_patches(folder, options.size, 2 * options.count)]
        reference = referee.features([eight_bit(patch) for patch in found[: options.count]])
        for name, altered in alterations(found[options.count :], random):
            distance = referee.kernel_distance(referee.features([eight_bit(patch) for patch in altered]), reference)
            print(f"{folder}: {name}: {distance:.1f}", flush=True)


if __name__ == "__main__":
    main()
