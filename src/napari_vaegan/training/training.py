"""The training loop: it runs the stages one after another, validates, saves checkpoints and tells what happens."""

from __future__ import annotations

import copy
import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_vaegan.config import TrainingConfig
from napari_vaegan.errors import ModelFileError, SettingError, Stopped
from napari_vaegan.images.collection import Plane
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import kinds_of
from napari_vaegan.training.ahead import AheadSource
from napari_vaegan.training.batches import BatchSize, BatchSource
from napari_vaegan.training.best import Best
from napari_vaegan.training.calibration import KindCalibration
from napari_vaegan.training.checkpoint import read_checkpoint, write_checkpoint
from napari_vaegan.training.clock import Clock, locate
from napari_vaegan.training.curves import Curves, Moment
from napari_vaegan.training.device import choose_device, choose_precision, flushed_denormals, is_out_of_memory, number_format
from napari_vaegan.training.diagnosis.diagnostician import Diagnostician
from napari_vaegan.training.diagnosis.findings import Diagnosis
from napari_vaegan.training.events import (
    CheckpointSaved,
    Continued,
    Diagnosed,
    Event,
    Finished,
    Paused,
    Previewed,
    StageChanged,
    Started,
    Stepped,
    Validated,
    Warned,
)
from napari_vaegan.training.interruption import Interrupted, heed, interruptible
from napari_vaegan.training.players import Players
from napari_vaegan.training.previews import Previewer
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.repair import Repair
from napari_vaegan.training.stages import Stage, method_stages
from napari_vaegan.training.validation import Judgement, Validator

VALIDATIONS = 12
"""How often the running average is judged in one training."""

VALIDATION_PATCHES = 12
"""Of each kind of observation."""

CALIBRATION_PATCHES = 64
"""Of each kind, on which the error bars of the finished model are calibrated; others than those that chose it."""

END_VALIDATIONS = 4
"""The last validation and the calibration after it take about as long as so many validations."""

HURRIED_PATCHES = 2
"""The same where training was stopped before its first validation: whoever stops does not want to wait."""

FIRST_PREVIEW_SECONDS = 3.0
"""After so much training the first pictures are shown."""

PREVIEW_SECONDS = 15.0
"""Least training time between later ones."""

PREVIEW_SHARE = 0.03
"""Largest share of the training time that pictures may take."""

PAUSE_SECONDS = 0.05
"""So often a paused training asks whether to go on."""

LEAST_EXAMINED_STEPS = 500
"""Before so many steps samples and latents are too poor to be examined."""

CHECKPOINT_SECONDS = 100.0
"""Less than the two minutes that a killed training may lose at most."""


@dataclass(frozen=True)
class Outcome:
    """What a training leaves: the networks, how their error bars are calibrated, and how it went."""

    networks: VaeGan
    calibration: dict[str, KindCalibration]
    psnr: dict[str, float]
    curves: list[dict[str, Any]]
    steps: int
    seconds: float
    stopped: bool
    stages: list[str]


