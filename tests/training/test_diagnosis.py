"""What can go wrong with a training: each failure is injected, found, said and repaired."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.images.collection import collect_images
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.discriminator import Discriminator
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.training import best, losses, repair, training
from napari_vaegan.training.diagnosis.coverage import coverage, diversity
from napari_vaegan.training.diagnosis.diagnostician import Diagnostician
from napari_vaegan.training.diagnosis.discriminator import overfitting
from napari_vaegan.training.diagnosis.features import standardised
from napari_vaegan.training.diagnosis.findings import Diagnosis, Failure
from napari_vaegan.training.diagnosis.memorisation import relative_distance
from napari_vaegan.training.diagnosis.structure import describe_structure
from napari_vaegan.training.diagnosis.words import in_words
from napari_vaegan.training.events import Diagnosed, Event, StageChanged, Stepped, Validated, Warned

CPU = torch.device("cpu")


def features(count: int, seed: int, spread: float = 1.0) -> torch.Tensor:
    return spread * torch.randn(count, 12, generator=torch.Generator().manual_seed(seed))


def new_diagnostician(images: Path, infers: bool = True) -> Diagnostician:
    planes = collect_images(images).planes
    return Diagnostician(PatchSampler(planes[:6], 0), PatchSampler(planes[6:], 0), generates=True, infers=infers)


@pytest.fixture(scope="module")
def diagnostician(textured_images: Path) -> Diagnostician:
    return new_diagnostician(textured_images)


@pytest.fixture
def networks(tiny_model: nv.Model) -> VaeGan:
    return copy.deepcopy(tiny_model.engine.networks)


@pytest.fixture
def discriminator() -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(1, (8, 16, 16)).eval()


def failures(diagnosis: Diagnosis) -> set[Failure]:
    return {finding.failure for finding in diagnosis.findings}


def test_a_plain_gan_is_not_told_that_its_latents_tell_nothing(textured_images: Path, networks: VaeGan) -> None:
    diagnosis = new_diagnostician(textured_images, infers=False).examine(networks, None, CPU)
    assert diagnosis.active_units == ()
    assert diagnosis.coverage is not None


def test_samples_like_the_real_images_cover_them_and_one_and_the_same_does_not() -> None:
    real, alike, same = features(60, 0), features(60, 1), features(1, 2).expand(60, -1)
    assert coverage(real, alike) > 0.85
    assert coverage(real, same) < 0.2
    assert diversity(real, alike) == pytest.approx(1, abs=0.15)
    assert diversity(real, same) == pytest.approx(0, abs=1e-3)


def test_texture_without_structure_covers_less_than_structure_does() -> None:
    """Filaments beside noise of the same spectrum, which mean and deviation of a patch do not tell apart."""
    torch.manual_seed(0)
    field = torch.fft.fft2(torch.randn(144, 1, 64, 64))
    row, column = torch.meshgrid(torch.fft.fftfreq(64), torch.fft.fftfreq(64), indexing="ij")
    smooth = torch.fft.ifft2(field * torch.exp(-((row**2 + column**2) * 800))).real
    filaments = torch.exp(-((smooth / smooth.std() / 0.2) ** 2))
    real, alike, others = (filaments[start : start + 48] for start in (0, 48, 96))
    phases = torch.angle(torch.fft.fft2(torch.randn_like(others)))
    texture = torch.fft.ifft2(torch.fft.fft2(others).abs() * torch.exp(1j * phases)).real
    reference = describe_structure(real, 1.0)
    real, alike, texture = (standardised(describe_structure(made, 1.0), reference) for made in (real, alike, texture))
    assert coverage(real, alike) > 0.85
    assert coverage(real, texture) < 0.5


def test_copies_of_training_patches_are_nearer_to_them_than_other_images() -> None:
    trained, apart = features(100, 0), features(40, 1)
    assert relative_distance(trained[:40] + features(40, 2, 0.01), apart, trained) < 0.1
    assert relative_distance(features(40, 3), apart, trained) == pytest.approx(1, abs=0.2)


def test_a_discriminator_is_overfitted_that_takes_other_real_images_for_samples() -> None:
    assert overfitting(trained=2.0, held_apart=-1.0, made=-1.0) == 1
    assert overfitting(trained=2.0, held_apart=2.0, made=-1.0) == 0
    assert overfitting(trained=0.0, held_apart=1.0, made=0.0) == 0


def test_generated_images_that_are_all_the_same_are_a_mode_collapse(
    diagnostician: Diagnostician, networks: VaeGan, discriminator: Discriminator
) -> None:
    before = diagnostician.examine(networks, discriminator, CPU)
    assert Failure.MODE_COLLAPSE not in failures(before)
    for level in networks.generator.ladder:
        level.inject.weight.zero_()
    diagnosis = diagnostician.examine(networks, discriminator, CPU)
    assert diagnosis.diversity == pytest.approx(0, abs=0.05)
    assert Failure.MODE_COLLAPSE in failures(diagnosis)


def test_coverage_that_falls_is_a_mode_collapse() -> None:
    fallen = Diagnosis(coverage=0.3, floor=0.9, diversity=0.9, best_coverage=0.7)
    (finding,) = fallen.findings
    assert finding.failure is Failure.MODE_COLLAPSE
    assert finding.sentence == "Generated images cover only 30% of the real ones (70% before, training images 90%)"
    assert not Diagnosis(coverage=0.5, floor=0.9, diversity=0.9, best_coverage=0.7).findings


def test_generated_images_that_are_training_patches_are_memorised(
    diagnostician: Diagnostician, networks: VaeGan, discriminator: Discriminator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostician, "_generate", lambda *_: diagnostician.trained[:48])
    diagnosis = diagnostician.examine(networks, discriminator, CPU)
    assert Failure.MEMORISATION in failures(diagnosis)
    assert diagnosis.coverage == diagnosis.floor


def test_a_diagnosis_tells_texture_from_structure(
    diagnostician: Diagnostician, networks: VaeGan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real patches, and the same with their pixels in another order, which has the same grey levels."""
    patches = diagnostician.trained[:48]
    torch.manual_seed(0)
    shuffled = patches.flatten(2)[..., torch.randperm(patches[0, 0].numel())].reshape(patches.shape)
    monkeypatch.setattr(diagnostician, "_generate", lambda *_: shuffled)
    diagnosis = diagnostician.examine(networks, None, CPU)
    assert diagnosis.coverage is not None
    assert diagnosis.floor is not None
    assert diagnosis.coverage < 0.2 < diagnosis.floor


