"""Denoise: the image without the noise of its instrument, whose law is fitted to the image at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.images.noise_law import NoiseLaw, fit_noise_law
from napari_vaegan.images.scaling import Scaling
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.observation.noise import NoiseOfBatch
from napari_vaegan.observation.observation import Observation, observe_noisy
from napari_vaegan.restoration.consistency import Unbound
from napari_vaegan.restoration.effort import Effort, Quality
from napari_vaegan.restoration.progress import OnProgress, no_progress
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.restore import Request, accept, restore
from napari_vaegan.restoration.subject import Subject, to_tensor
from napari_vaegan.restoration.uncertainty import law_doubt

if TYPE_CHECKING:
    from napari_vaegan.restoration.model import Model

UNTOLD = (
    "No law of photon and read noise describes the noise of this image, and the model saw no clean ones, so it guesses how "
    "much to remove: take its error bars for too small, or restore a larger image of the same camera settings."
)

FITTED_PLANES = 8
"""Of a stack, as many evenly spaced planes are looked at to fit the law."""


def denoise(
    model: Model,
    image: Any,
    samples: int = 8,
    seed: int = 0,
    axes: str | None = None,
    quality: Quality = "fast",
    on_progress: OnProgress = no_progress,
) -> Restoration:
    """Remove photon and read noise from an image; see ``Model.denoise``."""
    effort = Effort(samples, seed, quality)
    kind = Kind("denoise")
    subject = accept(model, kind, image, axes, samples)
    laws = fit_laws(subject)

    def observe(index: int, plane: NDArray[Any], scaling: Scaling) -> Observation:
        return observe_noisy(to_tensor(plane, scaling), _of_batch(laws, scaling) if laws else None)

    request = Request(
        kind,
        subject,
        subject.finite_plane,
        observe,
        Unbound(subject.dtype),
        report=_describe(model, laws),
        law_doubt=_doubt(model, laws),
    )
    return restore(model, request, effort, on_progress)


def fit_laws(subject: Subject) -> list[NoiseLaw]:
    """Fit the law of the noise of every channel to the image at hand; none if a law does not describe it."""
    indices = np.unique(np.linspace(0, len(subject) - 1, min(len(subject), FITTED_PLANES)).round().astype(int))
    planes = [subject.finite_plane(int(index)) for index in indices]
    laws = [fit_noise_law([plane[..., channel] for plane in planes]) for channel in range(planes[0].shape[-1])]
    fitting = [law for law in laws if law is not None and law.transfer is not None and law.transfer.fits]
    return fitting if len(fitting) == len(laws) else []


def _doubt(model: Model, laws: Sequence[NoiseLaw]) -> float:
    """Return how far the variance of the noise may be wrong: it matters to a model that saw no clean image."""
    if not (model.header.noisy_only and laws):
        return 0.0
    return max(law_doubt(law.white) for law in laws)


def _of_batch(laws: Sequence[NoiseLaw], scaling: Scaling) -> NoiseOfBatch:
    scaled = [
        law.scaled(low, span) for law, low, span in zip(laws, scaling.low.tolist(), scaling.span.tolist(), strict=True)
    ]

    def channels(name: str) -> Tensor:
        return torch.tensor([[getattr(law, name) for law in scaled]], dtype=torch.float32)

    correlation = torch.tensor(np.stack([law.correlation for law in scaled]), dtype=torch.float32).mean(0)[None]
    return NoiseOfBatch(channels("gain"), channels("offset"), channels("read_noise"), correlation)


def _describe(model: Model, laws: Sequence[NoiseLaw]) -> dict[str, Any]:
    """Return what the report says of the noise, a value a channel."""
    if not laws:
        return {"noise": None, "warnings": [UNTOLD] if model.header.noisy_only else []}
    values = {name: [round(float(getattr(law, name)), 4) for law in laws] for name in ("gain", "offset", "read_noise")}
    return {"noise": {**values, "correlated": [not law.white for law in laws]}}
