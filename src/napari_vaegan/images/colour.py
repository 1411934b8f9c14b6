"""Files often keep more colour than there is: alpha, or grey stored as equal red, green and blue."""

from __future__ import annotations

from typing import Any

import numpy as np


def without_alpha(samples: Any) -> Any:
    """Drop the alpha of grey + alpha or of red, green, blue + alpha ``(..., 2 or 4)``."""
    return samples[..., :-1] if samples.shape[-1] in (2, 4) else samples


def grey_if_equal(samples: Any) -> Any:
    """Return ``(...)`` if the samples of ``(..., C)`` all agree, else the samples as they are."""
    first = samples[..., 0]
    for other in range(1, samples.shape[-1]):
        if not np.array_equal(first, samples[..., other]):
            return samples
    return np.ascontiguousarray(first)
