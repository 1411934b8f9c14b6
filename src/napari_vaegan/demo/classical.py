"""The classical noise filter of the demonstration: the best that is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.quality.classical import Estimate, non_local_means


def noise_filter() -> str:
    """Name the noise filter that is used: BM3D where it is installed, whose licence keeps it from being required."""
    return "Anscombe + BM3D" if find_spec("bm3d") else "non-local means"


def without_noise(image: NDArray[Any], intensity_per_photon: float) -> Estimate:
    """Remove noise by BM3D on stabilised counts, told the true noise law, or by non-local means, told nothing."""
    if find_spec("bm3d"):
        return _anscombe_bm3d(image.astype(float), intensity_per_photon)
    return non_local_means(image)


def _anscombe_bm3d(image: Estimate, intensity_per_photon: float) -> Estimate:
    """Stabilise the variance of counts (Anscombe 1948), filter (Dabov et al. 2007), and invert algebraically."""
    import bm3d

    stable = 2 * np.sqrt(np.maximum(image / intensity_per_photon, 0) + 3 / 8)
    highest = stable.max()
    filtered = bm3d.bm3d(stable / highest, sigma_psd=1 / highest) * highest
    counts: Estimate = np.maximum((filtered / 2) ** 2 - 1 / 8, 0)
    return counts * intensity_per_photon
