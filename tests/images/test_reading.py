from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
import skimage.data
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_vaegan.errors import DataError, ShapeError
from napari_vaegan.images.reading import find_files, read_image


def noise(shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "int32", "float16", "float32", "float64"])
def test_tiff_keeps_every_dtype(tmp_path: Path, dtype: str) -> None:
    array = noise((12, 13), dtype)
    tifffile.imwrite(tmp_path / "a.tif", array)
    image = read_image(tmp_path / "a.tif")
    assert (image.pixels.dtype, image.axes, image.axes_guessed) == (np.dtype(dtype), "YX", False)
    np.testing.assert_array_equal(image.pixels, array)


def test_booleans_become_bytes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise((12, 16)) > 100)
    image = read_image(tmp_path / "a.tif")
    assert image.pixels.dtype == np.uint8
    assert set(np.unique(image.pixels)) == {0, 1}


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_stored_as_rgba_is_grey(tmp_path: Path, name: str) -> None:
    grey = skimage.data.camera()[:64, :48]
    rgba = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
    imageio.imwrite(tmp_path / name, rgba) if name == "a.png" else tifffile.imwrite(tmp_path / name, rgba, photometric="rgb")
    image = read_image(tmp_path / name)
    assert image.axes == "YX"
    np.testing.assert_array_equal(image.pixels, grey)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_alpha_is_dropped_from_colour(tmp_path: Path, name: str) -> None:
    colour = skimage.data.astronaut()[:64, :48]
    rgba = np.concatenate([colour, np.full_like(colour[..., :1], 255)], axis=-1)
    imageio.imwrite(tmp_path / name, rgba) if name == "a.png" else tifffile.imwrite(tmp_path / name, rgba, photometric="rgb")
    image = read_image(tmp_path / name)
    assert (image.axes, image.colour, image.channels) == ("YXC", True, 3)
    np.testing.assert_array_equal(image.pixels, colour)


def test_16_bit_png_keeps_its_bits(tmp_path: Path) -> None:
    array = noise((12, 13), "uint16") * 300
    imageio.imwrite(tmp_path / "a.png", array)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, array)


def test_jpeg_is_read(tmp_path: Path) -> None:
    colour = skimage.data.astronaut()[:64, :48]
    imageio.imwrite(tmp_path / "a.jpg", colour)
    assert read_image(tmp_path / "a.jpg").pixels.shape == colour.shape


def test_planar_colour_has_its_channels_last(tmp_path: Path) -> None:
    colour = skimage.data.astronaut()[:64, :48]
    tifffile.imwrite(tmp_path / "a.tif", colour.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, colour)


def test_ome_tiff_brings_axes_sizes_units_and_channel_names(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        noise((4, 2, 12, 13), "uint16"),
        metadata={
            "axes": "TCYX",
            "PhysicalSizeX": 0.5,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.25,
            "TimeIncrement": 3.0,
            "Channel": {"Name": ["DAPI", "GFP"]},
        },
    )
    image = read_image(tmp_path / "a.ome.tif")
    assert (image.axes, image.axes_guessed, image.channel_names) == ("TCYX", False, ("DAPI", "GFP"))
    assert image.pixel_size == {"X": 0.5, "Y": 0.25, "T": 3.0}
    assert image.unit == {"X": "nm", "Y": "µm", "T": "s"}


def test_imagej_tiff_brings_axes_and_sizes(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        noise((4, 2, 12, 13), "uint16"),
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": "ZCYX", "unit": "\\u00B5m", "spacing": 2.0},
    )
    image = read_image(tmp_path / "a.tif")
    assert image.axes == "ZCYX"
    assert image.pixel_size == {"X": 0.25, "Y": 0.5, "Z": 2.0}
    assert image.unit == {"X": "µm", "Y": "µm", "Z": "µm"}


def test_a_sequence_of_unknown_meaning_is_a_stated_guess(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise((5, 12, 13)))
    image = read_image(tmp_path / "a.tif")
    assert (image.axes, image.axes_guessed) == ("TYX", True)


def test_axes_can_be_overridden(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise((5, 12, 13)))
    image = read_image(tmp_path / "a.tif", axes="CYX")
    assert (image.axes, image.axes_guessed, image.channels) == ("CYX", False, 5)


def test_axes_that_do_not_fit_a_file_name_it(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise((5, 12, 13)))
    with pytest.raises(ShapeError, match=r"a\.tif.*2 letters"):
        read_image(tmp_path / "a.tif", axes="YX")


