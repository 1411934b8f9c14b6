"""Trials as small PNG pictures, in base64: what the header of a model file has room for."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from napari_vaegan.images.scaling import Scaling
from napari_vaegan.quality.panels import MISSING, Contrast, inferno
from napari_vaegan.quality.trial import Trial
from napari_vaegan.restoration.quality_record import PatchPictures
from napari_vaegan.restoration.subject import from_tensor

SIDE = 64
"""Pixels of a picture's side: the middle of a patch."""


def picture_trial(trial: Trial, std: Tensor, scaling: Scaling, colour: bool) -> PatchPictures:
    """Return the pictures of one trial; grey ones of its first channel unless it is in colour.

    Parameters
    ----------
    trial
        To be shown.
    std
        Calibrated, (channels, height, width) in scaled intensities.
    scaling
        To grey levels.
    colour
        Whether channels are red, green and blue.
    """
    truth = _look(trial.truth, scaling, colour)
    contrast = Contrast.of(truth)
    known = _middle(trial.observation.known[0, 0].numpy())
    missing = known == 0 if trial.kind.task == "inpaint" else None
    span = scaling.span if colour else scaling.span[:1]
    spread = _middle(std[: len(span)].numpy()) * np.asarray(span)[:, None, None]
    spread = np.sqrt(np.square(spread).mean(axis=0))
    highest = max(float(np.percentile(spread, 99.5)), 1e-9)
    return PatchPictures(
        kind=str(trial.kind),
        input=encode(show(_look(trial.observation.image[0], scaling, colour), contrast, missing)),
        mean=encode(show(_look(trial.estimate.mean, scaling, colour), contrast)),
        sample=encode(show(_look(trial.estimate.samples[0], scaling, colour), contrast)),
        std=encode(inferno(spread, highest)),
        truth=encode(show(truth, contrast)),
        black=contrast.black,
        white=contrast.white,
        highest_std=highest,
    )


def picture_generated(samples: Tensor, scaling: Scaling, colour: bool) -> list[str]:
    """Return pictures of samples (count, channels, height, width), all of one contrast."""
    images = [_look(sample, scaling, colour) for sample in samples]
    contrast = Contrast.of(np.stack(images))
    return [encode(show(image, contrast)) for image in images]


def show(image: NDArray[np.floating[Any]], contrast: Contrast, missing: NDArray[np.bool_] | None = None) -> Image.Image:
    """Return an image (Y, X) in grey or (Y, X, 3) in colour, missing pixels in a colour of their own."""
    shade = np.clip((image - contrast.black) / (contrast.white - contrast.black), 0, 1)
    values = np.rint(255 * shade).astype(np.uint8)
    if missing is not None and missing.any():
        values = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=-1)
        values[missing] = MISSING
    return Image.fromarray(values)


def encode(picture: Image.Image) -> str:
    """Return the picture as base64 of PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _look(image: Tensor, scaling: Scaling, colour: bool) -> NDArray[np.floating[Any]]:
    """Return the middle of (channels, height, width) in grey levels: (Y, X) of the first channel, or (Y, X, 3)."""
    middle = _middle(from_tensor(image, scaling).transpose(2, 0, 1))
    return middle.transpose(1, 2, 0) if colour else middle[0]


def _middle(image: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    height, width = image.shape[-2:]
    top, left = max(0, height - SIDE) // 2, max(0, width - SIDE) // 2
    return image[..., top : top + SIDE, left : left + SIDE]
