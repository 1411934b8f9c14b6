"""The stages of the method, and what each of them moves."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from napari_vaegan.config import TrainingConfig
from napari_vaegan.images.collection import collect_images
from napari_vaegan.images.patches import PatchSampler
from napari_vaegan.observation.degradations import kinds_of
from napari_vaegan.training import best
from napari_vaegan.training.batches import SHARES, Batch, BatchSize, BatchSource
from napari_vaegan.training.flow_gradient import flow_gradient
from napari_vaegan.training.players import Players
from napari_vaegan.training.progress import Progress
from napari_vaegan.training.stages import RENDERING_SHARE, descent, learning_rate, method_stages
from napari_vaegan.training.terms import (
    adversarial_term,
    discriminator_terms,
    draw_pairs,
    draw_sample,
    look,
    part_of,
    penalty_term,
)

TINY: dict[str, Any] = {"preset": "tiny", "steps": 100, "patch_size": 32, "batch_size": 16}

WHOLE = BatchSize(16, 32)


@pytest.fixture
def source(textured_images) -> BatchSource:
    sampler = PatchSampler(collect_images(textured_images).planes, 0)
    return BatchSource(sampler, kinds_of(("generate", "inpaint", "super-resolve", "denoise")), np.random.default_rng(0))


def players(config: TrainingConfig) -> Players:
    torch.manual_seed(0)
    return Players(config, 1, kinds_of(config.tasks), torch.device("cpu"))


def moved(before: dict[str, torch.Tensor], module: torch.nn.Module) -> set[str]:
    """Names of the top-level parts whose weights changed."""
    return {name.split(".")[0] for name, value in module.state_dict().items() if not torch.equal(before[name], value)}


def step(
    stage_index: int, source: BatchSource, progress: Progress, size: BatchSize = WHOLE, **settings: Any
) -> tuple[set[str], bool, dict[str, float]]:
    config = TrainingConfig(**TINY | settings)
    game = players(config)
    game.sound = True
    with torch.no_grad():  # what begins at zero lets no gradient through
        for weight in game.networks.parameters():
            weight.add_(0.01 * torch.randn_like(weight))
    stage = method_stages(config, source.unconditional)[stage_index]
    networks = {name: value.clone() for name, value in game.networks.state_dict().items()}
    critic = {name: value.clone() for name, value in game.discriminator.named_parameters()}
    terms = stage.step(game, source.draw(size), progress)
    critic_moved = any(not torch.equal(critic[n], p) for n, p in game.discriminator.named_parameters())
    return moved(networks, game.networks), critic_moved, terms


MIDDLE = Progress(stage=0.9, total=0.5, step=6)


@pytest.mark.parametrize(
    ("settings", "unconditional", "names"),
    [
        ({}, 0, ["vae", "warm-up", "adversarial", "prior"]),
        ({}, -1, ["vae", "warm-up", "adversarial"]),  # where nothing is generated no prior is learned
        ({"learned_prior": False}, 0, ["vae", "warm-up", "adversarial"]),
        ({"adversarial": False}, 0, ["vae", "prior"]),
        ({"adversarial": False, "learned_prior": False}, 0, ["vae"]),
        ({"variational": False}, 0, ["warm-up", "adversarial"]),
    ],
)
def test_the_method_has_its_stages_in_order(settings: dict[str, Any], unconditional: int, names: list[str]) -> None:
    stages = method_stages(TrainingConfig(**TINY, **settings), unconditional)
    assert [stage.name for stage in stages] == names
    assert sum(stage.share for stage in stages) == pytest.approx(1)


def test_stage_one_trains_the_vae_and_no_discriminator(source: BatchSource) -> None:
    parts, critic, terms = step(0, source, MIDDLE)
    assert {"encoder", "mean_decoder", "generator"} <= parts
    assert not critic
    assert {"mean", "reconstruction", "kl"} <= set(terms)
    assert "adversarial" not in terms


def test_stage_two_trains_the_discriminator_against_a_frozen_generator(source: BatchSource) -> None:
    parts, critic, terms = step(1, source, MIDDLE)
    assert not parts
    assert critic
    assert "discriminator" in terms


def test_stage_three_trains_all_with_all_terms_together(source: BatchSource) -> None:
    parts, critic, terms = step(2, source, MIDDLE)
    assert {"encoder", "mean_decoder", "generator"} <= parts
    assert critic
    assert {"mean", "reconstruction", "kl", "adversarial", "feature matching", "discriminator"} <= set(terms)


def test_two_steps_of_three_in_stage_three_are_of_the_game_alone(source: BatchSource) -> None:
    stage = method_stages(TrainingConfig(**TINY), source.unconditional)[2]
    sizes = [stage.batch_size(replace(MIDDLE, step=number)) for number in (6, 7, 8, 9)]
    assert sizes[0] == sizes[3]
    assert sizes[0].count > 0
    assert sizes[1] == sizes[2] == BatchSize(0, TINY["patch_size"], unobserved=16)
    parts, critic, terms = step(2, source, replace(MIDDLE, step=7), size=sizes[1])
    assert parts == {"generator"}
    assert critic
    assert {"adversarial", "discriminator"} <= set(terms)
    assert not {"mean", "reconstruction", "spread"} & set(terms)


def test_the_game_pauses_until_a_step_of_the_whole_vae_was_made(source: BatchSource) -> None:
    config = TrainingConfig(**TINY)
    game, stage = players(config), method_stages(config, source.unconditional)[2]
    bare, whole = replace(MIDDLE, step=7), replace(MIDDLE, step=9)
    assert stage.step(game, source.draw(stage.batch_size(bare)), bare) == {"skipped": 1.0}
    assert "skipped" not in stage.step(game, source.draw(WHOLE), whole)
    assert "skipped" not in stage.step(game, source.draw(stage.batch_size(bare)), bare)


def test_without_generation_every_step_of_stage_three_is_a_whole_one() -> None:
    stage = method_stages(TrainingConfig(**TINY), -1)[2]
    assert all(stage.batch_size(replace(MIDDLE, step=number)).count for number in range(3))


def test_the_prior_is_learned_while_the_vae_stands_still(source: BatchSource) -> None:
    parts, critic, terms = step(3, source, MIDDLE, size=BatchSize(0, 32, unobserved=8))
    assert parts == {"flow"}
    assert not critic
    assert set(terms) == {"flow"}


def test_the_flow_is_guided_once_it_knows_enough(source: BatchSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best, "LEAST_FLOW_STEPS", 4)
    config, size = TrainingConfig(**TINY), BatchSize(0, 32, unobserved=2)
    game, stage = players(config), method_stages(config, source.unconditional)[3]
    early, late = replace(MIDDLE, stage=0.4), replace(MIDDLE, stage=0.6)
    stage.step(game, source.draw(size), early)
    stage.step(game, source.draw(size), late)
    assert game.earlier_flow is None  # two steps teach it nothing that could lead it on
    for _ in range(2):
        stage.step(game, source.draw(size), early)
    assert game.earlier_flow is None
    known = [weight.clone() for weight in game.average.module.flow.parameters()]
    stage.step(game, source.draw(size), late)
    stage.step(game, source.draw(size), late)
    assert game.earlier_flow is not None
    assert all(torch.equal(a, b) for a, b in zip(game.earlier_flow.parameters(), known, strict=True))
    resumed = players(config)
    resumed.set_state(copy.deepcopy(game.state()))
    batch = source.draw(size)
    for one in (game, resumed):
        torch.manual_seed(0)
        stage.step(one, batch, late)
    pairs = zip(game.networks.flow.parameters(), resumed.networks.flow.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    game.begin_anew()
    assert game.earlier_flow is None


def test_a_flow_that_is_guided_moves_on_from_what_it_was(source: BatchSource) -> None:
    """In which direction is that of what it has learned since."""
    game = players(TrainingConfig(**TINY))
    flow, truth = game.networks.flow, source.draw(BatchSize(0, 32, unobserved=4)).truth
    with torch.no_grad():
        for leave in flow.leave:
            leave.bias.add_(0.5)  # all velocities are now larger than before
    gradients = []
    for earlier in (None, game.average.module.flow):
        torch.manual_seed(0)
        gradients.append(flow_gradient(flow, game.average.module, truth, game.latent_shares, game.beside, earlier).gradients)
    names = [name for name, _ in flow.named_parameters()]
    bias = names.index("leave.0.bias")
    assert (gradients[1][bias] < gradients[0][bias]).all()  # descending, it moves further


def test_a_single_patch_is_enough_for_a_step_of_the_prior(source: BatchSource) -> None:
    assert step(3, source, MIDDLE, size=BatchSize(0, 32, unobserved=1))[0] == {"flow"}


def test_every_third_batch_of_the_prior_is_of_larger_patches() -> None:
    stage = method_stages(TrainingConfig(**TINY), 0)[3]
    sizes = [stage.batch_size(replace(MIDDLE, step=number)) for number in (6, 7, 8, 9)]
    assert sizes == [BatchSize(0, 64, 8), BatchSize(0, 32, 32), BatchSize(0, 32, 32), BatchSize(0, 64, 8)]


def test_the_flow_learns_what_the_latents_of_the_images_are_like(source: BatchSource) -> None:
    """Latents that all lie two standard deviations from the prior's mean: it soon tells which way to go."""
    config = TrainingConfig(**TINY)
    game, stage = players(config), method_stages(config, source.unconditional)[3]
    for level in game.average.module.generator.ladder:
        shift, _ = level.posterior[-1].bias.chunk(2)
        torch.nn.init.constant_(shift, 2.0)
    batch = source.draw(BatchSize(0, 32, unobserved=16))
    losses = [stage.step(game, batch, replace(MIDDLE, stage=0.5))["flow"] for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:3])


