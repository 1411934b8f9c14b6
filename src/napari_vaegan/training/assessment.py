"""How good a training is: it judges and examines the running average, keeps the best weights, and mends what is wrong."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from napari_vaegan.config import TrainingConfig
from napari_vaegan.images.collection import Plane
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.training.best import Best, learned_for_long_enough
from napari_vaegan.training.curves import Curves, Moment
from napari_vaegan.training.device import number_format
from napari_vaegan.training.diagnosis.diagnostician import Diagnostician
from napari_vaegan.training.diagnosis.findings import Diagnosis
from napari_vaegan.training.events import Diagnosed, Event, Previewed, Validated, Warned
from napari_vaegan.training.players import Players
from napari_vaegan.training.previews import Previewer
from napari_vaegan.training.repair import Repair
from napari_vaegan.training.validation import Judgement, Validator

VALIDATION_PATCHES = 12
"""Of each kind of observation."""

CALIBRATION_PATCHES = 64
"""Of each kind, on which the error bars of the finished model are calibrated; others than those that chose it."""

HURRIED_PATCHES = 2
"""The same where training was stopped before its first validation: whoever stops does not want to wait."""


class Assessment:
    """What was found of a training so far, and the best weights.

    Parameters
    ----------
    config
        How is trained.
    players
        What is trained.
    training, validation
        Planes that are learned from, and planes held apart.
    kinds
        The kinds of observation that are trained.
    device, precision
        Where, and in which number format, the networks are computed.
    on_event
        Is told what was found and done.

    Attributes
    ----------
    best
        The best weights; None before the first judgement.
    curves
        All that was measured.
    """

    def __init__(
        self,
        config: TrainingConfig,
        players: Players,
        training: Sequence[Plane],
        validation: Sequence[Plane],
        kinds: Sequence[Kind],
        device: torch.device,
        precision: torch.dtype,
        on_event: Callable[[Event], None],
    ) -> None:
        generates = "generate" in config.tasks
        self.players, self.device, self.precision, self.seed = players, device, precision, config.seed
        self.validation, self.kinds, self.on_event = validation, kinds, on_event
        self.validator = Validator(PatchSampler(validation, self.seed), kinds, VALIDATION_PATCHES, self.seed)
        self.previewer = Previewer(self.validator, generates)
        samplers = PatchSampler(training, self.seed), PatchSampler(validation, self.seed)
        self.diagnostician = Diagnostician(*samplers, generates, config.variational)
        self.repair = Repair(players)
        self.best: Best | None = None
        self.curves = Curves()

    @property
    def good(self) -> Best | None:
        """The best weights, if nothing is wrong with them."""
        return self.best if self.best is not None and self.best.healthy else None

    def after_step(self, moment: Moment, losses: dict[str, float]) -> None:
        """Take in the losses of a step, and mend a training in which steps fail again and again."""
        if (repaired := self.repair.after_step(losses, self.good)) is not None:
            self.on_event(Warned(repaired))
        self.curves.add_losses(moment, losses)

    def assess(self, moment: Moment, adversarial: bool, examined: bool) -> None:
        """Judge the running average, keep its weights if they are the best, and repair what is wrong with them.

        Parameters
        ----------
        moment
            Now.
        adversarial
            Whether the adversary takes part.
        examined
            Whether there is enough to look for what can go wrong.
        """
        average = self.players.average.module
        discriminator = self.players.discriminator if adversarial else None
        with self._beside_the_training():
            judgement = self.validator.judge(average, self.device, VALIDATION_PATCHES)
            diagnosis = self.diagnostician.examine(average, discriminator, self.device) if examined else Diagnosis()
        good = self.good
        healthy = diagnosis.healthy and self._learned and not self.repair.is_lost(judgement, good)
        self._keep_if_best(moment, judgement, diagnosis, healthy)
        repairs = self.repair.after_judgement(judgement, diagnosis, good, adversarial)
        diagnosed = Diagnosed(moment.step, moment.stage, diagnosis, repairs)
        self.curves.add_diagnosis(moment, diagnosed)
        self.on_event(diagnosed)
        for sentence in repairs:
            self.on_event(Warned(sentence))

    def settle(self) -> None:
        """Go on from the best weights, and measure their latents: the prior is learned of what will be saved."""
        if self.good is not None:
            self.players.go_on_from(self.good.weights)
        with self._beside_the_training():
            self.players.measure_latents(self.diagnostician.trained.to(self.device))

    def keep_in_a_hurry(self, moment: Moment) -> None:
        """Judge the running average on a few patches, if it never was, so that there is something to save."""
        if self.best is not None:
            return
        with self._beside_the_training():
            judgement = self.validator.judge(self.players.average.module, self.device, HURRIED_PATCHES)
        self._keep_if_best(moment, judgement, Diagnosis(), healthy=True)
        self.on_event(Warned("Training was stopped before its first validation: until it is resumed, error bars are rough."))

    def preview(self, moment: Moment) -> None:
        """Show what the running average makes of images held apart."""
        with self._beside_the_training():
            pictures = self.previewer.draw(self.players.average.module, self.device)
        kinds = self.previewer.kinds
        self.on_event(Previewed(moment.step, moment.stage, kinds, pictures.previews, pictures.generated))

    def say_what_is_left_wrong(self, prior: bool) -> None:
        """At the end, warn of generated images that are not as they could be; ``prior``: whether there was to be a flow."""
        good = self.good
        if good is None:
            self.on_event(
                Warned(
                    "This training ended with something wrong that was not mended, see the warnings before: do not rely on "
                    "generated images, and check the training images, or train longer or with a lower learning rate."
                )
            )
        elif not good.varied:
            self.on_event(
                Warned(
                    f"Images that this model generates differ from each other only {good.diversity:.0%} as much as "
                    "real ones do: do not rely on them, and train longer or with another seed."
                )
            )
        elif prior and not good.prior:
            self.on_event(Warned(self._why_plain_noise()))

    def _why_plain_noise(self) -> str:
        if not learned_for_long_enough(self.players.average.updates["flow"]):
            return (
                "There was too little time to learn which latents real images have: images are drawn from plain noise, "
                "and a longer training improves them."
            )
        return (
            "Images from latents like those of real images were not found as good as images from plain noise: they are "
            "drawn from plain noise, and another seed may improve them."
        )

    def calibrate(self, on_part: Callable[[], None]) -> None:
        """Calibrate the best weights on new patches: those that were looked at to choose them would flatter them.

        They lie anywhere: images to be restored have as much background as these. ``on_part`` is called now and then: raise
        from it to stop.
        """
        assert self.best is not None
        networks: VaeGan = copy.deepcopy(self.players.average.module)
        networks.load_state_dict(self.best.weights)
        seed = self.seed + 1
        with self._beside_the_training():
            validator = Validator(PatchSampler(self.validation, seed, active=0.0), self.kinds, CALIBRATION_PATCHES, seed)
            self.best.calibration = validator.calibrate(networks, self.device, on_part)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs; the weights are not copied."""
        return {
            "best": self.best.state() if self.best else None,
            "curves": self.curves.entries,
            "reached": [self.diagnostician.best_coverage, self.diagnostician.best_diversity],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint held."""
        self.curves = Curves(state["curves"])
        self.diagnostician.best_coverage, self.diagnostician.best_diversity = state["reached"]
        self.best = None if state["best"] is None else Best.from_state(state["best"])

    @contextmanager
    def _beside_the_training(self) -> Iterator[None]:
        """Compute in the training's number format, with the same random numbers each time, beside its own."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices), number_format(self.device, self.precision):
            torch.manual_seed(self.seed)
            yield

    @property
    def _learned(self) -> bool:
        """Whether the generator made a step since training began, or began anew: what the flow alone learned is no model."""
        return self.players.average.updates["generator"] > 0

    def _keep_if_best(self, moment: Moment, judgement: Judgement, diagnosis: Diagnosis, healthy: bool) -> None:
        score = judgement.score if self._learned else -math.inf
        flow_steps = self.players.average.updates["flow"]
        best = self.best is None or (
            self.best.yields_to(score, healthy, self.curves.highest_score) and self.best.draws_as_well(flow_steps, diagnosis)
        )
        if best:
            average = self.players.average.module.state_dict()
            weights = {name: value.detach().cpu().clone() for name, value in average.items()}
            self.best = Best(
                score,
                moment.step,
                weights,
                judgement.psnr,
                judgement.calibration,
                healthy,
                prior=flow_steps > 0,
                coverage=diagnosis.coverage,
                diversity=diagnosis.diversity,
            )
        self.curves.add_judgement(moment, judgement, score)
        self.on_event(
            Validated(
                moment.step,
                moment.stage,
                judgement.psnr,
                judgement.first_estimate_psnr,
                judgement.gain_of_averaging,
                self.curves.latest_divergences,
                best and math.isfinite(score),
            )
        )
