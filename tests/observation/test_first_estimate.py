"""What the networks start from."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_vaegan.observation.first_estimate import fill_unknown
from napari_vaegan.observation.observation import observe_block_means, observe_nothing


@given(st.integers(2, 70), st.integers(2, 70), st.floats(-2, 2))
def test_holes_in_a_flat_image_are_filled_with_its_value(height: int, width: int, value: float) -> None:
    known = torch.ones(1, 1, height, width)
    known[..., height // 2 :, width // 2 :] = 0
    filled = fill_unknown(torch.full((1, 1, height, width), value) * known, known)
    torch.testing.assert_close(filled, torch.full_like(filled, value), atol=1e-4, rtol=0)


def test_filling_keeps_known_pixels() -> None:
    image = torch.rand(1, 1, 64, 64)
    known = (torch.rand(1, 1, 64, 64) > 0.7).float()
    torch.testing.assert_close(fill_unknown(image * known, known)[known > 0], image[known > 0])


def test_a_slope_goes_on_through_a_hole() -> None:
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 2, 64), indexing="ij")
    image = (rows + columns)[None, None]
    known = torch.ones_like(image)
    known[..., 20:44, 24:40] = 0
    torch.testing.assert_close(fill_unknown(image * known, known), image, atol=0.02, rtol=0)


def test_nothing_known_is_filled_with_nothing() -> None:
    blank = torch.zeros(1, 1, 32, 32)
    assert torch.equal(fill_unknown(blank, blank), blank)


def test_a_flat_image_of_block_means_is_refined_to_a_flat_image() -> None:
    observation = observe_block_means(torch.full((1, 1, 8, 8), 0.3), 3, 24, 24, torch.zeros(1, 1))
    torch.testing.assert_close(observation.estimate, torch.full((1, 1, 24, 24), 0.3))


def test_the_condition_tells_factor_and_noise() -> None:
    means = observe_block_means(torch.zeros(1, 1, 8, 8), 4, 32, 32, torch.zeros(1, 1))
    assert means.condition.tolist() == [[2.0, 0.0, 0.0]]
    assert observe_nothing(torch.zeros(1, 1, 8, 8)).condition.tolist() == [[0.0, 0.0, 0.0]]
