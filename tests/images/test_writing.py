from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_vaegan.errors import OutputError
from napari_vaegan.images.atomic import atomic_write
from napari_vaegan.images.image import Image
from napari_vaegan.images.note import read_note
from napari_vaegan.images.reading import read_image
from napari_vaegan.images.writing import write_image

CALIBRATED = Image(
    np.zeros((2, 3, 8, 9), np.uint16),
    "ZCYX",
    False,
    "source",
    pixel_size={"Y": 0.5, "X": 0.25, "Z": 2.0},
    unit={"Y": "µm", "X": "µm", "Z": "µm"},
    channel_names=("a", "b", "c"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    axes=st.sampled_from(["YX", "XY", "TYX", "ZYX", "CYX", "YXC", "TYXC", "CTYX", "ZTYX", "TZCYX", "YXZCT"]),
    dtype=st.sampled_from(["uint8", "uint16", "uint32", "int16", "float32", "float64"]),
    name=st.sampled_from(["a.tif", "a.ome.tif"]),
    channels=st.integers(2, 4),
)
def test_what_is_written_is_read_back(tmp_path: Path, axes: str, dtype: str, name: str, channels: int) -> None:
    lengths = {"T": 2, "Z": 5, "C": channels, "Y": 12, "X": 13}
    shape = [lengths[letter] for letter in axes]
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    write_image(tmp_path / name, array, axes, overwrite=True)
    back = read_image(tmp_path / name)
    assert back.pixels.dtype == array.dtype
    assert sorted(back.axes) == sorted(axes)
    np.testing.assert_array_equal(back.pixels, array.transpose([axes.index(letter) for letter in back.axes]))


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_pixel_size_and_units_are_kept(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, CALIBRATED.pixels, "ZCYX", like=CALIBRATED)
    back = read_image(tmp_path / name)
    assert back.pixel_size == pytest.approx(CALIBRATED.pixel_size)
    assert back.unit == CALIBRATED.unit
    assert back.axes == "ZCYX"


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_channel_names_are_kept(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, CALIBRATED.pixels, "ZCYX", like=CALIBRATED)
    assert read_image(tmp_path / name).channel_names == ("a", "b", "c")


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_magnified_pixels_are_smaller(tmp_path: Path, name: str) -> None:
    write_image(
        tmp_path / name,
        CALIBRATED.pixels.repeat(2, -1).repeat(2, -2),
        "ZCYX",
        like=CALIBRATED,
        magnification=2,
    )
    assert read_image(tmp_path / name).pixel_size == pytest.approx({"Y": 0.25, "X": 0.125, "Z": 2.0})


@pytest.mark.parametrize(("dtype", "axes", "shape"), [("uint8", "YX", (8, 9)), ("uint16", "YX", (8, 9))])
def test_png_holds_grey_exactly(tmp_path: Path, dtype: str, axes: str, shape: tuple[int, ...]) -> None:
    array = np.arange(72).reshape(shape).astype(dtype)
    write_image(tmp_path / "a.png", array, axes)
    back = read_image(tmp_path / "a.png").pixels
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_png_holds_8_bit_colour_exactly(tmp_path: Path) -> None:
    array = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    write_image(tmp_path / "a.png", array, "YXC")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, array)


@pytest.mark.parametrize(
    ("dtype", "axes", "shape"),
    [("float32", "YX", (8, 9)), ("uint8", "TYX", (2, 8, 9)), ("uint16", "YXC", (8, 9, 3))],
)
def test_png_refuses_what_it_cannot_hold(tmp_path: Path, dtype: str, axes: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(OutputError, match=r"a\.png cannot hold"):
        write_image(tmp_path / "a.png", np.zeros(shape, dtype), axes)


def test_lossy_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="without loss"):
        write_image(tmp_path / "a.jpg", np.zeros((8, 8), np.uint8), "YX")


def test_numbers_that_tiff_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.tif cannot hold int64"):
        write_image(tmp_path / "a.tif", np.zeros((8, 8), np.int64), "YX")


def test_masks_and_half_floats_are_written_without_loss(tmp_path: Path) -> None:
    array = np.linspace(0, 1, 64, dtype=np.float16).reshape(8, 8)
    write_image(tmp_path / "half.tif", array, "YX")
    write_image(tmp_path / "mask.tif", array > 0.5, "YX")
    np.testing.assert_array_equal(read_image(tmp_path / "half.tif").pixels, array)
    np.testing.assert_array_equal(read_image(tmp_path / "mask.tif").pixels, array > 0.5)


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"a\.tif exists already"):
        write_image(tmp_path / "a.tif", np.zeros((8, 8), np.uint8), "YX")
    assert (tmp_path / "a.tif").read_bytes() == b"mine"


def test_an_existing_file_is_replaced_when_told_to(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"mine")
    write_image(tmp_path / "a.tif", np.ones((8, 8), np.uint8), "YX", overwrite=True)
    assert read_image(tmp_path / "a.tif").pixels.all()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none/a\.tif cannot be written"):
        write_image(tmp_path / "none" / "a.tif", np.zeros((8, 8), np.uint8), "YX")


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/a\.png cannot be written"):
        write_image(tmp_path / "file" / "a.png", np.zeros((8, 8), np.uint8), "YX")


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"a\.tif cannot be written"):
            write_image(tmp_path / "a.tif", np.zeros((300, 300), np.uint8), "YX")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def fail_half_way() -> None:
        with atomic_write(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        fail_half_way()
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    assert path.read_bytes() == b"old"


def test_the_temporary_file_is_hidden_and_called_partial(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "model") as temporary:
        temporary.write_bytes(b"new")
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".partial"
        assert not (tmp_path / "model").exists()
    assert (tmp_path / "model").read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL")
def test_killing_the_program_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"old")
    program = (
        "import os, signal, sys\n"
        "from napari_vaegan.images.atomic import atomic_write\n"
        "with atomic_write(sys.argv[1]) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["note.tif", "note.ome.tif", "note.png"])
def test_a_note_is_written_into_the_file(tmp_path: Path, name: str) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    write_image(tmp_path / name, pixels, "YX", note="Generated: <not measured>, µ")
    np.testing.assert_array_equal(read_image(tmp_path / name).pixels, pixels)
    assert read_note(tmp_path / name) == "Generated: <not measured>, µ"
    write_image(tmp_path / name, pixels, "YX", overwrite=True)
    assert read_note(tmp_path / name) == ""
