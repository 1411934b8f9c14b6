from __future__ import annotations

import json
from pathlib import Path

import dask.array
import imageio.v3 as imageio
import numpy as np
import pytest
import skimage.data
import tifffile
import zarr

from napari_vaegan.errors import DataError
from napari_vaegan.images.collection import Collection, collect_images, split


def noise(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 200, shape).astype(dtype)


def reason(collection: Collection, name: str) -> str:
    return next(item.reason for item in collection.skipped if item.name == name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deeper").mkdir()
    imageio.imwrite(tmp_path / "camera.png", skimage.data.camera()[:100, :90])
    imageio.imwrite(tmp_path / "deeper" / "coins.png", skimage.data.coins()[:50, :60])
    tifffile.imwrite(tmp_path / "stack.tif", noise(5, 20, 21, dtype="uint16"), metadata={"axes": "ZYX"})
    return tmp_path


def test_a_folder_and_its_sub_folders_are_collected(folder: Path) -> None:
    collection = collect_images(folder)
    assert [plane.name for plane in collection.planes] == [
        "camera.png",
        "deeper/coins.png",
        *(f"stack.tif Z={z}" for z in range(5)),
    ]
    assert [plane.source for plane in collection.planes] == [0, 1, 2, 2, 2, 2, 2]


def test_mixed_sizes_and_bit_depths_work_and_are_noted(folder: Path) -> None:
    collection = collect_images(folder)
    assert collection.dtype == np.uint16
    assert any("Bit depths are mixed" in note for note in collection.notes)
    assert not collection.skipped


def test_planes_of_a_stack_share_one_scale(folder: Path) -> None:
    assert len({id(plane.scaling) for plane in collect_images(folder / "stack.tif").planes}) == 1


def test_a_list_of_files_and_folders_is_collected(folder: Path) -> None:
    collection = collect_images([folder / "camera.png", str(folder / "deeper")])
    assert [plane.name for plane in collection.planes] == ["camera.png", "coins.png"]


def test_the_summary_is_json(folder: Path) -> None:
    (folder / "notes.txt").write_text("notes")
    summary = json.loads(json.dumps(collect_images(folder).summary()))
    assert (summary["images"], summary["planes"], summary["skipped"]) == (3, 7, 1)
    assert summary["dtypes"] == {"uint8": 2, "uint16": 5}
    assert (summary["smallest"], summary["largest"]) == ([20, 21], [100, 90])


def test_an_array_is_collected_with_a_stated_guess() -> None:
    collection = collect_images(noise(4, 20, 21))
    assert len(collection.planes) == 4
    assert any('taken as "TYX"' in note for note in collection.notes)


def test_the_guess_can_be_overridden() -> None:
    collection = collect_images(noise(4, 20, 21), axes="CYX")
    assert (collection.channels, len(collection.planes), collection.notes) == (4, 1, ())


def test_a_list_of_arrays_is_a_list_of_images() -> None:
    collection = collect_images([noise(20, 21), noise(30, 31)])
    assert [plane.source for plane in collection.planes] == [0, 1]


def test_colour_is_seen() -> None:
    collection = collect_images([skimage.data.astronaut()[:50, :50], skimage.data.coffee()[:50, :50]])
    assert (collection.colour, collection.channels) == (True, 3)


def test_an_array_of_grey_stored_as_rgba_is_grey() -> None:
    grey = noise(20, 21)
    collection = collect_images(np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1))
    np.testing.assert_array_equal(collection.planes[0].pixels[..., 0], grey)


def test_booleans_are_bytes_and_bytes_are_in_native_order() -> None:
    collection = collect_images([noise(20, 21) > 50, noise(20, 21).astype(">u2")])
    assert [plane.pixels.dtype.str[1:] for plane in collection.planes] == ["u1", "u2"]
    assert all(plane.pixels.dtype.isnative for plane in collection.planes)


@pytest.mark.parametrize("lazy", [dask.array.from_array, zarr.array])
def test_lazy_arrays_are_collected(lazy: object) -> None:
    stack = noise(4, 20, 21)
    collection = collect_images(lazy(stack))  # type: ignore[operator]
    np.testing.assert_array_equal(np.stack([plane.pixels for plane in collection.planes])[..., 0], stack)


def test_a_lazy_array_that_is_too_large_is_read_only_where_it_is_kept() -> None:
    read = []

    def load(block_info: dict) -> np.ndarray:
        read.append(block_info[None]["chunk-location"][0])
        return noise(1, 20, 21)

    stack = dask.array.map_blocks(load, dtype="uint8", chunks=((1,) * 40, 20, 21), meta=np.empty((0, 0, 0), "u1"))
    collection = collect_images(stack, memory_limit_bytes=10 * 20 * 21)
    assert sorted(set(read)) == list(range(0, 40, 4))
    assert [plane.name for plane in collection.planes] == [f"array T={t}" for t in range(0, 40, 4)]
    assert any("10 evenly spaced planes of 40" in note for note in collection.notes)


def test_files_that_are_too_many_are_thinned_evenly(tmp_path: Path) -> None:
    for i in range(20):
        tifffile.imwrite(tmp_path / f"{i:02}.tif", noise(20, 21))
    collection = collect_images(tmp_path, memory_limit_bytes=6 * 20 * 21)
    assert [plane.name for plane in collection.planes] == [f"{i:02}.tif" for i in range(0, 20, 4)]
    assert any("5 evenly spaced planes of 20" in note for note in collection.notes)


