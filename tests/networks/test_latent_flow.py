"""The flow over the latents: from normal noise to what real images have."""

from __future__ import annotations

import math

import pytest
import torch

from napari_vaegan.networks.latent_flow import EVALUATIONS, LatentFlow, transport
from napari_vaegan.networks.presets import ARCHITECTURES
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import CONDITION_SIZE


def noise(count: int = 2) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(count, 4, side, side) for side in (2, 4, 8)]


def test_a_new_flow_changes_nothing() -> None:
    flow, start = LatentFlow((4, 4, 4), (8, 8, 8)), noise()
    for before, after in zip(start, transport(flow, start), strict=True):
        assert torch.equal(before, after)
    assert not flow.learned


def test_a_flow_that_learned_nothing_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = VaeGan(1, ARCHITECTURES["tiny"], CONDITION_SIZE)
    asked = []
    monkeypatch.setattr(LatentFlow, "forward", lambda self, levels, time: asked.append(time) or list(levels))
    model.unobserved_noise(1, 64, 64)
    assert not asked
    torch.nn.init.ones_(model.flow.leave[0].bias)
    assert model.flow.learned
    model.unobserved_noise(1, 64, 64)
    assert len(asked) == EVALUATIONS


def test_the_flow_works_in_the_units_of_the_latents_that_were_measured() -> None:
    flow = LatentFlow((4, 4, 4), (8, 8, 8))
    latents = [0.3 * level - 2 for level in noise(64)]
    latents[1][:, 2] = 0.5  # a channel that does not vary is not blown up
    flow.measure(latents)
    for index, level in enumerate(flow.standardised(latents)):
        assert level.mean((0, 2, 3)).abs().max() < 1e-4
        deviation = level.std((0, 2, 3))
        varies = torch.tensor([(index, channel) != (1, 2) for channel in range(4)])
        torch.testing.assert_close(deviation, varies.float(), atol=0.01, rtol=0)
    for before, after in zip(latents, flow.restored(flow.standardised(latents)), strict=True):
        torch.testing.assert_close(after, before)


def test_every_level_moves_every_other() -> None:
    """Coarse latents tell the fine ones where things are, and hear from them."""
    torch.manual_seed(0)
    flow = LatentFlow((4, 4, 4), (8, 8, 8))
    for weight in flow.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    time = torch.full((1,), 0.5)
    start = [level.requires_grad_() for level in noise(1)]
    for velocity in flow(start, time):
        gradients = torch.autograd.grad(velocity[..., 0, 0].sum(), start, retain_graph=True)
        assert all(gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.parametrize("preset", ["tiny", "small"])
def test_noise_has_the_shapes_of_the_latents_and_texture_is_none_of_it(preset: str) -> None:
    model = VaeGan(1, ARCHITECTURES[preset], CONDITION_SIZE)
    latents = model.normal_noise(2, 64, 96)
    assert [tuple(level.shape[1:]) for level in latents] == [
        (channels, 64 // stride, 96 // stride)
        for channels, stride in zip(model.generator.latents, model.generator.strides, strict=True)
    ][:-1]
    draw = model.unobserved_noise(2, 64, 96)
    texture = torch.empty(2, model.generator.latents[-1], 32, 48)
    assert draw(len(latents), texture).shape == texture.shape


def test_the_solver_is_exact_for_straight_lines() -> None:
    asked = []

    def towards_five(levels: list[torch.Tensor], time: torch.Tensor) -> list[torch.Tensor]:
        asked.append(float(time[0]))
        return [(5 - level) / (1 - time[0]) for level in levels]  # flow matching's own, where all images are alike

    for level in transport(towards_five, noise()):
        torch.testing.assert_close(level, torch.full_like(level, 5))
    assert len(asked) == EVALUATIONS
    assert max(asked) < 1


def test_the_solver_follows_curves_half_of_the_way_and_then_goes_straight_on() -> None:
    def decay(levels: list[torch.Tensor], _: torch.Tensor) -> list[torch.Tensor]:
        return [-level for level in levels]

    start = noise()
    for before, after in zip(start, transport(decay, start), strict=True):
        half_way = before * math.exp(-0.5)
        torch.testing.assert_close(after, half_way - 0.5 * half_way, atol=1e-6, rtol=0.01)


def test_the_solver_draws_what_was_learned_of_images_of_two_kinds() -> None:
    """Of two kinds of images, bright and dark, as many of each come about as there are, and few are left undecided."""

    def velocity(levels: list[torch.Tensor], time: torch.Tensor) -> list[torch.Tensor]:
        t = float(time[0])
        return [
            (torch.tanh(2 * t * level / (1 - t) ** 2) * 2 - level) / (1 - t)  # of targets of -2 and 2: their posterior mean
            for level in levels
        ]

    torch.manual_seed(0)
    (drawn,) = transport(velocity, [torch.randn(4000, 1, 1, 1)])
    assert abs(float(drawn.mean())) < 0.1
    assert float((drawn.abs() > 1).float().mean()) > 0.9
