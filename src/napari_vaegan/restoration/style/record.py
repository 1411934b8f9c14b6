"""The look of the training folder as it stands in the header of a model file: a few thousand numbers."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, Field, model_validator

Number = Annotated[float, Field(allow_inf_nan=False)]


class ColourRecord(BaseModel):
    """The look of colour images; see ``ColourLook``."""

    weights: list[Annotated[float, Field(gt=0, le=1)]] = Field(min_length=1, max_length=64)
    means: list[list[Number]]
    covariances: list[list[list[Number]]]
    spread: float = Field(gt=0, allow_inf_nan=False)
    worst_misfit: Number

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        count = len(self.weights)
        covariances = np.array(self.covariances)
        if np.array(self.means).shape != (count, 3) or covariances.shape != (count, 3, 3):
            raise ValueError("the parts of a look do not fit together")
        if not (np.linalg.eigvalsh(covariances) > 0).all():
            raise ValueError("a covariance of a look is not one")
        return self


class ChannelRecord(BaseModel):
    """The look of one channel; see ``ChannelLook``."""

    quantiles: list[list[Number]] = Field(min_length=1, max_length=4096)
    structures: list[list[Number]] = Field(min_length=1, max_length=4096)


class LookRecord(BaseModel):
    """The look of images; see ``Look``."""

    images: int = Field(ge=1)
    dtype: str
    white: float = Field(gt=0, allow_inf_nan=False)
    colour: ColourRecord | None = None
    channels: list[ChannelRecord] = []
