"""Latent noise that belongs to a place: the same in a tile, in the whole image and on another machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from napari_vaegan.networks.generator import DrawNoise

Noise = Callable[[range, list[int], int, int], DrawNoise]
"""Called with the indices of samples, the latent strides, and the row and column where a window starts."""

WORDS = 4
"""Numbers that the counter-based generator gives for one value of its counter."""


def placed_noise(seed: int, plane: int, samples: range, strides: list[int], row: int, column: int) -> DrawNoise:
    """Return the noise source of a window of an image.

    Every number is made by Philox (Salmon et al. 2011) from the seed, the plane, the sample, the latent level, and the
    place in the whole image, and turned into a normal one by the inverse distribution function. Its first 52 bits are
    taken, so that none is rounded to 0 or 1, where that function is infinite.

    Parameters
    ----------
    seed, plane
        Key of the image.
    samples
        Indices of the samples: one a batch entry.
    strides
        Of the latent levels, coarsest first.
    row, column
        Where the window starts in the whole image, in pixels: multiples of the coarsest stride.
    """

    def draw(level: int, like: Tensor) -> Tensor:
        _, channels, height, width = like.shape
        top, left = row // strides[level], column // strides[level]
        blocks = -(-channels // WORDS)
        noise = np.empty((len(samples), height, width, blocks * WORDS), np.float32)
        for entry, sample in enumerate(samples):
            for y in range(height):
                counter = [left * blocks, top + y, level, sample]
                raw = np.random.Philox(key=[seed, plane], counter=counter).random_raw(width * blocks * WORDS)
                noise[entry, y] = ndtri(((raw >> 12) + 0.5) / 2.0**52).reshape(width, blocks * WORDS)
        return torch.from_numpy(noise[..., :channels].transpose(0, 3, 1, 2).copy()).to(like.device, like.dtype)

    return draw


def cut_noise(planes: Sequence[Sequence[Tensor]], others: Noise) -> Noise:
    """Return noise that is cut out of whole planes.

    Parameters
    ----------
    planes
        Of each sample and level, (channels, height / stride, width / stride).
    others
        Where that of the levels comes from which the planes do not have.
    """

    def of_window(samples: range, strides: list[int], row: int, column: int) -> DrawNoise:
        draw_others = others(samples, strides, row, column)

        def draw(level: int, like: Tensor) -> Tensor:
            if level >= len(planes[samples.start]):
                return draw_others(level, like)
            rows, columns = (
                slice(start // strides[level], start // strides[level] + side)
                for start, side in zip((row, column), like.shape[-2:], strict=True)
            )
            windows = [planes[sample][level][:, rows, columns] for sample in samples]
            return torch.stack(windows).to(like.device, like.dtype)

        return draw

    return of_window


def scaled(noise: Noise, temperature: float) -> Noise:
    """Return noise of another strength: its values times the temperature."""

    def of_window(samples: range, strides: list[int], row: int, column: int) -> DrawNoise:
        draw = noise(samples, strides, row, column)
        return lambda level, like: temperature * draw(level, like)

    return of_window