def test_latents_that_tell_of_the_image_are_told_from_others(source: BatchSource) -> None:
    """One channel follows the image closely, in all others the posterior is the prior; a resumed training knows that."""
    game = players(TrainingConfig(**TINY))
    level = game.average.module.generator.ladder[0]
    torch.nn.init.zeros_(level.posterior[-1].weight)
    torch.nn.init.zeros_(level.posterior[-1].bias)
    torch.nn.init.normal_(level.posterior[-1].weight[0])  # the mean of the first channel
    torch.nn.init.constant_(level.posterior[-1].bias[4], -12.0)  # and its log deviation
    game.measure_latents(source.draw(BatchSize(0, 32, unobserved=16)).truth)
    shares = game.latent_shares[0]
    assert shares[0] > 0.9
    assert (shares[1:] < 0.01).all()
    resumed = players(TrainingConfig(**TINY))
    resumed.set_state(copy.deepcopy(game.state()))
    assert all(torch.equal(a, b) for a, b in zip(resumed.latent_shares, game.latent_shares, strict=True))


def test_the_flow_learns_of_means_and_not_of_the_noise_around_them(source: BatchSource) -> None:
    """Latents drawn from a posterior fifty times as wide as the prior would be thousands away from what a new flow does."""
    game = players(TrainingConfig(**TINY))
    vae, truth = game.average.module, source.draw(BatchSize(0, 32, unobserved=8)).truth
    for level in vae.generator.ladder:
        torch.nn.init.constant_(level.posterior[-1].bias.chunk(2)[1], 12.0)
    assert flow_gradient(game.networks.flow, vae, truth, game.latent_shares, game.beside).loss < 10