def test_a_discriminator_that_knows_its_patches_by_heart_is_found(diagnostician: Diagnostician, networks: VaeGan) -> None:
    class ByHeart(Discriminator):
        def forward(self, view: torch.Tensor, *seen: torch.Tensor) -> Any:
            image = view[:, :1]
            known = torch.stack([(image - patch).abs().amax((1, 2, 3)) == 0 for patch in diagnostician.trained]).any(0)
            return [torch.where(known, 3.0, -3.0)[:, None, None, None]], []

    by_heart = ByHeart(1, (8, 16, 16))
    assert Failure.OVERFITTED_DISCRIMINATOR in failures(diagnostician.examine(networks, by_heart, CPU))


def test_latents_that_tell_nothing_are_a_posterior_collapse(diagnostician: Diagnostician, networks: VaeGan) -> None:
    last = networks.generator.ladder[0].posterior[2]
    last.weight.zero_()
    last.bias.zero_()
    diagnosis = diagnostician.examine(networks, None, CPU)
    assert diagnosis.active_units[0] == 0
    assert "Latent level 1 of 3 tells nothing of the images" in {finding.sentence for finding in diagnosis.findings}


class Ill(Listener):
    """Keeps the events, and says which stage is on."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = ""

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, StageChanged):
            self.stage = event.stage

    @property
    def adversarial(self) -> bool:
        return self.stage == "adversarial"

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.of(Warned)]


def train(images: Path, path: Path, listener: Ill, **settings: Any) -> nv.Model:
    return nv.train(images, nv.TrainingConfig(**TINY | settings), on_event=listener, checkpoint=path / "ill.checkpoint")


def test_after_a_collapse_training_goes_back_with_half_of_the_adversarial_weight(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Ill()

    def examine(*_: Any) -> Diagnosis:
        return Diagnosis(coverage=0.1, floor=0.9, best_coverage=0.8) if listener.adversarial else Diagnosis()

    monkeypatch.setattr(Diagnostician, "examine", examine)
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 0)
    monkeypatch.setattr(best, "RESTORATION_WORTH", float("inf"))
    model = train(textured_images, tmp_path, listener, steps=36)
    ill = [event for event in listener.of(Diagnosed) if event.repairs]
    assert ill
    assert {event.stage for event in ill} == {"adversarial"}
    good = max(event.step for event in listener.of(Validated) if event.best and event.stage != "prior")
    assert good < min(event.step for event in ill)
    for event in ill:
        (sentence,) = event.repairs
        assert sentence.endswith(f"training goes back to step {good}, with half of the adversarial weight.")
        assert sentence in listener.warnings
    kept = next(event.psnr for event in listener.of(Validated) if event.step == good)
    assert model.header.psnr == pytest.approx(kept, abs=1e-3)


def test_better_restoration_is_kept_although_generation_went_wrong(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Ill()
    seen: list[bool] = []

    def examine(*_: Any) -> Diagnosis:
        seen.append(True)
        return Diagnosis(coverage=0.1, floor=0.9, best_coverage=0.8) if len(seen) > 1 else Diagnosis()

    monkeypatch.setattr(Diagnostician, "examine", examine)
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 0)
    model = train(textured_images, tmp_path, listener, steps=72)
    validated = listener.of(Validated)
    first, kept = validated[0], [event for event in validated if event.best][-1]
    assert kept.step > first.step
    assert np.mean(list(model.header.psnr.values())) > np.mean(list(first.psnr.values())) + 0.1
    assert any("do not rely on generated images" in message for message in listener.warnings)


def test_a_model_whose_images_are_all_alike_is_not_handed_over_without_a_word(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing fell: they were alike from the beginning."""
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 0)
    said = {}
    for variety in (0.2, 0.6, None):
        listener = Ill()
        monkeypatch.setattr(Diagnostician, "examine", lambda *_, measured=variety: Diagnosis(diversity=measured))
        train(textured_images, tmp_path, listener, steps=12)
        said[variety] = [message for message in listener.warnings if "do not rely on them" in message]
    assert [len(sentences) for sentences in said.values()] == [1, 0, 0]
    assert "only 20% as much as real ones" in said[0.2][0]


