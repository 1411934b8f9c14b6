from __future__ import annotations

import dask.array
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from napari_vaegan.errors import ShapeError
from napari_vaegan.images.axes import check_axes, guess_axes, to_planes


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((40, 50), "YX"),
        ((40, 50, 3), "YXC"),
        ((40, 50, 4), "YXC"),
        ((8, 8, 3), "YXC"),
        ((7, 40, 50), "TYX"),
        ((7, 40, 50, 3), "TYXC"),
        ((7, 5, 40, 50), "TZYX"),
        ((7, 5, 2, 40, 50), "TZCYX"),
    ],
)
def test_axes_without_metadata_are_guessed_from_the_shape(shape: tuple[int, ...], axes: str) -> None:
    assert guess_axes(shape) == axes


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 40, 50), "CYX"),
        ((40, 50, 2), "YXC"),
        ((2, 9, 40, 50), "CTYX"),
        ((9, 2, 40, 50), "TCYX"),
        ((2, 5, 2, 40, 50), "TZCYX"),
        ((7, 40, 50), "TYX"),
    ],
)
def test_a_dimension_as_long_as_the_models_channels_is_the_channel_axis(shape: tuple[int, ...], axes: str) -> None:
    assert guess_axes(shape, channels=2) == axes


@pytest.mark.parametrize("shape", [(), (5,), (1, 1, 1, 1, 8, 8)])
def test_an_array_that_cannot_be_an_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="2 to 5 dimensions"):
        guess_axes(shape)


def test_colour_samples_are_channels() -> None:
    assert check_axes("yxs", (8, 8, 3)) == "YXC"


@pytest.mark.parametrize(
    ("axes", "reason"),
    [("QYX", "letter"), ("YYX", "more than once"), ("YX", "2 letters"), ("TZX", "lack Y"), ("TZY", "lack X")],
)
def test_axes_that_cannot_be_are_refused(axes: str, reason: str) -> None:
    with pytest.raises(ShapeError, match=reason):
        check_axes(axes, (4, 8, 8))


@st.composite
def images(draw: st.DrawFn) -> tuple[np.ndarray, str]:
    letters = "YX" + "".join(draw(st.lists(st.sampled_from("TZC"), unique=True)))
    axes = "".join(draw(st.permutations(letters)))
    shape = [draw(st.integers(1, 4)) for _ in axes]
    return np.arange(np.prod(shape)).reshape(shape), axes


@given(images())
def test_planes_go_back_to_the_same_image_in_any_order_of_axes(image: tuple[np.ndarray, str]) -> None:
    array, axes = image
    planes, layout = to_planes(array, axes)
    assert planes.ndim == 4
    assert planes.shape[1:3] == (array.shape[axes.index("Y")], array.shape[axes.index("X")])
    np.testing.assert_array_equal(layout.restore(planes), array)


@given(images())
def test_enlarged_planes_go_back_to_an_enlarged_image(image: tuple[np.ndarray, str]) -> None:
    array, axes = image
    planes, layout = to_planes(array, axes)
    enlarged = array
    for letter in "YX":
        enlarged = enlarged.repeat(2, axis=axes.index(letter))
    np.testing.assert_array_equal(layout.restore(planes.repeat(2, axis=1).repeat(2, axis=2)), enlarged)


def test_a_dask_array_stays_lazy() -> None:
    array = np.random.default_rng(0).random((3, 2, 8, 9))
    planes, _ = to_planes(dask.array.from_array(array, chunks=(1, 2, 8, 9)), "TCYX")
    assert isinstance(planes, dask.array.Array)
    np.testing.assert_array_equal(planes[1], array[1].transpose(1, 2, 0))


def test_a_zarr_array_is_taken_apart_lazily() -> None:
    array = np.random.default_rng(0).random((3, 8, 9))
    planes, _ = to_planes(zarr.array(array), "TYX")
    assert isinstance(planes, dask.array.Array)
    np.testing.assert_array_equal(planes[2, ..., 0], array[2])


def test_planes_that_are_too_few_do_not_go_back() -> None:
    planes, layout = to_planes(np.zeros((3, 8, 8)), "TYX")
    with pytest.raises(ShapeError, match="as many as there were"):
        layout.restore(planes[:2])


def test_channels_without_an_axis_do_not_go_back() -> None:
    planes, layout = to_planes(np.zeros((3, 8, 8)), "TYX")
    with pytest.raises(ShapeError, match="channel axis"):
        layout.restore(planes.repeat(2, axis=-1))


def test_a_plane_is_named_by_its_place() -> None:
    _, layout = to_planes(np.zeros((3, 2, 8, 8)), "TZYX")
    assert layout.label(3) == "T=1 Z=1"
