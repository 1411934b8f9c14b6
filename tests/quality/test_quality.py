from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest

import napari_vaegan as nv
from napari_vaegan.images.collection import Plane, collect_images
from napari_vaegan.quality import measure
from napari_vaegan.quality.halves import halve
from napari_vaegan.quality.measure import LONGEST_SECONDS, PICTURE_BYTES, measure_quality, seconds_for
from napari_vaegan.training.events import Finished, Measuring

KINDS = ["inpaint", "super-resolve ×2", "super-resolve ×3", "super-resolve ×4", "denoise"]


@pytest.fixture(scope="module")
def planes(textured_images) -> tuple[Plane, ...]:
    return collect_images(textured_images).planes


@pytest.fixture
def many_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure on as many patches as there is time for."""
    monkeypatch.setattr(measure, "MOST_ROUNDS", 32)


def test_a_trained_model_was_measured_in_every_kind(tiny_model):
    quality = tiny_model.header.quality
    assert quality is not None
    assert [one.kind for one in quality.kinds] == KINDS
    for one in quality.kinds:
        assert one.lead == pytest.approx(one.mean_psnr - one.classical_psnr)
        assert 5 < one.mean_psnr < 60
        assert 0 < one.observed[0] <= one.observed[-1] <= 1
        assert one.widths == sorted(one.widths)


def test_the_record_is_small_and_holds_pictures_of_every_kind(tiny_model):
    quality = tiny_model.header.quality
    assert len(quality.model_dump_json()) < PICTURE_BYTES + 20_000
    assert {one.kind for one in quality.pictures} == set(KINDS)
    assert len(quality.generated) == 4
    json.loads(quality.model_dump_json())


def test_colour_and_fewer_tasks_are_measured(tiny_rgb_model):
    quality = tiny_rgb_model.header.quality
    assert [one.kind for one in quality.kinds] == KINDS[1:]
    assert quality.generated == []


@pytest.mark.usefixtures("many_rounds")
def test_more_time_measures_more_patches_and_keeps_to_it(tiny_model, planes):
    begin = time.perf_counter()
    quality = measure_quality(tiny_model, planes, 4.0)
    assert time.perf_counter() - begin < 15
    assert quality.halves == "images"
    assert quality.kinds[0].patches >= tiny_model.header.quality.kinds[0].patches


@pytest.mark.usefixtures("many_rounds")
def test_a_stop_gives_up_within_a_second(tiny_model, planes):
    begin = time.perf_counter()
    assert measure_quality(tiny_model, planes, 60.0, stop=lambda: time.perf_counter() > begin + 0.7) is None
    assert time.perf_counter() - begin < 1.7


def test_a_training_stopped_while_it_is_measured_leaves_the_model_without_quality(textured_images, tmp_path):
    events = []
    model = nv.train(
        textured_images,
        nv.TrainingConfig(preset="tiny", steps=3, patch_size=32, batch_size=4, device="cpu", precision="float32"),
        on_event=events.append,
        stop=lambda: any(isinstance(event, Measuring) for event in events),
        checkpoint=tmp_path / "a.checkpoint",
    )
    assert model.header.quality is None
    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert not finished.stopped
    assert nv.load(model.save(tmp_path / "a.vaegan")).header.quality is None


def test_halves_share_no_pixel(planes):
    first, second, halves = halve(planes)
    assert halves == "images"
    assert not {plane.source for plane in first} & {plane.source for plane in second}
    one = planes[0]
    (left,), (right,), halves = halve([one])
    assert halves == "parts"
    np.testing.assert_array_equal(np.concatenate([left.pixels, right.pixels]), one.pixels)
    small = replace(one, pixels=one.pixels[:40, :40])
    assert halve([small])[2] == "patches"


def test_the_time_for_measuring_is_a_small_share_of_the_training():
    assert seconds_for(1) == measure.SHORTEST_SECONDS
    assert seconds_for(300) == pytest.approx(9)
    assert seconds_for(1e6) == LONGEST_SECONDS
