"""Images that are larger than memory, or are read while they are restored."""

from __future__ import annotations

from typing import Any

import dask.array
import numpy as np
import pytest
import skimage.data
import zarr

import napari_vaegan as nv
from napari_vaegan.restoration.denoise import FITTED_PLANES

TASKS: list[tuple[str, dict[str, Any]]] = [
    ("denoise", {}),
    ("super_resolve", {"factor": 2}),
    ("inpaint", {"mask": np.eye(16, dtype=bool)}),
]
every_task = pytest.mark.parametrize(("task", "settings"), TASKS, ids=[task for task, _ in TASKS])


def stack(times: int, depth: int) -> np.ndarray:
    crop = skimage.data.cell()[250:266, 150:166].astype(np.uint16)
    return np.stack([[crop * (1 + t) + z for z in range(depth)] for t in range(times)])


def watched(pixels: np.ndarray, reads: list[tuple[int, ...]]) -> Any:
    """Return a lazy array (T, Z, Y, X) in chunks of a plane, and list which planes are read."""

    def read(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        reads.append(block_info[0]["chunk-location"][:2])
        return block

    lazy = dask.array.from_array(pixels, chunks=(1, 1, 16, 16))
    return lazy.map_blocks(read, dtype=pixels.dtype, meta=np.empty((0, 0, 0, 0), pixels.dtype))


@every_task
def test_planes_are_read_one_by_one_once_for_the_scale_and_once_to_be_restored(
    tiny_model: nv.Model, task: str, settings: dict[str, Any]
) -> None:
    pixels, reads = stack(2, 3), []
    result = getattr(tiny_model, task)(watched(pixels, reads), samples=1, axes="TZYX", **settings)
    for_the_law = [(t, z) for t in range(2) for z in range(3)] if task == "denoise" else []
    assert reads == for_the_law + 2 * [(t, z) for t in range(2) for z in range(3)]
    expected = getattr(tiny_model, task)(pixels, samples=1, axes="TZYX", **settings)
    for name in ("image", "mean", "std", "samples"):
        assert np.array_equal(getattr(result, name), getattr(expected, name))


@every_task
def test_of_a_long_stack_64_planes_tell_the_scale(tiny_model: nv.Model, task: str, settings: dict[str, Any]) -> None:
    reads: list[tuple[int, ...]] = []
    getattr(tiny_model, task)(watched(stack(1, 70), reads), samples=0, axes="TZYX", **settings)
    assert len(reads) == 64 + 70 + (FITTED_PLANES if task == "denoise" else 0)


def test_a_blend_reads_nothing_anew(tiny_model: nv.Model) -> None:
    reads: list[tuple[int, ...]] = []
    result = tiny_model.super_resolve(watched(stack(1, 2), reads), 2, samples=1, axes="TZYX")
    reads.clear()
    result.blend(0.5)
    assert not reads


def test_a_zarr_array_is_restored(tiny_model: nv.Model) -> None:
    pixels = stack(2, 2)
    restored = tiny_model.denoise(zarr.array(pixels, chunks=(1, 1, 16, 16)), samples=0).image
    assert np.array_equal(restored, tiny_model.denoise(pixels, samples=0).image)


@every_task
def test_an_image_larger_than_memory_is_refused_before_anything_is_read(
    tiny_model: nv.Model, task: str, settings: dict[str, Any]
) -> None:
    def read(block: np.ndarray) -> np.ndarray:
        raise AssertionError("was read")

    empty = np.empty((0, 0, 0), np.uint16)
    huge = dask.array.zeros((1_000_000, 16_384, 16_384), chunks=(1, 16_384, 16_384), dtype=np.uint16)
    huge = huge.map_blocks(read, dtype=huge.dtype, meta=empty)
    settings = {"mask": huge > 0} if task == "inpaint" else settings
    with pytest.raises(
        nv.SettingError, match=r"needs about .* GB .* available: draw fewer samples, restore it plane by plane"
    ):
        getattr(tiny_model, task)(huge, samples=4, **settings)
    with pytest.raises(nv.SettingError, match="available: restore it plane by plane"):
        getattr(tiny_model, task)(huge, samples=0, **settings)
    with pytest.raises(nv.SettingError, match="available: draw fewer samples, crop it"):
        getattr(tiny_model, task)(dask.array.zeros((10**7, 10**7), dtype=np.uint8), samples=4, **settings)


def test_an_image_without_planes_is_refused(tiny_model: nv.Model) -> None:
    with pytest.raises(nv.ShapeError, match="has no planes"):
        tiny_model.denoise(np.zeros((0, 32, 32), np.uint8), axes="TYX")
