"""What the model cannot do, in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from napari_vaegan.report.figures import percent
from napari_vaegan.report.markup import Markup, bullets, section
from napari_vaegan.restoration.header import Header

FEW_IMAGES, FEW_PLANES, FEW_PATCHES = 5, 20, 8
SHORT_SECONDS = 300
NOISY = 0.02
"""Share of the intensity range from which noise of the images themselves bounds what can be measured against them."""


def limits_section(header: Header) -> Markup:
    """Return the limits of every model, and those of this one."""
    return section("Limits", bullets([*_always(), *_of_this_model(header)]))


def _always() -> Iterator[str]:
    yield (
        "What lies between the error bars is an estimate, not a measurement: publish it as one, name the model, and do not "
        "count, measure or compare what only a restored image shows."
    )
    yield (
        "Intervals hold on average over the pixels of images like those held apart. They do not promise anything of a "
        "single pixel, of a rare structure, or of images from another microscope, stain or exposure: look at the "
        "report of each restoration, which says how unlike the training images an image is."
    )
    yield "Samples and generated images contain invented detail. They show what is possible, not what is there."


def _of_this_model(header: Header) -> Iterator[str]:
    images, planes = (_count(header, name) for name in ("images", "planes"))
    quality = header.quality
    if images is not None and planes is not None and (images < FEW_IMAGES or planes < FEW_PLANES):
        yield (
            f"The folder was small ({images} image{'' if images == 1 else 's'}, {planes} planes): the model may have "
            "learned them by heart, and the images held apart are few and alike, so the figures above are rough, and "
            "rather too good for new samples."
        )
    if header.seconds < SHORT_SECONDS:
        yield f"Training was short ({header.seconds:,.0f} s): longer training of the same images should give a better model."
    if header.noisy_only:
        yield (
            "The training images were taken for noisy, so there was no clean truth to learn from or to compare with: the "
            "figures and error bars above stand and fall with the fitted law of the noise."
        )
    elif quality is not None and quality.truth_noise > NOISY:
        yield (
            f"The images held apart are noisy themselves (about {percent(quality.truth_noise, 1)} of their intensity "
            "range). Nothing can predict that noise, so against them no method gets beyond about "
            f"{-20 * math.log10(quality.truth_noise):.0f} dB, and a denoiser that was trained on them may leave as much "
            "noise."
        )
    if quality is None:
        yield "The model was not measured when its training ended, so there are no figures of how good it is."
        return
    if quality.kinds and min(one.patches for one in quality.kinds) < FEW_PATCHES:
        yield "Only a few patches were measured, in the short time that was left for it: the figures above scatter."
    if quality.halves == "patches":
        yield "The images held apart were too small to be divided: calibration and its check share pixels."
    for one in quality.kinds:
        if one.lead < -2 * one.lead_error and one.lead < 0:
            yield (
                f"For {one.kind} the classical tool ({one.tool}) was better by {-one.lead:.2f} dB: use that, or train for "
                "longer."
            )


def _count(header: Header, name: str) -> int | None:
    value = header.training_set.get(name)
    return value if isinstance(value, int) else None
