"""What was trained and how, on what machine, and how long things take."""

from __future__ import annotations

from typing import Any

from napari_vaegan.durations import in_words
from napari_vaegan.report.figures import number, percent
from napari_vaegan.report.markup import Markup, bullets, facts, paragraph, section
from napari_vaegan.restoration.header import Header
from napari_vaegan.restoration.quality_record import QualityRecord


def training_section(header: Header) -> Markup:
    """Return what was trained, on what, with which settings and warnings."""
    images, config = header.training_set, header.config
    sizes = [" × ".join(map(str, _list(images.get(name)))) for name in ("smallest", "largest")]
    channels = "colour" if header.colour else f"{header.channels} channel{'' if header.channels == 1 else 's'}"
    intensities = _list(images.get("intensities"))
    rows = [
        ("Images", f"{images.get('images', '?')}, {images.get('planes', '?')} planes"),
        ("Size", f"{sizes[0] if sizes[0] == sizes[1] else ' to '.join(sizes)} pixels"),
        ("Kind", f"{channels}, {header.dtype}" + (f", intensities {_range(intensities)}" if intensities else "")),
        ("Held apart", _held_apart(header)),
        ("Tasks", ", ".join(config.tasks)),
        ("Training", f"{in_words(header.seconds)}, {header.steps:,} steps, {' → '.join(header.stages)}"),
        ("Preset", config.preset + (f", {header.parameters:,} parameters" if header.parameters is not None else "")),
        ("Device", f"{header.device}, {header.precision}"),
        ("Settings changed", ", ".join(_changed(header)) or "none"),
        ("Created", header.created),
        ("Versions", ", ".join(f"{name} {version}" for name, version in header.versions.items())),
    ]
    if images.get("skipped"):
        rows.insert(1, ("Skipped", f"{images['skipped']} that could not be used"))
    notes = list(dict.fromkeys([*map(str, _list(images.get("notes"))), *header.warnings]))
    said = [paragraph("What the training remarked:"), bullets(notes, "warning")] if notes else []
    return section("What was trained", facts(rows), *said)


def time_section(header: Header, quality: QualityRecord | None) -> Markup:
    """Return seconds and bytes."""
    rate = header.steps / header.seconds if header.seconds > 0 else 0.0
    rows = [
        ("Training", f"{in_words(header.seconds)} ({header.seconds:,.0f} s)"),
        ("Steps", f"{header.steps:,}, {rate:.3g} a second"),
    ]
    if quality is not None:
        rows += [
            ("Best estimate", f"{quality.seconds_per_megapixel:.3g} s a megapixel"),
            (f"With {quality.samples} samples", f"{quality.sampled_seconds_per_megapixel:.3g} s a megapixel"),
            ("Timed on", f"{quality.timed_side} × {quality.timed_side} pixels, {quality.machine}, {header.device}"),
            ("Memory", f"{quality.peak_memory / 1e9:.2f} GB at most, training included"),
            ("This measurement", in_words(quality.seconds)),
        ]
    words = (
        "Seconds a megapixel were measured on the machine that trained the model, as busy as it was then: multiply "
        "them by the megapixels of a plane and by the number of planes. Steps a second count the whole training, "
        "validation included."
    )
    return section("Time and memory", facts(rows), paragraph(words, "caption"))


def _held_apart(header: Header) -> str:
    """Say what validation and this report are made with: as the training remarked, where that was not whole images."""
    usual = f"{percent(header.config.validation_fraction)} of the images, at least one, for validation and for this report"
    return next((warning for warning in header.warnings if "held apart" in warning), usual)


def _changed(header: Header) -> list[str]:
    config, defaults = header.config.model_dump(), type(header.config)().model_dump()
    return [f"{name} = {_plain(value)}" for name, value in config.items() if value != defaults[name]]


def _plain(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _range(values: list[Any]) -> str:
    return " to ".join(number(value) if isinstance(value, int | float) else str(value) for value in values)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