@dataclass
class Training:
    """One training, from its start or a checkpoint to its end.

    Attributes
    ----------
    training, validation
        Planes to learn from, and planes held apart.
    channels
        Image channels.
    config
        How to train.
    checkpoint
        Where checkpoints go.
    on_event
        Is told what happens.
    stop
        Asked many times a second whether to stop.
    pause
        Asked between steps whether to stand still, and then until it is to go on.
    origin
        Where the images come from, for the checkpoint.
    skipped
        Names of what could not be used, for the listener.
    images
        How many images the planes come from.
    kept_back
        Seconds of the time given that are kept for what follows the training.
    """

    training: Sequence[Plane]
    validation: Sequence[Plane]
    channels: int
    config: TrainingConfig
    checkpoint: Path | None = None
    on_event: Callable[[Event], None] = lambda event: None
    stop: Callable[[], bool] = lambda: False
    pause: Callable[[], bool] = lambda: False
    origin: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    images: int = 0
    started: float = field(default_factory=time.perf_counter)
    kept_back: float = 0.0

    def __post_init__(self) -> None:
        config = self.config
        torch.manual_seed(config.seed)
        self.device = choose_device(config.device)
        self.precision = choose_precision(config.precision, self.device)
        self.kinds = kinds_of(config.tasks)
        source = BatchSource(PatchSampler(self.training, config.seed), self.kinds, np.random.default_rng(config.seed))
        self.validator = Validator(PatchSampler(self.validation, config.seed), self.kinds, VALIDATION_PATCHES, config.seed)
        self.previewer = Previewer(self.validator, generates="generate" in config.tasks)
        self.players = Players(config, self.channels, self.kinds, self.device)
        self.batches = AheadSource(source, self.players.beside)
        self.stages: list[Stage] = method_stages(config, source.unconditional)
        self.clock = Clock(config, self.started, kept_back=self.kept_back)
        self.step = 0
        self.stage_index = -1
        self.batch_size = config.batch_size
        self.best: Best | None = None
        self.curves = Curves()
        self.validations = 0
        self.rate = 0.0
        self.repair = Repair(self.players)
        self.diagnostician = Diagnostician(
            PatchSampler(self.training, config.seed),
            PatchSampler(self.validation, config.seed),
            generates="generate" in config.tasks,
        )
        self._last_checkpoint = time.perf_counter()
        self._next_preview = 0.0

    def run(self) -> Outcome:
        """Train until the time or the steps given are used up, or a stop is asked for.

        Raises
        ------
        Stopped
            If a stop is asked for before the first step, or before anything was learned.
        SettingError
            If there is nothing to show for it, as the learning rate is far too large.
        """
        self._tell_start()
        with flushed_denormals():
            stopped = False
            try:
                with interruptible(self.players.modules, self.stop), self.players.beside.halved_threads():
                    self._train()
            except Interrupted:
                stopped = True
            if stopped:
                self._keep_what_was_learned()
        return self._finish(stopped)

    def _train(self) -> None:
        self._next_preview = self.clock.elapsed + FIRST_PREVIEW_SECONDS
        while (total := self.clock.total(self.step)) < 1:
            heed(self.stop)
            self._stand_still_while_paused()
            index, progress = locate(self.stages, total, self.step)
            if index != self.stage_index:
                self._change_stage(index)
            self._step(self.stages[index], progress)
            if total >= (self.validations + 1) / VALIDATIONS:
                self._validate()
            if self.clock.elapsed >= self._next_preview:
                self._preview()
            if time.perf_counter() - self._last_checkpoint > CHECKPOINT_SECONDS:
                self.save_checkpoint()
        self.save_checkpoint()
        self._validate()
        self._say_what_is_left_wrong()
        self._calibrate()

    def _say_what_is_left_wrong(self) -> None:
        if self._good is None:
            self.on_event(
                Warned(
                    "This training ended with something wrong that was not mended, see the warnings before: do not rely on "
                    "generated images, and check the training images, or train longer or with a lower learning rate."
                )
            )
        elif not self._good.varied:
            self.on_event(
                Warned(
                    f"Images that this model generates differ from each other only {self._good.diversity:.0%} as much as "
                    "real ones do: do not rely on them, and train longer or with another seed."
                )
            )
        elif self._stage.settled and not self._good.prior:
            self.on_event(
                Warned(
                    "There was too little time to learn which latents real images have: images are drawn from plain noise, "
                    "and a longer training improves them."
                )
            )

    def _keep_what_was_learned(self) -> None:
        """Write a checkpoint first; then judge the model, in a hurry, if there was no validation yet."""
        if self.step == 0:
            raise Stopped
        self.save_checkpoint()
        if self.best is None:
            with self._beside_the_training():
                judgement = self.validator.judge(self.players.average.module, self.device, HURRIED_PATCHES)
            self._keep_if_best(judgement, Diagnosis(), healthy=True)
            self.on_event(
                Warned("Training was stopped before its first validation: until it is resumed, error bars are rough.")
            )

    def _stand_still_while_paused(self) -> None:
        if not self.pause():
            return
        self.on_event(Paused(self.step))
        with self.clock.standing_still():
            self.save_checkpoint()
            while self.pause():
                heed(self.stop)
                time.sleep(PAUSE_SECONDS)
        self.on_event(Continued(self.step))

    def _step(self, stage: Stage, progress: Progress) -> None:
        begin = time.perf_counter()
        size, following = self._batch_sizes(stage, progress)
        try:
            with self._unmade_if_interrupted(), number_format(self.device, self.precision):
                batch = self.batches.take(size, following).to(self.device)
                losses = stage.step(self.players, batch, progress)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or self.batch_size <= 2:
                raise
            self._halve_batch()
            return
        self.step += 1
        if (repaired := self.repair.after_step(losses, self._good)) is not None:
            self.on_event(Warned(repaired))
        seconds = time.perf_counter() - begin
        self.rate = 1 / seconds if self.rate == 0 else 0.95 * self.rate + 0.05 / seconds
        left = self.clock.seconds_left(self.step, self.rate)
        self.on_event(Stepped(self.step, stage.name, progress.total, losses, self.rate, left))
        self.curves.add_losses(Moment(self.step, progress.total, stage.name), losses)

    def _batch_sizes(self, stage: Stage, progress: Progress) -> list[BatchSize]:
        """Return the size of the batch, and of the one that will follow if nothing changes."""
        sizes = [stage.batch_size(moment) for moment in (progress, replace(progress, step=progress.step + 1))]
        return [size.reduced(self.batch_size / self.config.batch_size) for size in sizes]

    @contextmanager
    def _unmade_if_interrupted(self) -> Iterator[None]:
        """Leave all as it was before an interrupted step, so that whoever resumes makes it in the same way."""
        random = self._random_state()
        try:
            with self.players.unchanged_if_interrupted():
                yield
        except Interrupted:
            self._set_random_state(random)
            raise

    def _halve_batch(self) -> None:
        self.batch_size //= 2
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.on_event(Warned(f"Memory is short: training goes on with {self.batch_size} patches a step."))

    def _change_stage(self, index: int) -> None:
        stage = self.stages[index]
        if stage.settled and not self.players.average.updates["flow"]:
            self._settle()
        self.stage_index = index
        self.on_event(StageChanged(stage.name, index, stage.description, self.step))

    def _settle(self) -> None:
        """Judge the VAE as it has become, and go on from its best weights: the prior is learned of what will be saved."""
        self._validate()
        if self._good is not None:
            self.players.go_on_from(self._good.weights)

    def _validate(self) -> None:
        begin = time.perf_counter()
        with self._beside_the_training():
            judgement = self.validator.judge(self.players.average.module, self.device, VALIDATION_PATCHES)
            diagnosis = self._examine()
        self._take_in(judgement, diagnosis)
        self._preview()
        self.clock.reserve = END_VALIDATIONS * (time.perf_counter() - begin)

    def _take_in(self, judgement: Judgement, diagnosis: Diagnosis) -> None:
        """Keep the weights if they are the best, and repair what is wrong with them."""
        good = self._good
        healthy = diagnosis.healthy and self._learned and not self.repair.is_lost(judgement, good)
        self._keep_if_best(judgement, diagnosis, healthy)
        repairs = self.repair.after_judgement(judgement, diagnosis, good, self._stage.adversarial)
        diagnosed = Diagnosed(self.step, self._stage_name, diagnosis, repairs)
        self.curves.add_diagnosis(self._moment, diagnosed)
        self.on_event(diagnosed)
        for sentence in repairs:
            self.on_event(Warned(sentence))

    @property
    def _moment(self) -> Moment:
        return Moment(self.step, self.clock.total(self.step), self._stage_name)

    @property
    def _learned(self) -> bool:
        """Whether the generator made a step since training began, or began anew: what the flow alone learned is no model."""
        return self.players.average.updates["generator"] > 0

    @property
    def _good(self) -> Best | None:
        """The best weights, if nothing is wrong with them."""
        return self.best if self.best is not None and self.best.healthy else None

    def _examine(self) -> Diagnosis:
        """Look for what can go wrong, once there is enough to be examined: half of the first stage, and some steps."""
        index, progress = locate(self.stages, min(1.0, self.clock.total(self.step)), self.step)
        if self.step < LEAST_EXAMINED_STEPS or (index == 0 and progress.stage < 0.5):
            return Diagnosis()
        discriminator = self.players.discriminator if self._stage.adversarial else None
        return self.diagnostician.examine(self.players.average.module, discriminator, self.device)

    def _preview(self) -> None:
        begin = time.perf_counter()
        with self._beside_the_training():
            pictures = self.previewer.draw(self.players.average.module, self.device)
        seconds = time.perf_counter() - begin
        self._next_preview = self.clock.elapsed + max(PREVIEW_SECONDS, seconds / PREVIEW_SHARE)
        kinds, stage = self.previewer.kinds, self._stage_name
        self.on_event(Previewed(self.step, stage, kinds, pictures.previews, pictures.generated))

    @contextmanager
    def _beside_the_training(self) -> Iterator[None]:
        """Compute in the training's number format, with the same random numbers each time, beside its own."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices), number_format(self.device, self.precision):
            torch.manual_seed(self.config.seed)
            yield

    @property
    def _stage(self) -> Stage:
        return self.stages[max(self.stage_index, 0)]

    @property
    def _stage_name(self) -> str:
        return self._stage.name

    def _keep_if_best(self, judgement: Judgement, diagnosis: Diagnosis, healthy: bool) -> None:
        self.validations = max(self.validations + 1, int(self.clock.total(self.step) * VALIDATIONS))
        score = judgement.score if self._learned else -math.inf
        flow_steps = self.players.average.updates["flow"]
        best = self.best is None or (
            self.best.yields_to(score, healthy, self.curves.highest_score)
            and self.best.draws_as_well(flow_steps, diagnosis.coverage)
        )
        if best:
            average = self.players.average.module.state_dict()
            weights = {name: value.detach().cpu().clone() for name, value in average.items()}
            self.best = Best(
                score,
                self.step,
                weights,
                judgement.psnr,
                judgement.calibration,
                healthy,
                prior=flow_steps > 0,
                coverage=diagnosis.coverage,
                diversity=diagnosis.diversity,
            )
        self.curves.add_judgement(self._moment, judgement, score)
        self.on_event(
            Validated(
                self.step,
                self._stage_name,
                judgement.psnr,
                judgement.first_estimate_psnr,
                judgement.gain_of_averaging,
                self.curves.latest_divergences,
                best and math.isfinite(score),
            )
        )

    def _tell_start(self) -> None:
        self.on_event(
            Started(
                images=self.images,
                planes=len(self.training),
                validation_planes=len(self.validation),
                skipped=self.skipped,
                device=str(self.device),
                precision=str(self.precision).removeprefix("torch."),
                parameters=sum(p.numel() for p in self.players.networks.parameters()),
                stages=tuple(stage.name for stage in self.stages),
                resumed_at_step=self.step,
            )
        )

    def _finish(self, stopped: bool) -> Outcome:
        assert self.best is not None
        if not self.best.usable and stopped:
            raise Stopped("Training was stopped before there was a model: go on from its checkpoint, or start it again.")
        if not self.best.usable:
            raise SettingError(
                f"Training diverged with the learning rate {self.config.learning_rate:g} however often it began anew, and "
                "there is no model: set learning_rate lower, and check the training images."
            )
        networks = self.players.average.module
        networks.load_state_dict(self.best.weights)
        seconds = self.clock.elapsed
        self.on_event(Finished(self.step, seconds, stopped, self.best.psnr))
        return Outcome(
            networks,
            self.best.calibration,
            self.best.psnr,
            self.curves.entries,
            self.step,
            seconds,
            stopped,
            [stage.name for stage in self.stages],
        )

    def _calibrate(self) -> None:
        """Calibrate the best weights on new patches: those that were looked at to choose them would flatter them.

        They lie anywhere: images to be restored have as much background as these.
        """
        assert self.best is not None
        networks = copy.deepcopy(self.players.average.module)
        networks.load_state_dict(self.best.weights)
        seed = self.config.seed + 1
        with self._beside_the_training():
            validator = Validator(PatchSampler(self.validation, seed, active=0.0), self.kinds, CALIBRATION_PATCHES, seed)
            self.best.calibration = validator.calibrate(networks, self.device, lambda: heed(self.stop))

    def save_checkpoint(self) -> None:
        """Write a checkpoint, if a place was given for it and there is a step to keep."""
        if self.checkpoint is None or self.step == 0:
            return
        write_checkpoint(
            self.checkpoint,
            {
                "config": self.config.model_dump(mode="json"),
                "channels": self.channels,
                "source": list(self.origin),
                "saved_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "progress": self.clock.total(self.step),
                "players": self.players.state(),
                "reached": [self.diagnostician.best_coverage, self.diagnostician.best_diversity],
                "step": self.step,
                "elapsed": self.clock.elapsed,
                "reserve": self.clock.reserve,
                "batch_size": self.batch_size,
                "best": self.best.state() if self.best else None,
                "curves": self.curves.entries,
                "validations": self.validations,
                **self._random_state(),
            },
        )
        self._last_checkpoint = time.perf_counter()
        self.on_event(CheckpointSaved(self.checkpoint, self.step))

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint: the same networks, optimisers, random numbers, and time already spent.

        Raises
        ------
        ModelFileError
            If the checkpoint cannot be read, or belongs to another kind of training.
        """
        state = read_checkpoint(path)
        if state["channels"] != self.channels:
            raise ModelFileError(
                f"The checkpoint {path} was trained on {state['channels']} channels, these images have {self.channels}: "
                "resume with the same images."
            )
        try:
            self.players.set_state(state["players"])
        except (RuntimeError, ValueError, KeyError):
            raise ModelFileError(f"The checkpoint {path} does not fit these settings: resume with the same ones.") from None
        self.step, self.curves, self.validations = state["step"], Curves(state["curves"]), state["validations"]
        self.clock = Clock(self.config, time.perf_counter(), state["elapsed"], self.kept_back)
        self.clock.reserve, self.batch_size = state["reserve"], state["batch_size"]
        self._set_random_state(state)
        self.diagnostician.best_coverage, self.diagnostician.best_diversity = state["reached"]
        if state["best"] is not None:
            calibration = {
                name: KindCalibration.from_dict(value) for name, value in state["best"].pop("calibration").items()
            }
            self.best = Best(**state["best"], calibration=calibration)

    def _random_state(self) -> dict[str, Any]:
        return {
            "batches": self.batches.state(),
            "torch_random": torch.random.get_rng_state(),
        }

    def _set_random_state(self, state: dict[str, Any]) -> None:
        self.batches.set_state(state["batches"])
        torch.random.set_rng_state(state["torch_random"])
