"""Pictures of what the running average makes of images held apart, to be looked at while training runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import Observation
from napari_vaegan.training.generated import generate_patches
from napari_vaegan.training.validation import PATCH_SIZE, Validator, restore_images

GENERATED = 4


@dataclass(frozen=True)
class Pictures:
    """What is shown; see the event ``Previewed``."""

    previews: NDArray[np.float32]
    generated: NDArray[np.float32]


class Previewer:
    """One patch, observed in every kind, and a few images of which nothing is known.

    Parameters
    ----------
    validator
        Has the patches and the observations of them.
    generates
        Whether generation is trained.
    """

    def __init__(self, validator: Validator, generates: bool) -> None:
        self.kinds = tuple(map(str, validator.kinds))
        self._observations = [batch.observation.select(slice(1)) for batch in validator.batches]
        self._truth = torch.from_numpy(validator.patches.pixels[:1])
        self._generated = GENERATED if generates else 0

    @torch.no_grad()
    def draw(self, networks: VaeGan, device: torch.device) -> Pictures:
        """Let networks restore and generate."""
        channels = self._truth.shape[1]
        previews = np.zeros((0, 4, PATCH_SIZE, PATCH_SIZE, channels), np.float32)
        generated = np.zeros((0, PATCH_SIZE, PATCH_SIZE, channels), np.float32)
        if self._observations:
            observation = Observation.join(self._observations).to(device)
            made = restore_images(networks, observation, 1)
            truth = self._truth.to(device).expand_as(made.mean)
            previews = _pictures(torch.stack([observation.image, made.mean, made.samples[0], truth], dim=1))
        if self._generated:
            generated = _pictures(generate_patches(networks, self._generated, PATCH_SIZE, device))
        return Pictures(previews, generated)


def _pictures(images: Tensor) -> NDArray[np.float32]:
    """Put the channels of (…, channels, height, width) last."""
    pictures: NDArray[np.float32] = images.movedim(-3, -1).contiguous().float().cpu().numpy()
    return pictures