def test_a_plain_gan_has_neither_reconstruction_nor_divergence(source: BatchSource) -> None:
    config = TrainingConfig(**TINY, variational=False)
    assert [stage.name for stage in method_stages(config, 0)] == ["warm-up", "adversarial"]
    parts, critic, terms = step(1, source, MIDDLE, variational=False)
    assert "generator" in parts
    assert critic
    assert "adversarial" in terms
    assert not {"reconstruction", "kl", "feature matching"} & set(terms)


def test_the_textbook_loss_is_there_by_name(source: BatchSource) -> None:
    terms = {name: step(2, source, MIDDLE, adversarial_loss=name)[2] for name in ("relativistic", "non-saturating")}
    assert all(terms[name]["adversarial"] > 0 and terms[name]["discriminator"] > 0 for name in terms)
    assert terms["non-saturating"]["discriminator"] != terms["relativistic"]["discriminator"]


def test_the_gradient_penalty_can_be_switched_off(source: BatchSource) -> None:
    assert step(2, source, MIDDLE)[2]["gradient penalty"] > 0
    assert "gradient penalty" not in step(2, source, MIDDLE, gradient_penalty=0)[2]


def test_the_adversarial_term_reaches_the_generator_alone(source: BatchSource) -> None:
    config = TrainingConfig(**TINY)
    game = players(config)
    torch.nn.init.normal_(game.networks.generator.full_resolution.residual.weight)
    batch = source.draw(BatchSize(16, 32))
    seen = look(game, batch, source.unconditional)
    residual = game.networks.generator.sample([f.detach() for f in seen.features], seen.condition)
    view = game.discriminator.view(seen.mean.detach() + residual)
    verdicts, _ = game.discriminator(view, batch.observation.estimate, batch.observation.known)
    sum(verdict.sum() for verdict in verdicts).backward()
    gradients = {name.split(".")[0] for name, p in game.networks.named_parameters() if p.grad is not None}
    assert gradients == {"generator"}


