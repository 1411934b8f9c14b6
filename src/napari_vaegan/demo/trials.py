"""Every task tried on an image whose truth is known, beside its classical tool."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.demo import observe
from napari_vaegan.demo.classical import noise_filter, without_noise
from napari_vaegan.quality.classical import bicubic, biharmonic
from napari_vaegan.restoration.model import Model
from napari_vaegan.restoration.restoration import Restoration

SAMPLES = 8
PHOTONS = (20.0, 60.0, 200.0)
"""At the brightest pixel: one level after another, from one image to the next."""


@dataclass(frozen=True)
class Trial:
    """One task on one image.

    Attributes
    ----------
    task
        Such as ``"denoise"`` or ``"super-resolve x2"``.
    tool
        The classical tool.
    observed
        What model and tool were given.
    missing
        The pixels that were not given, and are the only ones that count; None if all count.
    classical
        What the tool made of it.
    restoration
        What the model made of it.
    truth
        What it should have been.
    seconds
        The model's time.
    """

    task: str
    tool: str
    observed: NDArray[Any] = field(repr=False)
    missing: NDArray[np.bool_] | None = field(repr=False)
    classical: NDArray[np.float64] = field(repr=False)
    restoration: Restoration = field(repr=False)
    truth: NDArray[Any] = field(repr=False)
    seconds: float

    def psnr(self, estimate: NDArray[Any]) -> float:
        """Return the peak signal-to-noise ratio in dB, the peak being the truth's range."""
        truth = self.truth.astype(np.float64)
        squared = (estimate - truth) ** 2
        error = squared.mean() if self.missing is None else squared[self.missing].mean()
        return float(10 * np.log10(np.ptp(truth) ** 2 / max(error, 1e-12)))

    @property
    def coverage(self) -> float:
        """Share of true pixels inside the interval that should hold 90 % of them."""
        low, high = self.restoration.interval(0.9)
        inside = (self.truth >= low) & (self.truth <= high)
        return float(inside.mean() if self.missing is None else inside[self.missing].mean())


def try_inpainting(model: Model, truth: NDArray[Any], seed: int) -> Trial:
    """Cut holes into an image and fill them."""
    height, width = truth.shape
    mask = observe.holes((height, width), np.random.default_rng(seed))
    broken = np.where(mask, 0, truth).astype(truth.dtype)
    begin = time.perf_counter()
    restoration = model.inpaint(broken, mask, samples=SAMPLES, seed=seed)
    seconds = time.perf_counter() - begin
    filled = biharmonic(broken, mask)
    return Trial("inpaint", "biharmonic", broken, mask, filled, restoration, truth, seconds)


def try_super_resolution(model: Model, truth: NDArray[Any], factor: int, seed: int) -> Trial:
    """Bin an image and refine it again."""
    low = observe.block_means(truth, factor)
    begin = time.perf_counter()
    restoration = model.super_resolve(low, factor=factor, samples=SAMPLES, seed=seed)
    seconds = time.perf_counter() - begin
    finer = bicubic(low, truth.shape)
    return Trial(f"super-resolve x{factor}", "bicubic", low, None, finer, restoration, truth, seconds)


def try_denoising(model: Model, truth: NDArray[Any], seed: int) -> Trial:
    """Take an image with few photons and remove the noise."""
    photons = PHOTONS[seed % len(PHOTONS)]
    noisy = observe.noisy(truth, photons, np.random.default_rng(seed))
    begin = time.perf_counter()
    restoration = model.denoise(noisy, samples=SAMPLES, seed=seed)
    seconds = time.perf_counter() - begin
    filtered = without_noise(noisy, observe.intensity_per_photon(truth, photons))
    return Trial("denoise", noise_filter(), noisy, None, filtered, restoration, truth, seconds)


def try_all(model: Model, truth: NDArray[Any], seed: int) -> list[Trial]:
    """Try every task on an image."""
    return [
        try_inpainting(model, truth, seed),
        try_super_resolution(model, truth, 2, seed),
        try_super_resolution(model, truth, 4, seed),
        try_denoising(model, truth, seed),
    ]
