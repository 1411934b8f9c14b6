"""Which of two validated weights are kept."""

from __future__ import annotations

import math

import pytest

from napari_vaegan.training.best import RESTORATION_WORTH, SCORE_TOLERANCE, Best

LITTLE = 1e-6


def best(score: float, healthy: bool) -> Best:
    return Best(score, step=1, weights={}, psnr={}, calibration={}, healthy=healthy)


@pytest.mark.parametrize(
    ("kept", "later", "yields"),
    [
        ((1.0, True), (1.0, True), True),
        ((1.0, True), (1.0 - SCORE_TOLERANCE + LITTLE, True), True),
        ((1.0, True), (1.0 - SCORE_TOLERANCE - LITTLE, True), False),
        ((1.0, False), (1.0 - RESTORATION_WORTH + LITTLE, True), True),
        ((1.0, False), (1.0 - RESTORATION_WORTH - LITTLE, True), False),
        ((1.0, True), (1.0 + RESTORATION_WORTH - LITTLE, False), False),
        ((1.0, True), (1.0 + RESTORATION_WORTH + LITTLE, False), True),
        ((-math.inf, True), (-math.inf, False), True),
    ],
)
def test_later_weights_are_kept_if_they_restore_about_as_well_and_healthy_ones_before_others(
    kept: tuple[float, bool], later: tuple[float, bool], yields: bool
) -> None:
    assert best(*kept).yields_to(*later, highest=max(kept[0], later[0])) is yields


def test_small_losses_do_not_add_up_to_a_large_one() -> None:
    highest = kept = 1.0
    for _ in range(20):
        later = kept - 0.4 * SCORE_TOLERANCE
        kept = later if best(kept, True).yields_to(later, True, highest) else kept
    assert kept >= highest - SCORE_TOLERANCE
