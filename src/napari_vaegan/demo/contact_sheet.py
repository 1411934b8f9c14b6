"""The contact sheet: a row of pictures for each task, and a strip of generated images beside real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_vaegan.demo.trials import Trial
from napari_vaegan.quality.panels import Contrast, enlarged, inferno

_ENLARGEMENT = 2
_MARGIN = 24
_GAP = 10
_LINE = 26
_LABEL_WIDTH = 200
_BACKGROUND = (18, 18, 18)
_BRIGHT = (245, 245, 245)
_FAINT = (175, 175, 175)
_SCALE_BAR_MICROMETRES = 10


@dataclass(frozen=True)
class Panel:
    """One picture with its name above and its figure below."""

    picture: Image.Image
    name: str
    figure: str = ""
    bar_highest: float | None = None


@dataclass(frozen=True)
class Strip:
    """Panels side by side, with a heading and small notes at their left."""

    heading: str
    notes: tuple[str, ...]
    panels: tuple[Panel, ...]


def draw_contact_sheet(
    title: str,
    caption: str,
    trials: Sequence[Trial],
    *,
    generated: NDArray[Any],
    real: NDArray[Any],
    pixel_micrometres: float,
) -> Image.Image:
    """Draw the sheet.

    Parameters
    ----------
    title, caption
        The two lines at the top.
    trials
        One for each row. All grey panels of the sheet have the contrast that suits the first one's truth.
    generated, real
        (count, Y, X): images that the model drew from nothing, and images to compare them with.
    pixel_micrometres
        Side of a pixel of the truth, for the scale bars.
    """
    contrast = Contrast.of(trials[0].truth)
    strips = [_trial_strip(trial, contrast, pixel_micrometres) for trial in trials]
    strips.append(_generated_strip(generated, real, contrast, pixel_micrometres))
    width = max(_LABEL_WIDTH + sum(panel.picture.width + _GAP for panel in strip.panels) for strip in strips)
    heights = [max(panel.picture.height for panel in strip.panels) + 2 * _LINE + 2 * _GAP for strip in strips]
    top = _MARGIN + 40 + 2 * _LINE
    sheet = Image.new("RGB", (width + 2 * _MARGIN, top + sum(heights) + _MARGIN), _BACKGROUND)
    _write(sheet, (_MARGIN, _MARGIN), title, 30)
    _write(sheet, (_MARGIN, _MARGIN + 44), caption, 18, _FAINT)
    for strip, height in zip(strips, heights, strict=True):
        _draw_strip(sheet, strip, top)
        top += height
    return sheet


def _trial_strip(trial: Trial, contrast: Contrast, pixel_micrometres: float) -> Strip:
    restoration = trial.restoration
    size = (_ENLARGEMENT * trial.truth.shape[1], _ENLARGEMENT * trial.truth.shape[0])
    highest = max(float(np.percentile(restoration.std, 99.5)), 1e-6)

    def grey(name: str, image: NDArray[Any]) -> Panel:
        return Panel(enlarged(contrast.grey(image), size), name, f"{trial.psnr(image):.2f} dB")

    observed = enlarged(contrast.grey(trial.observed, trial.missing), size)
    same_grid = trial.missing is None and trial.observed.shape == trial.truth.shape
    truth = enlarged(contrast.grey(trial.truth), size)
    _draw_scale_bar(truth, pixel_micrometres / _ENLARGEMENT)
    panels = (
        Panel(observed, "input", f"{trial.psnr(trial.observed):.2f} dB" if same_grid else ""),
        grey(trial.tool, trial.classical),
        grey("mean", restoration.mean),
        *(grey(f"sample {i + 1}", sample) for i, sample in enumerate(restoration.samples[:2])),
        Panel(enlarged(inferno(restoration.std, highest), size), "std (error bar)", bar_highest=highest),
        Panel(truth, "truth", f"{_SCALE_BAR_MICROMETRES} micrometre bar"),
    )
    counted = "PSNR against the truth" if trial.missing is None else "PSNR of missing pixels"
    return Strip(trial.task, (counted, _range_of(contrast)), panels)


def _generated_strip(generated: NDArray[Any], real: NDArray[Any], contrast: Contrast, pixel_micrometres: float) -> Strip:
    def show(image: NDArray[Any]) -> Image.Image:
        return enlarged(contrast.grey(image), (_ENLARGEMENT * image.shape[1], _ENLARGEMENT * image.shape[0]))

    panels = [Panel(show(image), f"generated {i + 1}") for i, image in enumerate(generated)]
    panels += [Panel(show(image), "real") for image in real]
    _draw_scale_bar(panels[-1].picture, pixel_micrometres / _ENLARGEMENT)
    return Strip("generate", ("from nothing, unselected", _range_of(contrast)), tuple(panels))


def _range_of(contrast: Contrast) -> str:
    return f"grey: {contrast.black:.0f} to {contrast.white:.0f}"


def _draw_strip(sheet: Image.Image, strip: Strip, top: int) -> None:
    _write(sheet, (_MARGIN, top + _LINE), strip.heading, 22)
    for line, note in enumerate(strip.notes):
        _write(sheet, (_MARGIN, top + 2 * _LINE + 8 + 22 * line), note, 16, _FAINT)
    left = _MARGIN + _LABEL_WIDTH
    for panel in strip.panels:
        _write(sheet, (left, top), panel.name, 18)
        sheet.paste(panel.picture, (left, top + _LINE))
        below = top + _LINE + panel.picture.height + 5
        if panel.bar_highest is None:
            _write(sheet, (left, below), panel.figure, 17, _FAINT)
        else:
            _draw_colour_bar(sheet, (left, below), panel.picture.width, panel.bar_highest)
        left += panel.picture.width + _GAP


def _draw_colour_bar(sheet: Image.Image, corner: tuple[int, int], width: int, highest: float) -> None:
    """Draw the colours of inferno between the values that their ends stand for."""
    left, top = corner
    text = f"{highest:.0f}" if highest >= 10 else f"{highest:.2g}"
    text_width = int(_font(17).getlength(text))
    bar = (left + 16, left + width - text_width - 8)
    _write(sheet, (left, top), "0", 17, _FAINT)
    _write(sheet, (left + width - text_width, top), text, 17, _FAINT)
    ramp = np.tile(np.linspace(0, 1, bar[1] - bar[0]), (14, 1))
    sheet.paste(inferno(ramp, 1.0), (bar[0], top + 4))


def _draw_scale_bar(picture: Image.Image, micrometres_per_dot: float) -> None:
    length = round(_SCALE_BAR_MICROMETRES / micrometres_per_dot)
    right, bottom = picture.width - 10, picture.height - 10
    ImageDraw.Draw(picture).rectangle([right - length, bottom - 4, right, bottom], fill=_BRIGHT)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _write(
    sheet: Image.Image, corner: tuple[int, int], text: str, size: int, colour: tuple[int, int, int] = _BRIGHT
) -> None:
    # Pillow's own font, the only one that is everywhere, has no multiplication sign and no dashes.
    plain = text.replace("×", "x").replace("–", "-")
    ImageDraw.Draw(sheet).text(corner, plain, fill=colour, font=_font(size))
