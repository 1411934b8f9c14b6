"""A diagnosis in words that need no knowledge of the method: the same in every face."""

from __future__ import annotations

import math

from napari_vaegan.training.diagnosis.findings import Diagnosis


def in_words(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Say how generation stands, and the latents, a sentence each; nothing of what was not measured."""
    return tuple(sentence for sentence in (_generation(diagnosis), _latents(diagnosis)) if sentence)


def _generation(diagnosis: Diagnosis) -> str:
    figures = diagnosis.figures
    if "coverage" not in figures:
        return ""
    reached = f" (training images: {figures['floor']:.0%})" if "floor" in figures else ""
    beside = [
        f"{figures[name]:.1f} times their {what}"
        for name, what in (("diversity", "variety"), ("distance", "distance to training images"))
        if name in figures
    ]
    rest = f", with {' and '.join(beside)}" if beside else ""
    return f"Generated images are near to {figures['coverage']:.0%} of the unseen real ones{reached}{rest}."


def _latents(diagnosis: Diagnosis) -> str:
    shares = [f"{share:.0%}" for share in diagnosis.active_units if math.isfinite(share)]
    return f"Latents in use, from coarse to fine: {', '.join(shares)}." if shares else ""
