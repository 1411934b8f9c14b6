"""Observations of test images in every task, the same for every model, for the benchmarks that compare ways to restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.demo.observe import block_means, holes, noisy
from napari_vaegan.images.reading import find_files, read_image
from napari_vaegan.restoration.model import Model
from napari_vaegan.restoration.restoration import Restoration

SIDE = 192
"""Of the middle of an image, which is restored: a multiple of every factor."""

PHOTONS = (20, 60, 200)
"""At the brightest pixel, by turns."""


@dataclass(frozen=True)
class Trial:
    """One observation of one image.

    Attributes
    ----------
    task
        Its name in tables.
    truth
        (Y, X).
    counted
        (Y, X) bool: where errors count.
    restore
        Takes the settings of a restoration beside the observation.
    """

    task: str
    truth: NDArray[Any]
    counted: NDArray[np.bool_]
    restore: Callable[..., Restoration]

    def psnr(self, estimate: NDArray[Any]) -> float:
        """Return the peak signal-to-noise ratio in dB over the range of the true image."""
        error = np.square(estimate.astype(np.float64) - self.truth)[self.counted].mean()
        return float(10 * np.log10(np.ptp(self.truth.astype(np.float64)) ** 2 / max(error, 1e-12)))


def trials(model: Model, folder: Path, count: int) -> Iterator[Trial]:
    """Observe the first images of a folder of grey ones."""
    for number, path in enumerate(find_files(folder)[:count]):
        random = np.random.default_rng(number)
        truth = middle(np.asarray(read_image(path).pixels))
        everywhere = np.ones(truth.shape, bool)
        for factor in (2, 4):
            low = block_means(truth, factor)
            yield Trial(f"super-resolve ×{factor}", truth, everywhere, partial(model.super_resolve, low, factor))
        missing = holes(truth.shape, random)
        yield Trial("inpaint", truth, missing, partial(model.inpaint, np.where(missing, 0, truth), missing))
        seen = noisy(truth, PHOTONS[number % len(PHOTONS)], random)
        yield Trial("denoise", truth, everywhere, partial(model.denoise, seen))


def middle(image: NDArray[Any]) -> NDArray[Any]:
    """Return the middle of an image (Y, X)."""
    height, width = (min(SIDE, side - side % 4) for side in image.shape)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
