"""What was measured of a model at the end of its training, as it stands in the header of its file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class KindQuality(BaseModel):
    """How well one kind of observation is restored: means over patches held apart.

    PSNR is in dB, its peak the intensity range of the image (scaled span 1), and that of inpainting counts the missing
    pixels only. SSIM counts whole patches.

    Attributes
    ----------
    tool
        The classical tool that was given the same.
    classical_psnr, classical_ssim
        Of the classical tool.
    mean_psnr, mean_ssim
        Of the model's best estimate.
    sample_psnr, average_psnr
        Of one sample, and of the average of all of them.
    lead_error
        Standard error of the lead in PSNR, from its scatter over patches; 0 of a single patch.
    levels, observed, errors
        Shares of true pixels that intervals promise; that lay inside; standard errors of the latter. The intervals were
        calibrated on one half of the patches and counted on the other, and the other way round.
    widths
        Mean full width in grey levels of the intervals that the model gives, at these levels.
    """

    kind: str
    patches: int = Field(ge=1)
    tool: str
    classical_psnr: float
    classical_ssim: float
    mean_psnr: float
    mean_ssim: float
    sample_psnr: float
    average_psnr: float
    lead_error: float
    levels: list[float]
    observed: list[float]
    errors: list[float]
    widths: list[float]

    @property
    def lead(self) -> float:
        """By how many dB the best estimate is nearer to the truth than the classical tool."""
        return self.mean_psnr - self.classical_psnr

    @property
    def gain_of_averaging(self) -> float:
        """By how many dB the average of all samples is nearer to the truth than one of them."""
        return self.average_psnr - self.sample_psnr


class PatchPictures(BaseModel):
    """One patch held apart, as base64 of PNG: what was given, what was made of it, and what it should have been.

    Attributes
    ----------
    black, white
        Grey levels that are shown as black and white.
    highest_std
        Standard deviation in grey levels that is shown brightest.
    """

    kind: str
    input: str
    mean: str
    sample: str
    std: str
    truth: str
    black: float
    white: float
    highest_std: float


class QualityRecord(BaseModel):
    """What was measured at the end of a training, and on what.

    Attributes
    ----------
    patch_size, samples
        Side of a patch in pixels, and how many samples were drawn of each.
    halves
        What the two halves are made of, on one of which intervals were calibrated and on the other counted: different
        images, different parts of them, or, where they are too small, patches that may overlap.
    truth_noise
        Typical standard deviation of the noise in the images held apart themselves, as a share of their intensity range.
    generated
        Samples of which nothing was observed, as base64 of PNG.
    seconds_per_megapixel, sampled_seconds_per_megapixel
        Of the best estimate alone, and with all samples.
    timed_side
        Side of the square, in pixels, that was timed.
    machine
        That it was measured on.
    peak_memory
        Bytes that the whole process took at most, training included; on a GPU its memory.
    seconds
        That the measuring took.
    """

    patch_size: int
    samples: int
    halves: Literal["images", "parts", "patches"]
    truth_noise: float
    kinds: list[KindQuality]
    pictures: list[PatchPictures]
    generated: list[str]
    seconds_per_megapixel: float
    sampled_seconds_per_megapixel: float
    timed_side: int
    machine: str
    peak_memory: int
    seconds: float
