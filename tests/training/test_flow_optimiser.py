"""What moves the flow's weights."""

from __future__ import annotations

import copy

import pytest
import torch

from napari_vaegan.networks.latent_flow import LatentFlow
from napari_vaegan.training.device import place
from napari_vaegan.training.flow_optimiser import KERNEL_RATE, FlowOptimiser, orthogonalised

RATE = 1e-3


def flow() -> LatentFlow:
    torch.manual_seed(0)
    made = LatentFlow((4, 4, 4), (16, 16, 16))
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    return place(made, torch.device("cpu"))


def optimiser(of: LatentFlow) -> FlowOptimiser:
    return FlowOptimiser(of, (0.9, 0.99), 1.0)


def gradients(of: LatentFlow, seed: int = 0) -> list[torch.Tensor]:
    torch.manual_seed(seed)
    return [torch.randn_like(weight) for weight in of.parameters()]


def test_every_weight_moves() -> None:
    moved = flow()
    before = copy.deepcopy(moved.state_dict())
    assert optimiser(moved).step(gradients(moved), RATE)
    for name, weight in moved.named_parameters():
        assert not torch.equal(weight, before[name]), name


def test_inner_convolutions_move_alike_in_all_directions() -> None:
    """Also where the gradient has a single direction to speak of."""
    moved = flow()
    before = moved.before[1].first.weight.detach().clone()
    given = gradients(moved)
    index = [name for name, _ in moved.named_parameters()].index("before.1.first.weight")
    given[index][0] *= 100
    optimiser(moved).step(given, RATE)
    singular = torch.linalg.svdvals((moved.before[1].first.weight.detach() - before).flatten(1))
    assert singular.max() < 4 * singular[-2]  # of the gradient: 100 and more
    typical = (moved.before[1].first.weight - before).square().mean().sqrt()
    assert 0.5 * 0.2 * KERNEL_RATE * RATE < typical < 2 * 0.2 * KERNEL_RATE * RATE


@pytest.mark.parametrize("shape", [(16, 144), (144, 16), (16, 16)])
def test_an_orthogonalised_matrix_has_the_same_directions_and_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    made = orthogonalised(matrix)
    left, singular, right = torch.linalg.svd(matrix, full_matrices=False)
    ours = left.T @ made @ right.T
    torch.testing.assert_close(ours, torch.diag(ours.diag()), atol=1e-3, rtol=0)
    assert ((ours.diag() > 0.5) & (ours.diag() < 1.5))[singular > 0.05 * singular.max()].all()


def test_no_step_is_made_by_gradients_that_are_not_finite() -> None:
    moved = flow()
    before, moving = copy.deepcopy(moved.state_dict()), optimiser(moved)
    given = gradients(moved)
    given[3].view(-1)[0] = torch.nan
    assert not moving.step(given, RATE)
    assert moving.steps == 0
    assert all(torch.equal(value, before[name]) for name, value in moved.state_dict().items())


def test_whoever_resumes_goes_on_in_the_same_way() -> None:
    whole, first = flow(), flow()
    moving, begun = optimiser(whole), optimiser(first)
    for seed in range(2):
        moving.step(gradients(whole, seed), RATE)
        begun.step(gradients(first, seed), RATE)
    second = flow()
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    resumed = optimiser(second)
    resumed.set_state(copy.deepcopy(begun.state()))
    assert resumed.steps == 2
    moving.step(gradients(whole, 2), RATE)
    resumed.step(gradients(second, 2), RATE)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))


def test_momentum_is_forgotten_on_demand() -> None:
    used, new = flow(), flow()
    moving = optimiser(used)
    moving.step(gradients(used, 1), RATE)
    used.load_state_dict(flow().state_dict())
    moving.clear()
    assert moving.steps == 0
    moving.step(gradients(used), RATE)
    optimiser(new).step(gradients(new), RATE)
    assert all(torch.equal(a, b) for a, b in zip(used.parameters(), new.parameters(), strict=True))
