"""The latents of an image: what a model knows of it, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError, ShapeError
from napari_vaegan.images.scaling import Scaling
from napari_vaegan.networks.generator import DrawNoise
from napari_vaegan.restoration.subject import SMALLEST_SIDE

SMALLEST_ANGLE = 1e-3
"""Radians; vectors that are nearer to each other are mixed in proportion, as the sphere is flat there."""


@dataclass(frozen=True)
class Canvas:
    """What an image is drawn on.

    Attributes
    ----------
    shape
        Height and width in pixels.
    scaling
        Of its intensities.
    dtype
        Of its pixels.
    """

    shape: tuple[int, int]
    scaling: Scaling
    dtype: np.dtype[Any]

    def __post_init__(self) -> None:
        if np.shape(self.shape) != (2,) or min(self.shape) < SMALLEST_SIDE:
            raise ShapeError(
                f"Images of shape {self.shape} cannot be generated: give height and width of at least {SMALLEST_SIDE}."
            )

    def towards(self, other: Canvas, share: float) -> Canvas:
        """Return the canvas on the way to another of the same shape: its intensities change in proportion.

        Raises
        ------
        ShapeError
            If the other has another shape.
        """
        if tuple(self.shape) != tuple(other.shape):
            sizes = " and ".join(f"{height} × {width}" for height, width in (self.shape, other.shape))
            raise ShapeError(f"There is no way between images of {sizes} pixels: crop them to the same size.")
        low, span = (
            (1 - share) * getattr(self.scaling, name) + share * getattr(other.scaling, name) for name in ("low", "span")
        )
        return Canvas(self.shape, Scaling(low, span), np.result_type(self.dtype, other.dtype))


@dataclass(frozen=True, eq=False)
class Latents:
    """An image as a model's latents, in standard deviations of what the model expects given the coarser ones.

    Those of a generated image are drawn as the model has learned that those of real images are. Made by ``Model.encode`` or
    ``Model.latents``.

    Attributes
    ----------
    levels : tuple of ndarray, float32
        Coarsest first, each (channels, height / stride, width / stride) of the field that the image is the middle of:
        what one of the coarsest latents covers is added beyond every edge, and the sides are rounded up to whole ones.
    canvas
        Size, intensity scale and dtype of the image.
    """

    levels: tuple[NDArray[np.float32], ...] = field(repr=False)
    canvas: Canvas

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.canvas.shape

    def noise(self, samples: range, strides: list[int], row: int, column: int) -> DrawNoise:
        """Return what the generator draws in a window, the same for every sample; see ``latent_noise.Noise``."""

        def draw(level: int, like: torch.Tensor) -> torch.Tensor:
            top, left = row // strides[level], column // strides[level]
            height, width = like.shape[-2:]
            window = self.levels[level][:, top : top + height, left : left + width]
            return torch.from_numpy(window.copy()).to(like.device, like.dtype).expand(like.shape)

        return draw

    def towards(self, other: Latents, share: float) -> Latents:
        """Return the latents on the way to others: along the sphere on which both lie (White 2016).

        Noise keeps its variance on it, so that an image on the way is as likely as its ends.

        Parameters
        ----------
        other
            The end of the way: of the same model, and of an image of the same size.
        share
            Of the way: at 0 these latents, at 1 the others, bit by bit.

        Raises
        ------
        SettingError
            If the share is not between 0 and 1.
        ShapeError
            If the images differ in size, or the models in their latents.
        """
        if not 0 <= share <= 1:
            raise SettingError(f"The share of the way must lie between 0 and 1, not {share}: 0.5 is half-way, for example.")
        canvas = self.canvas.towards(other.canvas, share)
        if [level.shape for level in self.levels] != [level.shape for level in other.levels]:
            raise ShapeError("There is no way between latents of two models: encode both images with the same one.")
        levels = (_along_sphere(*ends, share) for ends in zip(self.levels, other.levels, strict=True))
        return Latents(tuple(levels), canvas)


def _along_sphere(first: NDArray[np.float32], second: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    lengths = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
    cosine = float(np.vdot(first, second)) / lengths if lengths else 1.0
    angle = float(np.arccos(np.clip(cosine, -1, 1)))
    if not SMALLEST_ANGLE < angle < np.pi - SMALLEST_ANGLE:
        return np.float32(1 - share) * first + np.float32(share) * second
    start, end = (np.float32(np.sin(part * angle) / np.sin(angle)) for part in (1 - share, share))
    return start * first + end * second
