"""The header of a model file: all that is known of a model besides its weights."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_vaegan.config import TrainingConfig
from napari_vaegan.restoration.quality_record import QualityRecord
from napari_vaegan.restoration.style.record import LookRecord

FORMAT_VERSION: Final = 5


class Scale(BaseModel):
    """The training images' typical intensity scale: one number a channel."""

    low: list[float]
    span: list[float]


class CalibrationPointRecord(BaseModel):
    """How predicted errors relate to true ones at one level of noise; see ``CalibrationPoint``."""

    noise: float = Field(ge=0)
    scale: float = Field(gt=0)
    quantiles: tuple[float, ...]
    spread: float = Field(1.0, gt=0)


class CalibrationRecord(BaseModel):
    """How predicted errors relate to true ones, for one kind of observation; see ``KindCalibration``."""

    points: list[CalibrationPointRecord] = Field(min_length=1)
    largest_std: float
    largest_roughness: float


class NoiseRecord(BaseModel):
    """The law of the noise in the training images, in grey levels: variance = gain × (intensity − offset) + read noise².

    Attributes
    ----------
    gain
        Grey levels a photon.
    offset
        Grey level of no light.
    read_noise
        Standard deviation of the noise there is without light.
    correlation
        5 × 5: correlation of the noise of a pixel (the middle) with that of its neighbours.
    intensities, variances, errors
        The measured points that the law was fitted to: mean intensity, variance there, and its standard error.
    misfit
        Root mean square deviation of the variances from the law beyond their errors, relative to the law; 0 where it holds.
    fits
        Whether the law describes the images.
    """

    gain: float
    offset: float
    read_noise: float
    correlation: list[list[float]] = []
    intensities: list[float] = []
    variances: list[float] = []
    errors: list[float] = []
    misfit: float | None = None
    fits: bool = True


class Header(BaseModel):
    """What a model file says of itself, as JSON.

    The training's techniques (stages, spectral normalisation, progressive training, weights of the terms) stand in
    ``config`` and ``stages``.

    Attributes
    ----------
    warnings
        What the training warned of.
    parameters
        How many weights the model has.
    noise
        The noise law of the training images, one a channel; empty where none was fitted.
    quality
        What was measured at the end of the training; None if it was not.
    look
        The look of the training images; None in files of earlier versions, or if there is none to be seen.
    """

    model_config = ConfigDict(extra="ignore")

    format_version: Literal[5] = FORMAT_VERSION
    name: str
    created: str
    versions: dict[str, str]
    config: TrainingConfig
    stages: list[str]
    channels: int = Field(ge=1, le=64)
    colour: bool
    dtype: Literal["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
    scaling: Scale
    training_set: dict[str, Any]
    psnr: dict[str, float]
    calibration: dict[str, CalibrationRecord]
    curves: list[dict[str, Any]]
    steps: int
    seconds: float
    device: str
    precision: str
    warnings: list[str] = []
    parameters: int | None = None
    noise: list[NoiseRecord] = []
    quality: QualityRecord | None = None
    look: LookRecord | None = None

    @property
    def noisy_only(self) -> bool:
        """Whether the model saw no clean image: noise is recorded where the images were taken for noisy, and only there."""
        return bool(self.noise)
