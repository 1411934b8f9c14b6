"""The dial from least error to one possible truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skimage.data

import napari_vaegan as nv

CELL = skimage.data.cell()[250:298, 150:210]
MASK = np.zeros(CELL.shape, bool)
MASK[8:30, 10:40] = True

RESTORE: dict[str, Callable[..., nv.Restoration]] = {
    "inpaint": lambda model, **settings: model.inpaint(CELL, MASK, **settings),
    "super-resolve": lambda model, **settings: model.super_resolve(CELL, 2, **settings),
    "denoise": lambda model, **settings: model.denoise(CELL, **settings),
}
every_task = pytest.mark.parametrize("restore", RESTORE.values(), ids=RESTORE.keys())


@every_task
def test_realism_is_of_the_image_alone_and_said_in_the_report(tiny_model: nv.Model, restore: Callable[..., Any]) -> None:
    best, dialled = restore(tiny_model, samples=2), restore(tiny_model, samples=2, realism=0.6)
    for name in ("mean", "samples", "std"):
        assert np.array_equal(getattr(dialled, name), getattr(best, name))
    assert np.array_equal(dialled.interval(0.5), best.interval(0.5))
    assert np.array_equal(dialled.image, best.blend(0.6))
    assert not np.array_equal(dialled.image, best.image)
    assert (best.report["realism"], best.report["image"]) == (0, "best estimate: least error")
    assert dialled.report["realism"] == 0.6
    assert "60% of the way" in dialled.report["image"]
    assert "partly invented" in dialled.report["image"]


def test_what_was_observed_holds_whatever_the_realism(tiny_model: nv.Model) -> None:
    assert np.array_equal(RESTORE["inpaint"](tiny_model, realism=1).image[~MASK], CELL[~MASK])
    finer = RESTORE["super-resolve"](tiny_model, realism=0.7).image
    assert np.array_equal(finer.reshape(48, 2, 60, 2).mean((1, 3)), CELL)


def test_the_error_grows_with_the_realism(tiny_model: nv.Model) -> None:
    truth = skimage.data.cell()[200:328, 100:228]
    low = np.rint(truth.reshape(64, 2, 64, 2).mean((1, 3))).astype(np.uint8)
    noisy = np.clip(np.random.default_rng(0).normal(truth, 10), 0, 255).astype(np.uint8)
    for result in (tiny_model.super_resolve(low, 2, samples=1), tiny_model.denoise(noisy, samples=1)):
        errors = [np.square(result.blend(realism) - truth.astype(float)).mean() for realism in (0, 0.3, 0.6, 1)]
        assert errors == sorted(errors)


@every_task
def test_one_sample_is_drawn_where_realism_needs_it(tiny_model: nv.Model, restore: Callable[..., Any]) -> None:
    assert len(restore(tiny_model, samples=0).samples) == 0
    assert len(restore(tiny_model, samples=0, realism=0.1).samples) == 1


def test_the_dial_can_be_turned_afterwards_and_back(tiny_model: nv.Model) -> None:
    best = tiny_model.denoise(CELL, samples=2)
    real = best.with_realism(1, sample=1)
    assert np.array_equal(real.image, best.blend(1, 1))
    assert "sample 2" in real.report["image"]
    again = real.with_realism(0)
    assert np.array_equal(again.image, best.image)
    assert again.report == best.report
    assert np.array_equal(real.blend(0), best.image)


def test_clipped_pixels_are_those_of_the_image(tiny_model: nv.Model) -> None:
    dark = tiny_model.denoise(np.zeros_like(CELL) + (CELL > 150), samples=1)
    assert dark.with_realism(1).report["clipped_pixels"] == np.count_nonzero(dark.samples[0] < -0.5)


@every_task
@pytest.mark.parametrize("realism", [2, -1, float("nan")])
def test_a_realism_that_does_not_exist_is_refused_in_a_sentence(
    tiny_model: nv.Model, restore: Callable[..., Any], realism: float
) -> None:
    with pytest.raises(nv.SettingError, match=rf"between 0 \(least error\) and 1 \(one possible truth\), not {realism}"):
        restore(tiny_model, realism=realism)
