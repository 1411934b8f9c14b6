"""Large images: tiled as if they were whole."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import given
from hypothesis import strategies as st

import napari_vaegan as nv
from napari_vaegan.restoration.latent_noise import placed_noise
from napari_vaegan.restoration.tiles import plan_tiles


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_tiles_cover_every_pixel_once_within_their_windows(height: int, width: int) -> None:
    tiles = plan_tiles(height, width)
    count = np.zeros((height, width), np.uint8)
    for tile in tiles:
        count[tile.kept] += 1
        for kept, window in zip(tile.kept, tile.window, strict=True):
            assert window.start <= kept.start < kept.stop <= window.stop
            assert window.start % 96 == 0
    assert (count == 1).all()


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3))
def test_latent_noise_belongs_to_its_place(row: int, column: int, level: int) -> None:
    strides = [32, 16, 8, 4]
    size = 256 // strides[level]
    whole = placed_noise(7, 0, range(2), strides, 0, 0)(level, torch.empty(2, 6, size, size))
    part = placed_noise(7, 0, range(2), strides, 32 * row, 32 * column)(level, torch.empty(2, 6, 3, 3))
    top, left = 32 * row // strides[level], 32 * column // strides[level]
    expected = whole[..., top : top + 3, left : left + 3]
    assert torch.equal(part[..., : expected.shape[-2], : expected.shape[-1]], expected)


def test_latent_noise_is_normal_and_differs_between_samples_levels_planes_and_seeds() -> None:
    like = torch.empty(1, 8, 64, 64)
    draws = [
        placed_noise(seed, plane, range(sample, sample + 1), [32, 16], 0, 0)(level, like)
        for seed, plane, sample, level in [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    ]
    for draw in draws:
        assert abs(draw.mean()) < 0.02
        assert abs(draw.std() - 1) < 0.02
    for first in range(5):
        for second in range(first):
            assert abs((draws[first] * draws[second]).mean()) < 0.02


@pytest.mark.parametrize("task", ["inpaint", "super_resolve", "denoise"])
def test_a_tiled_image_is_the_untiled_one(tiny_model: nv.Model, task: str) -> None:
    image = skimage.data.cell()[:400, :360]
    image = image[::3, ::3] if task == "super_resolve" else image
    mask = np.random.default_rng(0).uniform(size=image.shape) < 0.3
    arguments = {"inpaint": (mask,), "super_resolve": (3,), "denoise": ()}[task]
    engine = tiny_model.engine
    whole = getattr(tiny_model, task)(image, *arguments, samples=2)
    try:
        engine.tile, engine.halo = 96, 96
        tiled = getattr(tiny_model, task)(image, *arguments, samples=2)
    finally:
        engine.tile, engine.halo = 960, 192
    assert whole.report["tiles"] == 1
    assert tiled.report["tiles"] > 4
    span = float(np.ptp(image))
    assert np.abs(tiled.mean - whole.mean).max() < 1e-3 * span
    assert np.abs(tiled.samples - whole.samples).max() < 1e-3 * span


def test_generation_beyond_the_patch_has_no_seams(tiny_model: nv.Model) -> None:
    engine = tiny_model.engine
    whole = tiny_model.generate(1, (300, 300), seed=3)
    try:
        engine.tile, engine.halo = 96, 96
        tiled = tiny_model.generate(1, (300, 300), seed=3)
    finally:
        engine.tile, engine.halo = 960, 192
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_short_memory_halves_the_tile_and_goes_on(tiny_model: nv.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    image = skimage.data.cell()[:400, :360]
    expected = tiny_model.denoise(image, samples=0)
    engine, see = tiny_model.engine, tiny_model.engine.networks.see

    def short_of_memory(estimate: torch.Tensor, *rest: torch.Tensor) -> list[torch.Tensor]:
        if estimate.shape[-1] > 320:
            raise torch.OutOfMemoryError("out of memory")
        return see(estimate, *rest)

    monkeypatch.setattr(engine.networks, "see", short_of_memory)
    monkeypatch.setattr(engine, "halo", 96)
    monkeypatch.setattr(engine, "tile", 384)
    result = tiny_model.denoise(image, samples=0)
    assert result.report["tiles"] > 1
    assert any("Memory was short" in warning for warning in result.report["warnings"])
    assert engine.tile == 384
    assert np.abs(result.mean - expected.mean).max() < 0.3
