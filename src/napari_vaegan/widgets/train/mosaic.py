"""One picture of many: what the model makes of images held apart, a kind of observation a row, with headings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_vaegan.training.events import Previewed

COLUMNS = ("input", "mean", "sample", "original")

_LEAST_SIDE = 128
"""Pixels of a picture in the mosaic; smaller ones are enlarged by whole numbers, so that the headings can be read."""

_GAP = 4
_TEXT = 20
_LINE = 30
_RULE = 0.35
"""Grey of the lines between pictures."""


def mosaic(event: Previewed) -> NDArray[np.float32]:
    """Return rows of input, mean, sample and the original, noisy or not, and generated samples below.

    Parameters
    ----------
    event
        With pictures of C channels, in scaled units.

    Returns
    -------
    ndarray
        (Y, X) for one channel, (Y, X, 3) for colour, (C, Y, X) for other channels.
    """
    rows = [*event.previews]
    names = [kind.replace(" ", "\n").replace("×", "x") for kind in event.kinds]  # Pillow's own font has no ×
    for begin in range(0, len(event.generated), len(COLUMNS)):
        rows.append(event.generated[begin : begin + len(COLUMNS)])
        names.append("" if begin else "generated")
    pictures = [_enlarged(row) for row in rows]
    height, width, channels = pictures[0].shape[1:]
    margin = max(map(_text_width, "\n".join(names).split("\n"))) + 2 * _GAP
    tops = [_LINE + _GAP + row * (height + _GAP) for row in range(len(rows))]
    lefts = [margin + _GAP + column * (width + _GAP) for column in range(len(COLUMNS))]
    canvas: NDArray[np.float32] = np.zeros((tops[-1] + height + _GAP, lefts[-1] + width + _GAP, channels), np.float32)
    canvas[_LINE:, margin:] = _RULE
    for top, images in zip(tops, pictures, strict=True):
        for left, image in zip(lefts, images, strict=False):
            canvas[top : top + height, left : left + width] = image
    texts = [(left + width // 2, _LINE // 2, name, "mm") for left, name in zip(lefts, COLUMNS, strict=True)]
    texts += [(_GAP, top + height // 2, name, "lm") for top, name in zip(tops, names, strict=True)]
    canvas += _written(canvas.shape[:2], texts)[..., np.newaxis]
    if channels == 1:
        return canvas[..., 0]
    return canvas if channels == 3 else np.moveaxis(canvas, -1, 0)


def _enlarged(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeat the pixels of (count, Y, X, C)."""
    factor = max(1, -(-_LEAST_SIDE // images.shape[1]))
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_TEXT)


def _text_width(text: str) -> int:
    return round(_font().getlength(text))


def _written(shape: Sequence[int], texts: list[tuple[int, int, str, str]]) -> NDArray[np.float32]:
    """Return texts in white on black: each with x, y, and what of it lies there."""
    picture = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(picture)
    for x, y, text, anchor in texts:
        draw.text((x, y), text, fill=255, font=_font(), anchor=anchor)
    return np.asarray(picture, np.float32) / np.float32(255)
