"""Consistency with what was observed: exact, and never further from the truth."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_vaegan.observation.observation import (
    Observation,
    observe_block_means,
    observe_noisy,
    observe_nothing,
    observe_pixels,
)
from napari_vaegan.observation.projections import block_means, project, project_residual

sides = st.integers(8, 40)
factors = st.sampled_from([2, 3, 4])


def image(height: int, width: int, seed: int, channels: int = 2) -> torch.Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


@given(sides, sides, st.integers(0, 99))
def test_known_pixels_are_kept_bit_identical(height: int, width: int, seed: int) -> None:
    truth, guess = image(height, width, seed), image(height, width, seed + 1)
    known = (image(height, width, seed + 2, 1) > 0.5).float()
    restored = project(guess, observe_pixels(truth, known))
    where = known.bool().expand_as(truth)
    assert torch.equal(restored[where], truth[where])
    assert torch.equal(restored[~where], guess[~where])


@given(sides, sides, factors, st.integers(0, 99))
def test_block_means_are_kept_also_where_the_border_cuts_a_block(height: int, width: int, factor: int, seed: int) -> None:
    truth, guess = image(height, width, seed), image(height, width, seed + 1)
    low = block_means(truth, factor)
    observation = observe_block_means(low, factor, height, width, torch.zeros(1, 2))
    torch.testing.assert_close(block_means(project(guess, observation), factor), low, atol=1e-5, rtol=0)


@given(sides, sides, factors, st.integers(0, 99))
def test_rounded_block_means_are_kept_to_their_rounding_and_no_closer_than_needed(
    height: int, width: int, factor: int, seed: int
) -> None:
    truth, guess = image(height, width, seed), image(height, width, seed + 1)
    low, half = block_means(truth, factor), 0.05
    restored = project(guess, observe_block_means(low, factor, height, width, torch.full((1, 2), half)))
    gap = (block_means(restored, factor) - low).abs()
    assert gap.max() <= half + 1e-5
    fits = (block_means(guess, factor) - low).abs() < half
    torch.testing.assert_close(block_means(restored, factor)[fits], block_means(guess, factor)[fits])


@given(sides, sides, factors, st.integers(0, 99))
def test_projection_never_moves_away_from_a_truth_that_agrees(height: int, width: int, factor: int, seed: int) -> None:
    truth, guess = image(height, width, seed), image(height, width, seed + 1)
    observation = observe_block_means(block_means(truth, factor), factor, height, width, torch.zeros(1, 2))
    before, after = (guess - truth).square().sum(), (project(guess, observation) - truth).square().sum()
    assert after <= before + 1e-4


@given(sides, sides, factors, st.integers(0, 99))
def test_a_projected_residual_changes_nothing_that_was_observed(height: int, width: int, factor: int, seed: int) -> None:
    residual = image(height, width, seed)
    known = (image(height, width, seed + 2, 1) > 0.5).float()
    low = block_means(image(height, width, seed + 3), factor)
    pixels = project_residual(residual, observe_pixels(residual, known))
    means = project_residual(residual, observe_block_means(low, factor, height, width, torch.zeros(1, 2)))
    assert (pixels[known.bool().expand_as(pixels)] == 0).all()
    assert block_means(means, factor).abs().max() < 1e-5


def test_noise_and_nothing_bind_nothing() -> None:
    guess = image(16, 16, 0)
    for observation in (observe_noisy(image(16, 16, 1)), observe_nothing(guess)):
        assert torch.equal(project(guess, observation), guess)
        assert torch.equal(project_residual(guess, observation), guess)


def test_a_batch_of_different_kinds_is_projected_each_by_its_own() -> None:
    truth = image(24, 24, 0)
    known = torch.ones(1, 1, 24, 24)
    parts = [
        observe_pixels(truth, known),
        observe_block_means(block_means(truth, 2), 2, 24, 24, torch.zeros(1, 2)),
        observe_block_means(block_means(truth, 3), 3, 24, 24, torch.zeros(1, 2)),
        observe_noisy(truth),
    ]
    guess = image(24, 24, 1).expand(4, -1, -1, -1)
    together = project(guess, Observation.join(parts))
    for index, part in enumerate(parts):
        torch.testing.assert_close(together[index : index + 1], project(guess[:1], part))