def test_progressive_training_opens_latents_and_grows_patches(source: BatchSource) -> None:
    game = players(TrainingConfig(**TINY))
    stage = method_stages(game_config := TrainingConfig(**TINY | {"patch_size": 64}), source.unconditional)[0]
    early, late = Progress(0.0, 0.0, 0), Progress(0.9, 0.5, 50)
    assert stage.opened(game, early) == 1
    assert stage.opened(game, late) == len(game.networks.generator.levels)
    assert stage.batch_size(early) == BatchSize(16, 64)
    assert stage.batch_size(late) == BatchSize(7, 96)
    still = method_stages(game_config.model_copy(update={"progressive": False}), source.unconditional)[0]
    assert still.opened(game, early) == len(game.networks.generator.levels)
    assert still.batch_size(late) == BatchSize(16, 64)


def test_the_kl_weight_rises_to_its_full_value() -> None:
    stage = method_stages(TrainingConfig(**TINY, kl_weight=0.5), 0)[0]
    assert stage.kl_weight(Progress(0, 0, 0)) == pytest.approx(0.025)
    assert stage.kl_weight(Progress(1, 1, 1)) == pytest.approx(0.5)


def test_the_learning_rate_warms_up_and_descends() -> None:
    config = TrainingConfig(**TINY)
    rates = [learning_rate(config, Progress(0, total, 100)) for total in (0, 0.02, 0.5, 1)]
    assert rates[0] < rates[2] < rates[1]
    assert rates[3] < 0.02 * rates[1]


def test_the_learning_rate_has_descended_when_the_flow_begins_to_learn() -> None:
    stages = method_stages(TrainingConfig(**TINY), 0)
    begin = Progress(1, 1 - stages[-1].share, 100)
    assert stages[2].learning_rate(begin) == pytest.approx(learning_rate(TrainingConfig(**TINY), Progress(1, 1, 100)))


def test_the_first_step_is_small_however_long_reading_took() -> None:
    config = TrainingConfig(**TINY)
    first, later = (learning_rate(config, Progress(0.1, 0.1, step)) for step in (0, 100))
    assert first < 0.1 * later


def test_both_players_keep_their_rates_until_the_last_third_of_the_adversarial_stage() -> None:
    shares = [descent(Progress(stage, 0.9, 0)) for stage in (0, 0.6, 0.9, 1)]
    assert shares[0] == shares[1] == 1 > shares[2] > shares[3] > 0


def lively(config: TrainingConfig) -> Players:
    """Players in the midst of the game, whose generator already draws something; the discriminator's norms stand still."""
    game = players(config)
    game.sound = True
    torch.nn.init.normal_(game.networks.generator.full_resolution.residual.weight, std=0.1)
    game.discriminator.eval()
    return game


def test_in_the_game_pixels_are_rendered_by_smaller_steps_than_features_are_made(source: BatchSource) -> None:
    config = TrainingConfig(**TINY)
    game, stage = lively(config), method_stages(config, source.unconditional)[2]
    generator = game.networks.generator
    before = {name: weight.detach().clone() for name, weight in generator.named_parameters()}
    rendering = {id(weight) for weight in generator.rendering}
    bare = replace(MIDDLE, stage=0.5, step=7)
    stage.step(game, source.draw(stage.batch_size(bare)), bare)
    furthest = {True: 0.0, False: 0.0}
    for name, weight in generator.named_parameters():
        of_rendering = id(weight) in rendering
        furthest[of_rendering] = max(furthest[of_rendering], float((weight.detach() - before[name]).abs().max()))
    assert furthest[True] == pytest.approx(RENDERING_SHARE * furthest[False], rel=0.1)


def direction(module: torch.nn.Module) -> torch.Tensor:
    """The gradient of a module's weights as one vector of length 1: clipping does not turn it."""
    gradient = torch.cat([weight.grad.flatten() for weight in module.parameters() if weight.grad is not None])
    return gradient / gradient.norm()