def test_an_unknown_axis_is_refused_by_name(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise((5, 12, 13)), metadata={"axes": "AYX"})
    with pytest.raises(DataError, match=r'a\.tif has an axis "A" of length 5'):
        read_image(tmp_path / "a.tif")


def test_multi_page_tiff_of_scikit_image_is_read() -> None:
    path = Path(skimage.data.__file__).parent / "multipage.tif"
    assert read_image(path).axes == "TYX"


def test_one_file_of_a_data_set_in_several_brings_only_its_own_planes(tmp_path: Path) -> None:
    frames = noise((2, 12, 13), "uint16")
    parts = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="{t}.ome.tif">urn:uuid:{t}</UUID></TiffData>'
        for t in range(2)
    )
    for t, frame in enumerate(frames):
        xml = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{t}">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"'
            f' SizeX="13" SizeY="12" SizeZ="1" SizeC="1" SizeT="2">'
            f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{parts}</Pixels></Image></OME>'
        )
        tifffile.imwrite(tmp_path / f"{t}.ome.tif", frame, description=xml, metadata=None)
    image = read_image(tmp_path / "1.ome.tif")
    assert image.axes == "YX"
    np.testing.assert_array_equal(image.pixels, frames[1])


def bad_png_of_16_bit_colour() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(48)) * 8)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.png", b"these are my notes", "is not a TIFF, PNG or JPEG image"),
        ("empty.tif", b"", "is empty"),
        ("head.tif", b"II*\x00", "cannot be read"),
        ("head.png", b"\x89PNG\r\n\x1a\n", "cannot be read"),
        ("head.jpg", b"\xff\xd8\xff\xe0", "cannot be read"),
        ("deep.png", bad_png_of_16_bit_colour(), "16-bit colours"),
    ],
)
def test_a_file_that_is_no_image_is_named_with_its_reason(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason) as error:
        read_image(tmp_path / name)
    assert name in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.tif does not exist"):
        read_image(tmp_path / "none.tif")


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        read_image(tmp_path)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((9, 9), np.complex64))
    with pytest.raises(DataError, match=r"a\.tif holds complex64"):
        read_image(tmp_path / "a.tif")


def test_a_large_plain_tiff_is_mapped_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_vaegan.images.tiff._MAPPED_FROM_BYTES", 1)
    array = noise((5, 12, 13), "uint16")
    tifffile.imwrite(tmp_path / "a.tif", array)
    image = read_image(tmp_path / "a.tif")
    assert isinstance(image.pixels, np.memmap)
    np.testing.assert_array_equal(image.pixels, array)


KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "imagej": {"imagej": True},
    "ome": {"ome": True},
    "compressed": {"compression": "zlib"},
    "strips": {"rowsperstrip": 3},
    "compressed ome": {"ome": True, "compression": "zlib"},
    "pages": {"metadata": None},
    "big": {"bigtiff": True, "compression": "zlib"},
}


def pixels_or_refusal(path: Path) -> Any:
    """Return what was read, or in which words it was refused."""
    try:
        return read_image(path).pixels
    except DataError as error:
        return str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(KINDS)), frames=st.integers(1, 4), part=st.floats(0, 1, exclude_max=True))
def test_a_truncated_tiff_is_refused_or_whole(tmp_path: Path, kind: str, frames: int, part: float) -> None:
    array = noise((frames, 20, 21), "uint16") + 1
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, photometric="minisblack", **KINDS[kind])
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    read = pixels_or_refusal(path)
    if isinstance(read, str):
        assert "a.tif" in read
    else:
        np.testing.assert_array_equal(read.reshape(array.shape), array)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["a.png", "a.jpg"]), part=st.floats(0, 0.95))
def test_a_truncated_picture_is_refused(tmp_path: Path, name: str, part: float) -> None:
    imageio.imwrite(tmp_path / name, noise((20, 21)))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(part * len(content))])
    with pytest.raises(DataError, match=name):
        read_image(tmp_path / name)


def test_files_are_found_in_sub_folders_sorted_without_hidden_ones(tmp_path: Path) -> None:
    for name in ["b.PNG", "a/c.tiff", "a/.hidden.png", ".cache/d.png", "notes.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_files(tmp_path) == [tmp_path / "a/c.tiff", tmp_path / "b.PNG"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none does not exist"):
        find_files(tmp_path / "none")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match=r"a\.txt is not a folder"):
        find_files(tmp_path / "a.txt")