def test_a_text_file_named_png_is_skipped_with_its_reason(folder: Path) -> None:
    (folder / "notes.png").write_text("not an image")
    assert "is not a TIFF, PNG or JPEG image" in reason(collect_images(folder), "notes.png")


def test_a_file_of_another_kind_is_skipped_with_its_reason(folder: Path) -> None:
    (folder / "raw.czi").write_bytes(b"ZISRAWFILE")
    assert "is not a TIFF, PNG or JPEG file" in reason(collect_images(folder), "raw.czi")


def test_a_truncated_tiff_is_skipped_with_its_reason(folder: Path) -> None:
    content = (folder / "stack.tif").read_bytes()
    (folder / "cut.tif").write_bytes(content[: len(content) // 2])
    assert "cut.tif" in reason(collect_images(folder), "cut.tif")


def test_hidden_files_are_not_even_listed(folder: Path) -> None:
    (folder / ".DS_Store").write_text("hidden")
    assert not collect_images(folder).skipped


def test_a_bad_frame_of_a_stack_is_all_that_is_lost() -> None:
    stack = noise(4, 20, 21, dtype="float32")
    stack[1, :3, :4] = np.nan
    stack[2] = 7
    collection = collect_images(stack)
    assert [plane.name for plane in collection.planes] == ["array T=0", "array T=3"]
    assert reason(collection, "array T=1") == "has 12 NaN pixels"
    assert reason(collection, "array T=2") == "is constant: every pixel is 7.0"


def test_infinity_is_skipped_by_name() -> None:
    bad = noise(20, 21, dtype="float32")
    bad[3, 4] = np.inf
    assert reason(collect_images([noise(20, 21), bad]), "array 1") == "has 1 infinite pixel"


@pytest.mark.parametrize("shape", [(1, 1), (7, 30), (30, 7)])
def test_tiny_images_are_skipped_with_their_size(shape: tuple[int, int]) -> None:
    collection = collect_images([noise(20, 21), noise(*shape)])
    assert reason(collection, "array 1") == f"is {shape[0]} by {shape[1]} pixels, smaller than 8 by 8"


def test_an_image_of_8_by_8_is_used() -> None:
    assert len(collect_images(noise(8, 8)).planes) == 1


def test_images_with_other_channels_than_most_are_skipped() -> None:
    collection = collect_images([noise(20, 21), noise(20, 22), noise(20, 20, 3)])
    assert collection.channels == 1
    assert reason(collection, "array 2") == "has 3 channels, not 1"


def test_channels_without_a_majority_are_refused_with_their_counts() -> None:
    with pytest.raises(DataError, match=r"\(1 with 1, 1 with 3\): set channels="):
        collect_images([noise(20, 21), noise(20, 20, 3)])


def test_channels_can_be_chosen() -> None:
    collection = collect_images([noise(20, 21), noise(20, 20, 3)], channels=3)
    assert (collection.channels, len(collection.planes)) == (3, 1)


def test_channels_that_no_image_has_are_refused() -> None:
    with pytest.raises(DataError, match="has 1 channel, not 5"):
        collect_images(noise(20, 21), channels=5)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path.name} is empty"):
        collect_images(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none does not exist"):
        collect_images(tmp_path / "none")


def test_a_folder_of_only_unreadable_files_is_named_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("not an image")
    with pytest.raises(DataError, match=rf"{tmp_path.name} can be used \(a\.png: .*not a TIFF"):
        collect_images(tmp_path)


def test_a_constant_image_alone_is_refused() -> None:
    with pytest.raises(DataError, match="every pixel is 0"):
        collect_images(np.zeros((20, 20)))


@pytest.mark.parametrize(
    ("source", "words"),
    [([], "empty"), (7, "from a int"), (None, "from a NoneType"), (np.zeros((9, 9), complex), "complex128")],
)
def test_what_holds_no_images_is_refused(source: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        collect_images(source)


def test_axes_that_fit_no_image_are_refused() -> None:
    with pytest.raises(DataError, match="2 letters"):
        collect_images(noise(4, 20, 21), axes="YX")


def test_validation_images_are_held_apart_by_image(folder: Path) -> None:
    parts = split(collect_images(folder))
    assert len({plane.source for plane in parts.validation}) == 1
    assert not {plane.source for plane in parts.validation} & {plane.source for plane in parts.training}


def test_the_same_seed_holds_the_same_images_apart() -> None:
    collection = collect_images([noise(20, 20 + i) for i in range(30)])
    chosen = [{plane.source for plane in split(collection, seed=seed).validation} for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(chosen[0]) == 3


def test_of_a_single_stack_the_last_planes_validate() -> None:
    parts = split(collect_images(noise(20, 30, 31)))
    assert [plane.name for plane in parts.validation] == ["array T=18", "array T=19"]
    assert len(parts.training) == 18


def test_of_a_single_image_the_last_quarter_validates() -> None:
    image = noise(40, 100)
    parts = split(collect_images(image))
    np.testing.assert_array_equal(parts.training[0].pixels[..., 0], image[:, :75])
    np.testing.assert_array_equal(parts.validation[0].pixels[..., 0], image[:, 75:])


def test_a_single_tiny_image_serves_for_both_and_says_so() -> None:
    parts = split(collect_images(noise(20, 21)))
    assert parts.training == parts.validation
    assert "too small" in parts.notes[0]