def test_in_the_game_each_player_follows_the_gradient_of_its_own_loss(source: BatchSource) -> None:
    config = TrainingConfig(**TINY)
    stage, bare = method_stages(config, source.unconditional)[2], replace(MIDDLE, step=7)
    batch = source.draw(stage.batch_size(bare))
    together, apart = lively(config), lively(config)
    torch.manual_seed(1)
    stage.step(together, batch, bare)

    torch.manual_seed(1)
    made = draw_sample(apart, batch, look(apart, batch, source.unconditional))
    terms = discriminator_terms(apart, batch, made, config, bare.step)
    loss, _ = adversarial_term(apart, batch, made, config)
    loss.backward()
    for part in ("levels", "rendering"):
        ours, theirs = (_direction_of(game, part) for game in (together, apart))
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
    apart.differentiate_discriminator(torch.stack(list(terms.values())).sum())
    torch.testing.assert_close(direction(together.discriminator), direction(apart.discriminator), rtol=1e-3, atol=1e-5)


def _direction_of(game: Players, part: str) -> torch.Tensor:
    generator = game.networks.generator
    return direction(generator.levels if part == "levels" else torch.nn.ParameterList(generator.rendering))


def test_real_patches_and_samples_take_turns_in_the_gradient_penalty(source: BatchSource) -> None:
    config = TrainingConfig(**TINY)
    game, batch = lively(config), source.draw(WHOLE)
    game.discriminator.adapt(batch.truth)
    samples = batch.truth.flip(-1) * 0.5

    def penalty(samples: torch.Tensor, step: int) -> float:
        return float(penalty_term(game, batch, samples, config, step)["gradient penalty"].detach())

    assert penalty(samples, step=0) == penalty(samples + 0.3, step=0)
    assert penalty(samples, step=1) != penalty(samples + 0.3, step=1)


def test_a_batch_holds_every_kind_and_starts_with_the_unconditional_ones(source: BatchSource) -> None:
    batch = source.draw(BatchSize(64, 32))
    assert set(batch.kinds.tolist()) == set(range(6))
    free = int((batch.kinds == source.unconditional).sum())
    assert (batch.kinds[:free] == source.unconditional).all()
    assert abs(free - 64 * SHARES["generate"]) < 1


def test_further_patches_of_which_nothing_is_observed_come_first(source: BatchSource) -> None:
    batch = source.draw(BatchSize(10, 32, unobserved=6))
    assert len(batch.kinds) == 16
    assert (batch.kinds[:6] == source.unconditional).all()
    assert BatchSize(10, 32, unobserved=6).reduced(0.5) == BatchSize(5, 32, 3)


def test_what_is_to_be_generated_is_as_bright_as_the_images_are() -> None:
    image = np.full((64, 64), 100, np.uint8)
    image[::2] = 200
    sampler = PatchSampler(collect_images(image).planes, 0)
    source = BatchSource(sampler, kinds_of(("generate", "denoise")), np.random.default_rng(0))
    batch = source.draw(BatchSize(16, 32, unobserved=8))
    free = batch.kinds == source.unconditional
    brightest = batch.truth.amax(dim=(1, 2, 3))
    assert brightest[free].std() == 0
    assert brightest[~free].std() > 0.01


def test_unobserved_patches_serve_each_other_as_the_second_sample(source: BatchSource) -> None:
    game = players(TrainingConfig(**TINY))
    torch.nn.init.normal_(game.networks.generator.full_resolution.residual.weight)
    batch = source.draw(BatchSize(10, 32, unobserved=4))
    free = int((batch.kinds == source.unconditional).sum())
    seen = look(game, batch, source.unconditional)
    first, second = draw_pairs(game, batch, seen, free)
    torch.testing.assert_close(second[1:free], first[: free - 1])
    assert (first != second).flatten(1).any(1).all()
    alone = draw_pairs(game, batch.select(slice(free - 1, None)), part_of(seen, slice(free - 1, None)), 1)
    assert (alone[0] != alone[1]).flatten(1).any(1).all()


def test_unconditional_patches_share_one_look(source: BatchSource) -> None:
    game = players(TrainingConfig(**TINY))
    batch = source.draw(BatchSize(16, 32))
    shared, apart = look(game, batch, source.unconditional), look(game, batch, -1)
    torch.testing.assert_close(shared.mean, apart.mean)
    for one, other in zip(shared.features, apart.features, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_step_without_a_finite_gradient_is_skipped(source: BatchSource) -> None:
    config = TrainingConfig(**TINY)
    game = players(config)
    batch = source.draw(BatchSize(16, 32))
    spoilt = Batch(torch.full_like(batch.truth, float("nan")), batch.noise, batch.observation, batch.kinds)
    before = {name: value.clone() for name, value in game.networks.state_dict().items()}
    terms = method_stages(config, source.unconditional)[0].step(game, spoilt, MIDDLE)
    assert "skipped" in terms
    assert not moved(before, game.networks)
