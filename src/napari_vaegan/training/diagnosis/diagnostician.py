"""Examining a training: the running average and the discriminator, on fixed patches."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import Kind, degrade
from napari_vaegan.training.diagnosis.coverage import coverage, diversity
from napari_vaegan.training.diagnosis.discriminator import overfitting, verdict
from napari_vaegan.training.diagnosis.features import describe, standardised
from napari_vaegan.training.diagnosis.findings import Diagnosis
from napari_vaegan.training.diagnosis.latents import active_units
from napari_vaegan.training.diagnosis.memorisation import relative_distance
from napari_vaegan.training.diagnosis.structure import describe_structure
from napari_vaegan.training.generated import generate_patches

PATCHES = 48
"""Real and made ones that are compared."""

TRAINED_PATCHES = 192
"""Among which the nearest is sought."""

JUDGED_PATCHES = 16
"""By the discriminator, of each kind."""

SIDE = 64


class Diagnostician:
    """Fixed patches of the training and of the images held apart, and the best coverage and diversity so far.

    Parameters
    ----------
    training, validation
        Where patches come from.
    generates
        Whether generation is trained: without it there are no samples to examine.
    infers
        Whether latents are inferred of images: those of a plain GAN tell nothing, and need not.
    """

    def __init__(self, training: PatchSampler, validation: PatchSampler, generates: bool, infers: bool) -> None:
        self.trained = torch.from_numpy(training.draw(TRAINED_PATCHES, SIDE).pixels)
        unseen = degrade(validation.draw(PATCHES, SIDE), Kind("generate"), np.random.default_rng(0))
        self.held_apart, self.noise = unseen.truth, unseen.noise
        self.generates, self.infers = generates, infers
        self.best_coverage, self.best_diversity = 0.0, 0.0

    def examine(self, networks: VaeGan, discriminator: Discriminator | None, device: torch.device) -> Diagnosis:
        """Measure what can go wrong.

        Parameters
        ----------
        networks
            The running average.
        discriminator
            None before it takes part.
        device
            Where the networks are.
        """
        active = active_units(networks, self.held_apart[:JUDGED_PATCHES], device) if self.infers else ()
        if not self.generates:
            return Diagnosis(active_units=active)
        made = self._generate(networks, device)
        reference = describe(networks, self.trained, device)
        trained, held_apart, samples = (
            standardised(features, reference)
            for features in (reference, describe(networks, self.held_apart, device), describe(networks, made, device))
        )
        diagnosis = Diagnosis(
            coverage=self._coverage(made),
            floor=self._floor,
            diversity=diversity(held_apart, samples),
            best_coverage=self.best_coverage,
            best_diversity=self.best_diversity,
            distance=relative_distance(samples, held_apart, trained),
            overfitting=self._overfitting(discriminator, made, device) if discriminator is not None else None,
            active_units=active,
        )
        self.best_coverage = max(self.best_coverage, diagnosis.coverage or 0.0)
        self.best_diversity = max(self.best_diversity, min(1.0, diagnosis.diversity or 0.0))
        return diagnosis

    def _coverage(self, patches: Tensor) -> float:
        """Return the share of the patches held apart that others come near to in their structure."""
        unit, reference, held_apart = self._structures
        return coverage(held_apart, standardised(describe_structure(patches, unit), reference))

    @cached_property
    def _structures(self) -> tuple[float, Tensor, Tensor]:
        """What does not change: the unit of intensity, and the structure of training patches and of those held apart."""
        unit = float(self.trained.std().clamp(min=1e-6))
        reference = describe_structure(self.trained, unit)
        return unit, reference, standardised(describe_structure(self.held_apart, unit), reference)

    @cached_property
    def _floor(self) -> float:
        return self._coverage(self.trained[:PATCHES])

    def _overfitting(self, discriminator: Discriminator, made: Tensor, device: torch.device) -> float:
        judged = (patches[:JUDGED_PATCHES] for patches in (self.trained, self.held_apart, made))
        return overfitting(*(verdict(discriminator, patches, device) for patches in judged))

    def _generate(self, networks: VaeGan, device: torch.device) -> Tensor:
        """Return as many samples as there are patches held apart, with noise of the same law if these are noisy."""
        made = generate_patches(networks, PATCHES, SIDE, device)
        return made if self.noise.absent.all() else made + self.noise.draw(made)
