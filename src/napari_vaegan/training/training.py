"""The training loop: it runs the stages one after another, validates, saves checkpoints and tells what happens."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_vaegan.config import TrainingConfig
from napari_vaegan.errors import ModelFileError
from napari_vaegan.images.collection import Plane
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import kinds_of
from napari_vaegan.training.batches import BatchSource
from napari_vaegan.training.checkpoint import read_checkpoint, write_checkpoint
from napari_vaegan.training.clock import Clock, locate
from napari_vaegan.training.device import choose_device, choose_precision, flushed_denormals, is_out_of_memory, number_format
from napari_vaegan.training.events import (
    CheckpointSaved,
    Event,
    Finished,
    StageChanged,
    Started,
    Stepped,
    Validated,
    Warned,
)
from napari_vaegan.training.players import Players
from napari_vaegan.training.stages import Progress, Stage, method_stages
from napari_vaegan.training.validation import Judgement, KindCalibration, Validator

VALIDATIONS = 12
"""How often the running average is judged in one training."""

VALIDATION_PATCHES = 12

CHECKPOINT_SECONDS = 100.0
"""Less than the two minutes that a killed training may lose at most."""

SCORE_TOLERANCE = 0.05
"""dB by which a later average may be worse than the best and still be preferred: the generator goes on learning."""

LOST_STEPS = 50
"""So many steps in a row without a finite gradient: back to the best weights."""


@dataclass
class Best:
    """The best validated running average so far."""

    score: float
    step: int
    weights: dict[str, torch.Tensor]
    psnr: dict[str, float]
    calibration: dict[str, KindCalibration]


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
        Asked between steps whether to stop.
    skipped
        Names of what could not be used, for the listener.
    images
        How many images the planes come from.
    """

    training: Sequence[Plane]
    validation: Sequence[Plane]
    channels: int
    config: TrainingConfig
    checkpoint: Path | None = None
    on_event: Callable[[Event], None] = lambda event: None
    stop: Callable[[], bool] = lambda: False
    skipped: tuple[str, ...] = ()
    images: int = 0
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        config = self.config
        torch.manual_seed(config.seed)
        self.device = choose_device(config.device)
        self.precision = choose_precision(config.precision, self.device)
        self.kinds = kinds_of(config.tasks)
        self.source = BatchSource(PatchSampler(self.training, config.seed), self.kinds, np.random.default_rng(config.seed))
        self.validator = Validator(PatchSampler(self.validation, config.seed), self.kinds, VALIDATION_PATCHES, config.seed)
        self.players = Players(config, self.channels, self.kinds, self.device)
        self.stages: list[Stage] = method_stages(config, self.source.unconditional)
        self.clock = Clock(config, self.started)
        self.step = 0
        self.stage_index = -1
        self.batch_size = config.batch_size
        self.best: Best | None = None
        self.curves: list[dict[str, Any]] = []
        self.validations = 0
        self.rate = 0.0
        self.lost = 0
        self._last_checkpoint = time.perf_counter()

    def run(self) -> Outcome:
        """Train until the time or the steps given are used up, or a stop is asked for."""
        self._tell_start()
        with number_format(self.device, self.precision), flushed_denormals():
            while (total := self.clock.total(self.step)) < 1 and not self.stop():
                index, progress = locate(self.stages, total, self.step)
                if index != self.stage_index:
                    self._change_stage(index)
                self._step(self.stages[index], progress)
                if total >= (self.validations + 1) / VALIDATIONS:
                    self._validate(self.stop)
                if time.perf_counter() - self._last_checkpoint > CHECKPOINT_SECONDS:
                    self.save_checkpoint()
            stopped = self.stop() and self.clock.total(self.step) < 1
            self.save_checkpoint()
            if not stopped or self.best is None:
                self._validate(lambda: False)
        return self._finish(stopped)

    def _step(self, stage: Stage, progress: Progress) -> None:
        begin = time.perf_counter()
        count, size = stage.patches(progress)
        count = max(2, count * self.batch_size // self.config.batch_size)
        try:
            batch = self.source.draw(count, size).to(self.device)
            losses = stage.step(self.players, batch, progress)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or self.batch_size <= 2:
                raise
            self._halve_batch()
            return
        self.step += 1
        self._watch(losses)
        seconds = time.perf_counter() - begin
        self.rate = 1 / seconds if self.rate == 0 else 0.95 * self.rate + 0.05 / seconds
        left = self.clock.seconds_left(self.step, self.rate)
        self.on_event(Stepped(self.step, stage.name, progress.total, losses, self.rate, left))
        self._record(stage, progress.total, losses)

    def _record(self, stage: Stage, total: float, losses: dict[str, float]) -> None:
        if not self.curves or total - self.curves[-1]["progress"] >= 1 / 300:
            finite = {name: round(value, 5) for name, value in losses.items() if np.isfinite(value)}
            self.curves.append({"step": self.step, "progress": round(total, 4), "stage": stage.name, "losses": finite})

    def _watch(self, losses: dict[str, float]) -> None:
        """After many steps without a finite gradient, go back to the best weights and say so."""
        self.lost = self.lost + 1 if "skipped" in losses else 0
        if self.lost >= LOST_STEPS:
            weights = self.best.weights if self.best else self.players.average.module.state_dict()
            self.players.networks.load_state_dict(weights)
            self.lost = 0
            self.on_event(Warned(f"Training diverged at step {self.step}: it goes on from the best weights so far."))

    def _halve_batch(self) -> None:
        self.batch_size //= 2
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.on_event(Warned(f"Memory is short: training goes on with {self.batch_size} patches a step."))

    def _change_stage(self, index: int) -> None:
        self.stage_index = index
        stage = self.stages[index]
        self.on_event(StageChanged(stage.name, index, stage.description, self.step))

    def _validate(self, stop: Callable[[], bool]) -> None:
        begin = time.perf_counter()
        average = self.players.average.module
        state = torch.random.get_rng_state()
        torch.manual_seed(self.config.seed)
        judgement = self.validator.judge(average, self.device, stop)
        torch.random.set_rng_state(state)
        if judgement is None:
            return
        self.validations = max(self.validations + 1, int(self.clock.total(self.step) * VALIDATIONS))
        self._keep_if_best(judgement, average)
        self.clock.reserve = time.perf_counter() - begin

    def _keep_if_best(self, judgement: Judgement, average: VaeGan) -> None:
        highest = max((entry["score"] for entry in self.curves if "score" in entry), default=-np.inf)
        best = self.best is None or judgement.score >= highest - SCORE_TOLERANCE
        if best:
            weights = {name: value.detach().cpu().clone() for name, value in average.state_dict().items()}
            self.best = Best(judgement.score, self.step, weights, judgement.psnr, judgement.calibration)
        stage = self.stages[max(self.stage_index, 0)].name
        entry = {"step": self.step, "progress": round(self.clock.total(self.step), 4), "stage": stage}
        entry |= {"score": round(judgement.score, 4), "psnr": judgement.psnr, "gain": judgement.gain_of_averaging}
        self.curves.append(entry)
        latest: dict[str, float] = next((entry["losses"] for entry in reversed(self.curves) if "losses" in entry), {})
        divergences = tuple(value for name, value in latest.items() if name.startswith("kl level"))
        self.on_event(
            Validated(
                self.step,
                stage,
                judgement.psnr,
                judgement.first_estimate_psnr,
                judgement.gain_of_averaging,
                divergences,
                best,
                judgement.previews,
                judgement.generated,
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
        networks = self.players.average.module
        networks.load_state_dict(self.best.weights)
        seconds = self.clock.elapsed
        self.on_event(Finished(self.step, seconds, stopped, self.best.psnr))
        return Outcome(
            networks,
            self.best.calibration,
            self.best.psnr,
            self.curves,
            self.step,
            seconds,
            stopped,
            [stage.name for stage in self.stages],
        )

    def save_checkpoint(self) -> None:
        """Write a checkpoint, if a place was given for it."""
        self._last_checkpoint = time.perf_counter()
        if self.checkpoint is None:
            return
        write_checkpoint(
            self.checkpoint,
            {
                "config": self.config.model_dump(mode="json"),
                "channels": self.channels,
                "players": self.players.state(),
                "step": self.step,
                "elapsed": self.clock.elapsed,
                "reserve": self.clock.reserve,
                "batch_size": self.batch_size,
                "best": asdict(self.best) if self.best else None,
                "curves": self.curves,
                "validations": self.validations,
                "sampler": self.source.sampler.state(),
                "random": self.source.random.bit_generator.state,
                "torch_random": torch.random.get_rng_state(),
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
        self.step, self.curves, self.validations = state["step"], state["curves"], state["validations"]
        self.clock = Clock(self.config, time.perf_counter(), state["elapsed"])
        self.clock.reserve, self.batch_size = state["reserve"], state["batch_size"]
        self.source.sampler.set_state(state["sampler"])
        self.source.random.bit_generator.state = state["random"]
        torch.random.set_rng_state(state["torch_random"])
        if state["best"] is not None:
            calibration = {name: KindCalibration(**value) for name, value in state["best"].pop("calibration").items()}
            self.best = Best(**state["best"], calibration=calibration)
