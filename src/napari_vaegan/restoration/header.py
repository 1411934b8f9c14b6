"""The header of a model file: all that is known of a model besides its weights."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_vaegan.config import TrainingConfig

FORMAT_VERSION: Final = 1


class Scale(BaseModel):
    """The training images' typical intensity scale: one number a channel."""

    low: list[float]
    span: list[float]


class CalibrationRecord(BaseModel):
    """How predicted errors relate to true ones, for one kind of observation; see ``KindCalibration``."""

    scale: float = Field(gt=0)
    quantiles: tuple[float, ...]
    largest_std: float
    largest_roughness: float


class Header(BaseModel):
    """What a model file says of itself, as JSON.

    The training's techniques (stages, spectral normalisation, progressive training, weights of the terms) stand in
    ``config`` and ``stages``.
    """

    model_config = ConfigDict(extra="ignore")

    format_version: Literal[1] = FORMAT_VERSION
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
