"""Rounding to integers so that block means survive it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_vaegan.restoration.rounding import round_keeping_block_means, round_to


@given(
    st.sampled_from([2, 3, 4]),
    st.sampled_from([np.uint8, np.int16, np.uint16]),
    st.floats(0, 400),
    st.integers(0, 999),
)
def test_block_means_survive_rounding_also_at_the_limits_of_the_dtype(
    factor: int, dtype: type, spread: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    limits = np.iinfo(dtype)
    low = random.choice([limits.min, limits.min + 1, 0, 100, limits.max - 1, limits.max], (5, 4, 2)).astype(dtype)
    guess = np.repeat(np.repeat(low.astype(float), factor, 0), factor, 1)
    rounded = round_keeping_block_means(guess + random.normal(0, spread + 1e-9, guess.shape), low, factor, np.dtype(dtype))
    means = rounded.astype(float).reshape(5, factor, 4, factor, 2).mean((1, 3))
    assert rounded.dtype == dtype
    assert np.array_equal(means, low)


def test_values_that_fit_move_by_less_than_one() -> None:
    random = np.random.default_rng(0)
    values = random.uniform(20, 200, (32, 32, 1))
    low = np.rint(values.reshape(16, 2, 16, 2, 1).mean((1, 3)))
    exact = values + np.repeat(np.repeat(low - values.reshape(16, 2, 16, 2, 1).mean((1, 3)), 2, 0), 2, 1)
    assert np.abs(round_keeping_block_means(values, low, 2, np.dtype(np.uint8)) - exact).max() < 1 + 1e-9


def test_plain_rounding_clips_at_the_dtype() -> None:
    assert round_to(np.array([-3.0, 1.5, 2.5, 300.0]), np.dtype(np.uint8)).tolist() == [0, 2, 2, 255]
    assert round_to(np.array([-3.2]), np.dtype(np.float32)).dtype == np.float32
