"""The training loop: it runs the stages one after another, validates, saves checkpoints and tells what happens."""

from __future__ import annotations

import gc
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
from napari_vaegan.training.assessment import Assessment
from napari_vaegan.training.batches import BatchSize, BatchSource
from napari_vaegan.training.beside import Beside
from napari_vaegan.training.calibration import KindCalibration
from napari_vaegan.training.checkpoint import read_checkpoint, write_checkpoint
from napari_vaegan.training.clock import Clock, locate
from napari_vaegan.training.curves import Moment
from napari_vaegan.training.device import choose_device, choose_precision, flushed_denormals, is_out_of_memory, number_format
from napari_vaegan.training.events import (
    CheckpointSaved,
    Continued,
    Event,
    Finished,
    Paused,
    StageChanged,
    Started,
    Stepped,
    Warned,
)
from napari_vaegan.training.interruption import Interrupted, heed, interruptible
from napari_vaegan.training.players import Players
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.stages import Stage, method_stages

VALIDATIONS = 12
"""How often the running average is judged in one training."""

END_VALIDATIONS = 4
"""The last validation and the calibration after it take about as long as so many validations."""

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
        self.players = Players(config, self.channels, self.kinds, self.device)
        self.drawing = self.players.beside if self.device.type == "cpu" else Beside(torch.device("cpu"))
        self.batches = AheadSource(source, self.drawing)
        self.stages: list[Stage] = method_stages(config, source.unconditional)
        self.clock = Clock(config, self.started, kept_back=self.kept_back)
        self.step = 0
        self.stage_index = -1
        self.batch_size = config.batch_size
        self.validations = 0
        self.rate = 0.0
        self.assessment = Assessment(
            config,
            self.players,
            self.training,
            self.validation,
            self.kinds,
            self.device,
            self.precision,
            self.on_event,
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
                with interruptible(self.players.modules, self.stop), self.drawing.halved_threads():
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
        self.assessment.say_what_is_left_wrong(prior=self._stage.settled)
        self.assessment.calibrate(lambda: heed(self.stop))

    def _keep_what_was_learned(self) -> None:
        """Write a checkpoint first; then judge the model, in a hurry, if there was no validation yet."""
        if self.step == 0:
            raise Stopped
        self.save_checkpoint()
        self.assessment.keep_in_a_hurry(self._moment)

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
        seconds = time.perf_counter() - begin
        self.rate = 1 / seconds if self.rate == 0 else 0.95 * self.rate + 0.05 / seconds
        left = self.clock.seconds_left(self.step, self.rate)
        self.on_event(Stepped(self.step, stage.name, progress.total, losses, self.rate, left))
        self.assessment.after_step(Moment(self.step, progress.total, stage.name), losses)

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
            self._validate()  # as the VAE has become
            self.assessment.settle()
        self.stage_index = index
        self.on_event(StageChanged(stage.name, index, stage.description, self.step))

    def _validate(self) -> None:
        begin = time.perf_counter()
        self.assessment.assess(self._moment, self._stage.adversarial, self._telling)
        self.validations = max(self.validations + 1, int(self.clock.total(self.step) * VALIDATIONS))
        self._preview()
        self.clock.reserve = END_VALIDATIONS * (time.perf_counter() - begin)

    @property
    def _moment(self) -> Moment:
        return Moment(self.step, self.clock.total(self.step), self._stage.name)

    @property
    def _telling(self) -> bool:
        """Whether there is enough to be examined: half of the first stage, and some steps."""
        index, progress = locate(self.stages, min(1.0, self.clock.total(self.step)), self.step)
        return self.step >= LEAST_EXAMINED_STEPS and (index > 0 or progress.stage >= 0.5)

    def _preview(self) -> None:
        begin = time.perf_counter()
        self.assessment.preview(self._moment)
        seconds = time.perf_counter() - begin
        self._next_preview = self.clock.elapsed + max(PREVIEW_SECONDS, seconds / PREVIEW_SHARE)

    @property
    def _stage(self) -> Stage:
        return self.stages[max(self.stage_index, 0)]

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
        best = self.assessment.best
        assert best is not None
        if not best.usable and stopped:
            raise Stopped("Training was stopped before there was a model: go on from its checkpoint, or start it again.")
        if self.step == 0:
            raise SettingError("The time was used up before the first step, and there is no model: set minutes higher.")
        if not best.usable:
            raise SettingError(
                f"Training diverged with the learning rate {self.config.learning_rate:g} however often it began anew, and "
                "there is no model: set learning_rate lower, and check the training images."
            )
        networks = self.players.average.module
        networks.load_state_dict(best.weights)
        seconds = self.clock.elapsed
        self.on_event(Finished(self.step, seconds, stopped, best.psnr))
        return Outcome(
            networks,
            best.calibration,
            best.psnr,
            self.assessment.curves.entries,
            self.step,
            seconds,
            stopped,
            [stage.name for stage in self.stages],
        )

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
                "step": self.step,
                "elapsed": self.clock.elapsed,
                "reserve": self.clock.reserve,
                "batch_size": self.batch_size,
                "validations": self.validations,
                **self.assessment.state(),
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
        self.step, self.validations = state["step"], state["validations"]
        self.clock = Clock(self.config, time.perf_counter(), state["elapsed"], self.kept_back)
        self.clock.reserve, self.batch_size = state["reserve"], state["batch_size"]
        self._set_random_state(state)
        self.assessment.set_state(state)

    def _random_state(self) -> dict[str, Any]:
        return {
            "batches": self.batches.state(),
            "torch_random": torch.random.get_rng_state(),
        }

    def _set_random_state(self, state: dict[str, Any]) -> None:
        self.batches.set_state(state["batches"])
        torch.random.set_rng_state(state["torch_random"])