def test_dead_latents_get_cheaper_alone_and_do_not_hold_a_training_back(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Ill()
    monkeypatch.setattr(Diagnostician, "examine", lambda *_: Diagnosis(active_units=(0.5, 0.0, 0.5)))
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 0)
    train(textured_images, tmp_path, listener, steps=72)
    assert sum(event.best for event in listener.of(Validated)) > 3
    assert [message for message in listener.warnings if "halved" in message] == 2 * [
        "Latent level 2 of 3 tells nothing of the images: the weight of its KL divergence is halved."
    ]
    assert torch.load(tmp_path / "ill.checkpoint", weights_only=True)["players"]["kl_shares"] == [1, 0.25, 1]
    assert not any("goes back" in message for message in listener.warnings)


def test_a_level_that_is_dead_once_is_not_mended(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one is dead each time: none is for long."""
    listener = Ill()
    taking_turns = itertools.cycle([(0.5, 0.0, 0.5), (0.5, 0.5, 0.0)])
    monkeypatch.setattr(Diagnostician, "examine", lambda *_: Diagnosis(active_units=next(taking_turns)))
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 0)
    train(textured_images, tmp_path, listener, steps=36)
    assert len(listener.of(Diagnosed)) > 3
    assert not any("halved" in message for message in listener.warnings)


def test_a_collapse_before_the_adversary_takes_part_is_not_repaired(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Ill()

    def examine(*_: Any) -> Diagnosis:
        return Diagnosis() if listener.adversarial else Diagnosis(coverage=0.1, floor=0.9, best_coverage=0.8)

    monkeypatch.setattr(Diagnostician, "examine", examine)
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 0)
    train(textured_images, tmp_path, listener, steps=36)
    assert any(event.diagnosis.findings for event in listener.of(Diagnosed))
    assert not any(event.repairs for event in listener.of(Diagnosed))


def test_a_prior_with_too_few_steps_is_not_kept(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Ill()
    monkeypatch.setattr(best, "LEAST_FLOW_STEPS", 1000)
    model = train(textured_images, tmp_path, listener, steps=36)
    assert not model.engine.networks.flow.learned
    assert [event.stage for event in listener.of(Validated) if event.best][-1] != "prior"
    assert any(message.startswith("There was too little time") for message in listener.warnings)


@pytest.mark.parametrize(
    ("through_the_flow", "diversity", "kept"),
    [(0.45, 0.8, True), (0.41, 0.8, True), (0.39, 0.8, False), (0.2, 0.8, False), (0.5, 0.45, True), (0.5, 0.35, False)],
)
def test_a_prior_whose_images_are_poorer_than_those_of_plain_noise_is_not_kept(
    textured_images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    through_the_flow: float,
    diversity: float,
    kept: bool,
) -> None:
    listener = Ill()

    def examine(*_: Any) -> Diagnosis:
        prior = listener.stage == "prior"
        return Diagnosis(coverage=through_the_flow if prior else 0.5, diversity=diversity if prior else 0.8)

    monkeypatch.setattr(Diagnostician, "examine", examine)
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 0)
    monkeypatch.setattr(best, "SCORE_TOLERANCE", float("inf"))
    model = train(textured_images, tmp_path, listener, steps=36)
    assert model.engine.networks.flow.learned == kept
    assert any("not found as good as images from plain noise" in message for message in listener.warnings) != kept
    assert not any("too little time" in message for message in listener.warnings)


def test_a_coverage_that_was_never_telling_cannot_fall() -> None:
    assert not Diagnosis(coverage=0.02, floor=0.9, best_coverage=0.1).findings
    assert Diagnosis(coverage=0.09, floor=0.9, best_coverage=0.2).findings


def poison_gradients(patch: pytest.MonkeyPatch, place: int, listener: Ill, steps: float) -> None:
    """Make the loss of the generator (0) or of the discriminator (1) NaN in so many steps of the third stage."""
    both = list(losses.ADVERSARIAL_LOSSES["relativistic"])
    original = both[place]

    def poisoned(real: Any, fake: Any) -> torch.Tensor:
        made = sum(event.stage == "adversarial" for event in listener.of(Stepped))
        return fake[0].mean() * float("nan") if listener.adversarial and made < steps else original(real, fake)

    both[place] = poisoned
    patch.setitem(losses.ADVERSARIAL_LOSSES, "relativistic", tuple(both))


BOTH = pytest.mark.parametrize(("place", "term"), [(0, "adversarial"), (1, "discriminator")])


@BOTH
def test_a_few_gradients_that_are_not_finite_are_left_out(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, term: str
) -> None:
    listener = Ill()
    poison_gradients(monkeypatch, place, listener, steps=3)
    model = train(textured_images, tmp_path, listener, steps=40)
    left_out = [event for event in listener.of(Stepped) if "skipped" in event.losses]
    assert [event.stage for event in left_out] == ["adversarial"] * 3
    told = [event.losses[term] for event in left_out if term in event.losses]  # the game alone pauses after a lost step
    assert told
    assert np.isnan(told).all()
    assert np.isfinite(list(listener.of(Stepped)[-1].losses.values())).all()
    assert not any("diverged" in message for message in listener.warnings)
    assert np.isfinite(list(model.header.psnr.values())).all()


@BOTH
def test_gradients_that_are_never_finite_again_let_the_training_go_back(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, term: str
) -> None:
    listener = Ill()
    monkeypatch.setattr(repair, "LOST_STEPS", 5)
    poison_gradients(monkeypatch, place, listener, steps=float("inf"))
    model = train(textured_images, tmp_path, listener, steps=36)
    assert any(message.startswith("Training diverged: it goes back to step") for message in listener.warnings)
    assert np.isfinite(model.generate(1, (32, 32))).all()
    assert model.header.psnr["super-resolve ×2"] > 20


def test_a_learning_rate_a_hundred_times_too_large_is_lowered(textured_images: Path, tmp_path: Path) -> None:
    listener = Ill()
    model = train(textured_images, tmp_path, listener, steps=60, learning_rate=0.2)
    assert any("learning rate" in message for message in listener.warnings)
    last = listener.of(Validated)[-1]
    assert np.mean(list(model.header.psnr.values())) > np.mean(list(last.first_estimate_psnr.values())) - 3


def test_a_healthy_training_is_examined_and_left_alone(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Ill()
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 30)
    train(textured_images, tmp_path, listener, steps=40)
    diagnosed = listener.of(Diagnosed)
    assert len(diagnosed) == len(listener.of(Validated))
    last = [event for event in diagnosed if event.stage == "adversarial"][-1].diagnosis
    assert None not in (last.coverage, last.floor, last.diversity, last.distance, last.overfitting)
    assert {finding.failure for finding in last.findings} <= {Failure.POSTERIOR_COLLAPSE}  # there is no more after 36 steps
    assert not any("goes back" in message for message in listener.warnings)


def test_a_resumed_training_is_held_against_what_it_had_reached(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 20)
    checkpoint, first, second = tmp_path / "half.checkpoint", Listener(stop_after=33), Ill()
    config = nv.TrainingConfig(**TINY, steps=36)
    nv.train(textured_images, config, on_event=first, stop=first.stop, checkpoint=checkpoint)
    _, reached = torch.load(checkpoint, weights_only=True)["reached"]
    assert reached > 0
    nv.train(textured_images, None, on_event=second, checkpoint=checkpoint, resume=True)
    assert second.of(Diagnosed)[0].diagnosis.best_diversity >= reached


def test_a_diagnosis_is_said_in_plain_words() -> None:
    generation, latents = in_words(
        Diagnosis(coverage=0.54, floor=0.96, diversity=0.9, distance=1.1, overfitting=0.1, active_units=(0.0, 0.4, 1.0))
    )
    assert generation == (
        "Generated images are near to 54% of the unseen real ones (training images: 96%), with 0.9 times their variety "
        "and 1.1 times their distance to training images."
    )
    assert latents == "Latents in use, from coarse to fine: 0%, 40%, 100%."


def test_what_was_not_measured_is_not_said() -> None:
    assert in_words(Diagnosis()) == ()
    assert in_words(Diagnosis(active_units=(0.5, 1.0))) == ("Latents in use, from coarse to fine: 50%, 100%.",)
    (sentence,) = in_words(Diagnosis(coverage=0.5, floor=0.9, diversity=float("nan")))
    assert sentence == "Generated images are near to 50% of the unseen real ones (training images: 90%)."


def test_a_finding_without_a_repair_is_watched_and_a_mended_one_is_told_once() -> None:
    ill = Diagnosis(distance=0.1, active_units=(0.0, 0.5))
    memorised, dead = (finding.sentence for finding in ill.findings)
    assert Diagnosed(1, "vae", ill, ()).watched == (f"{memorised}: this is watched.", f"{dead}: this is watched.")
    assert Diagnosed(1, "adversarial", ill, (f"{memorised}: mended.",)).watched == (f"{dead}: this is watched.",)


def test_what_was_measured_found_and_done_is_kept_with_the_curves(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Ill()

    def examine(*_: Any) -> Diagnosis:
        coverage = 0.1 if listener.adversarial else 0.8
        return Diagnosis(coverage, 0.9, float("nan"), best_coverage=0.8, active_units=(0.0, 0.5, 0.5))

    monkeypatch.setattr(Diagnostician, "examine", examine)
    monkeypatch.setattr(training, "LEAST_EXAMINED_STEPS", 12)
    model = train(textured_images, tmp_path, listener, steps=36)
    measured = [event for event in listener.of(Diagnosed) if event.diagnosis.figures]
    kept = [entry for entry in model.header.curves if "diagnosis" in entry]
    assert 0 < len(kept) == len(measured) < len(listener.of(Diagnosed))
    for entry, event in zip(kept, measured, strict=True):
        assert (entry["step"], entry["stage"]) == (event.step, event.stage)
        assert entry["diagnosis"] == {
            "coverage": event.diagnosis.coverage,
            "least coverage": 0.4,
            "floor": 0.9,
            "active latents 1": 0.0,
            "active latents 2": 0.5,
            "active latents 3": 0.5,
        }
        assert entry["told"] == [*event.repairs, *event.watched]
    assert any("goes back to step" in sentence for entry in kept for sentence in entry["told"])
