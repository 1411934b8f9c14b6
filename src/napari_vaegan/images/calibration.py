"""Pixel size, units and channel names in the dialects of TIFF."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree

import tifffile

_MICROMETRE = "µm"
_MICROMETRES_PER_CENTIMETRE = 1e4
_MICROMETRE_SPELLINGS = ("micron", "microns", "um", "\\u00b5m", "\\u00B5m", "\u03bcm", "micrometer")
_OME_SIZES = {"X": "PhysicalSizeX", "Y": "PhysicalSizeY", "Z": "PhysicalSizeZ", "T": "TimeIncrement"}


@dataclass(frozen=True)
class Calibration:
    """What a file says about its axes.

    Attributes
    ----------
    pixel_size : dict of str to float
        Size of a step along X, Y, Z and T, where known.
    unit : dict of str to str
        The units of these sizes, where known.
    channel_names : tuple of str
        Names of the channels; empty if there are none.
    """

    pixel_size: dict[str, float] = field(default_factory=dict)
    unit: dict[str, str] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()


def read_calibration(tiff: tifffile.TiffFile) -> Calibration:
    """Read the calibration of a TIFF's first series."""
    if tiff.is_ome and tiff.ome_metadata:
        return _from_ome(tiff.ome_metadata)
    page = tiff.series[0].keyframe
    unit = page.tags.get("ResolutionUnit")
    sizes = _from_resolution(page)
    if tiff.is_imagej and tiff.imagej_metadata:
        return _from_imagej(tiff.imagej_metadata, sizes)
    # Inches are what programs write that know only screens and printers, so they say nothing of a microscope.
    if unit is not None and unit.value == tifffile.RESUNIT.CENTIMETER:
        sizes = {axis: size * _MICROMETRES_PER_CENTIMETRE for axis, size in sizes.items()}
        return Calibration(sizes, dict.fromkeys(sizes, _MICROMETRE))
    return Calibration()


def _from_resolution(page: tifffile.TiffPage) -> dict[str, float]:
    sizes = {}
    for axis, name in (("Y", "YResolution"), ("X", "XResolution")):
        tag = page.tags.get(name)
        if tag is not None and tag.value[0] > 0 and tag.value[1] > 0:
            sizes[axis] = tag.value[1] / tag.value[0]
    return sizes


def _from_imagej(metadata: dict[str, object], sizes: dict[str, float]) -> Calibration:
    space = _spelled_out(str(metadata.get("unit", "")))
    if not space:
        sizes = {}
    units = dict.fromkeys(sizes, space)
    spacing, interval = metadata.get("spacing"), metadata.get("finterval")
    if isinstance(spacing, int | float) and spacing > 0 and space:
        sizes["Z"], units["Z"] = float(spacing), space
    if isinstance(interval, int | float) and interval > 0:
        sizes["T"], units["T"] = float(interval), str(metadata.get("tunit", "s"))
    labels = metadata.get("Labels")
    channels = metadata.get("channels", 1)
    # ImageJ labels planes, channels fastest: they name the channels if they repeat with them.
    if isinstance(labels, list) and isinstance(channels, int) and channels > 1:
        names = labels[:channels]
        if len(labels) == metadata.get("images") and labels == names * (len(labels) // channels):
            return Calibration(sizes, units, tuple(str(name) for name in names))
    return Calibration(sizes, units)


def _spelled_out(unit: str) -> str:
    if unit in _MICROMETRE_SPELLINGS:
        return _MICROMETRE
    return "" if unit in ("pixel", "pixels") else unit


def _from_ome(xml: str) -> Calibration:
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return Calibration()
    pixels = root.find("{*}Image/{*}Pixels")
    if pixels is None:
        return Calibration()
    sizes, units = {}, {}
    for axis, attribute in _OME_SIZES.items():
        text = pixels.get(attribute)
        if text is not None and float(text) > 0:
            sizes[axis] = float(text)
            units[axis] = pixels.get(f"{attribute}Unit", "s" if axis == "T" else _MICROMETRE)
    names = [channel.get("Name", "") for channel in pixels.findall("{*}Channel")]
    return Calibration(sizes, units, tuple(names) if any(names) else ())
