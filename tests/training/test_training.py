"""Training from end to end: events, time, stop, checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.images.collection import collect_images
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.networks.latent_flow import LEAST_DEVIATION
from napari_vaegan.training.events import Finished, Measuring, StageChanged, Started, Stepped, Validated, Warned


def test_the_log_tells_the_stages(whole: tuple[nv.Model, Listener]) -> None:
    model, listener = whole
    assert isinstance(listener.events[0], Started)
    assert [event.stage for event in listener.of(StageChanged)] == ["vae", "warm-up", "adversarial", "prior"]
    assert [type(event) for event in listener.events[-2:]] == [Finished, Measuring]
    assert model.header.stages == ["vae", "warm-up", "adversarial", "prior"]


def test_every_step_is_told_with_its_losses_and_the_time_left(whole: tuple[nv.Model, Listener]) -> None:
    steps = whole[1].of(Stepped)
    assert [event.step for event in steps] == list(range(1, 41))
    assert all(event.losses and event.seconds_left >= 0 for event in steps)


def test_a_step_names_the_terms_of_its_stage(whole: tuple[nv.Model, Listener]) -> None:
    named: dict[str, set[str]] = {}
    for event in whole[1].of(Stepped):
        named.setdefault(event.stage, set()).update(event.losses)
    assert {"reconstruction", "kl", "kl level 0"} <= named["vae"]
    assert named["prior"] == {"flow"}
    assert "discriminator" in named["warm-up"]
    assert {"reconstruction", "kl", "adversarial", "feature matching", "discriminator"} <= named["adversarial"]


def test_validation_judges_every_kind_of_observation(whole: tuple[nv.Model, Listener]) -> None:
    last = whole[1].of(Validated)[-1]
    assert set(last.psnr) == {"inpaint", "super-resolve ×2", "super-resolve ×3", "super-resolve ×4", "denoise"}


def test_a_validation_tells_what_the_latents_carry_also_after_steps_of_the_game_alone(
    whole: tuple[nv.Model, Listener],
) -> None:
    validated = [event for event in whole[1].of(Validated) if event.stage == "adversarial"]
    after_the_game = [event for event in validated if event.step % 3 != 1]  # the first step of three is of the whole VAE
    assert after_the_game
    assert all(len(event.divergences) == 3 and sum(event.divergences) > 0 for event in validated)


def test_the_prior_is_learned_of_the_best_weights_and_saved_with_them(whole: tuple[nv.Model, Listener]) -> None:
    model, listener = whole
    *before, last = [event for event in listener.of(Validated) if event.best]
    assert last.stage == "prior"
    assert last.step == 40
    began = next(event.step for event in listener.of(StageChanged) if event.stage == "prior")
    judged = [(event.stage, event.step) for event in listener.of(Validated)]
    assert ("adversarial", began) in judged  # as it had become, not some steps before
    assert last.psnr == pytest.approx(before[-1].psnr, abs=1e-4)
    assert any(level.weight.any() for level in model.engine.networks.flow.leave)


def test_the_prior_knows_how_the_latents_of_the_training_images_are_distributed(
    whole: tuple[nv.Model, Listener], textured_images: Path
) -> None:
    networks = whole[0].engine.networks
    planes = collect_images(textured_images).planes
    patches = torch.from_numpy(PatchSampler(planes, 5).draw(128, 64).pixels)
    with torch.no_grad():
        latents = networks.infer(patches)
    finest = latents[-1]
    means, deviations = finest.mean((0, 2, 3)), finest.std((0, 2, 3))
    assert means.abs().max() > 0.1  # not as the VAE's prior has it
    standardised = networks.flow.standardised(latents)[-1]
    wanted = deviations / deviations.clamp(min=LEAST_DEVIATION)  # this short a training has next to nothing to tell
    torch.testing.assert_close(standardised.mean((0, 2, 3)), torch.zeros_like(means), atol=0.03, rtol=0)
    torch.testing.assert_close(standardised.std((0, 2, 3)), wanted, atol=0.03, rtol=0)


def test_a_few_steps_already_denoise_a_little(tiny_model: nv.Model) -> None:
    assert tiny_model.header.psnr["denoise"] > 18


def test_the_file_header_says_what_was_on(whole: tuple[nv.Model, Listener]) -> None:
    header = whole[0].header
    assert header.config.spectral_normalisation
    assert header.config.progressive
    assert header.training_set["images"] == 8
    assert header.curves
    assert "torch" in header.versions


def test_the_same_seed_trains_the_same_model(
    whole: tuple[nv.Model, Listener], textured_images: Path, tmp_path: Path
) -> None:
    config = nv.TrainingConfig(**TINY, steps=40)
    again = nv.train(textured_images, config, checkpoint=tmp_path / "again.checkpoint")
    assert again.header.psnr == pytest.approx(whole[0].header.psnr, abs=1e-3)


def test_the_second_thread_changes_nothing(textured_images: Path, tmp_path: Path) -> None:
    # All four stages, but a single step of the game: the gradients of its penalty are summed in another order.
    config, before, weights = nv.TrainingConfig(**TINY, steps=6), torch.get_num_threads(), []
    listener = Listener()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model = nv.train(textured_images, config, on_event=listener, checkpoint=tmp_path / f"{threads}.checkpoint")
        weights.append(model.engine.networks.state_dict())
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert {event.stage for event in listener.of(Stepped)} == {"vae", "warm-up", "adversarial", "prior"}
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_the_second_thread_changes_nothing_but_rounding_where_the_game_goes_on(
    textured_images: Path, tmp_path: Path
) -> None:
    config, before, told = nv.TrainingConfig(**TINY, steps=9), torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        listener = Listener()
        nv.train(textured_images, config, on_event=listener, checkpoint=tmp_path / f"{threads}.checkpoint")
        told.append([(event.stage, event.losses) for event in listener.of(Stepped)])
    torch.set_num_threads(before)
    assert [stage for stage, _ in told[0]].count("adversarial") == 3
    for (_, one), (_, two) in zip(*told, strict=True):
        assert one == pytest.approx(two, rel=1e-4, abs=1e-4)


def test_two_threads_train_the_same_twice(textured_images: Path, tmp_path: Path) -> None:
    config, before, told = nv.TrainingConfig(**TINY | {"precision": "bfloat16"}, steps=20), torch.get_num_threads(), []
    torch.set_num_threads(2)
    for number in range(2):
        listener = Listener()
        nv.train(textured_images, config, on_event=listener, checkpoint=tmp_path / f"{number}.checkpoint")
        told.append([(event.stage, event.losses) for event in listener.of(Stepped)])
    torch.set_num_threads(before)
    assert {"vae", "adversarial", "prior"} <= {stage for stage, _ in told[0]}
    assert told[0] == told[1]


def test_training_leaves_the_process_s_smallest_numbers_alone(whole: tuple[nv.Model, Listener]) -> None:
    smallest = np.array([np.finfo(np.float32).smallest_subnormal])
    assert (smallest * np.float32(1) > 0).all()


def test_techniques_that_are_switched_off_are_off(textured_images: Path, tmp_path: Path) -> None:
    listener = Listener()
    config = nv.TrainingConfig(
        **TINY, steps=6, adversarial=False, progressive=False, spectral_normalisation=False, tasks=("denoise",)
    )
    model = nv.train(textured_images, config, on_event=listener, checkpoint=tmp_path / "plain.checkpoint")
    assert [event.stage for event in listener.of(StageChanged)] == ["vae"]
    assert set(model.header.psnr) == {"denoise"}
    with pytest.raises(nv.SettingError, match="denoise"):
        model.generate(1)


def test_several_channels_are_trained_and_restored(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    stacks = [random.integers(0, 4000, (2, 40, 48)).astype(np.uint16) for _ in range(3)]
    config = nv.TrainingConfig(**TINY, steps=3, channels=2, axes="CYX")
    model = nv.train(stacks, config, checkpoint=tmp_path / "two.checkpoint")
    restored = model.denoise(stacks[0], samples=2, axes="CYX")
    assert restored.image.shape == (2, 40, 48)
    assert restored.image.dtype == np.uint16
    assert restored.samples.shape == (2, 2, 40, 48)
    assert model.generate(2, (32, 40)).shape == (2, 32, 40, 2)


def test_one_image_is_enough_and_said(tmp_path: Path) -> None:
    listener = Listener()
    image = np.random.default_rng(0).integers(0, 255, (96, 96), dtype=np.uint8)
    nv.train(image, nv.TrainingConfig(**TINY, steps=2), on_event=listener, checkpoint=tmp_path / "one.checkpoint")
    assert any("one image" in warning.message.lower() or "only" in warning.message for warning in listener.of(Warned))


def test_an_empty_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(nv.DataError, match=tmp_path.name):
        nv.train(tmp_path, nv.TrainingConfig(**TINY, steps=1))
