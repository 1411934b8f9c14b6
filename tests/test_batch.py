from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

import napari_vaegan as nv
from napari_vaegan.batch import FileDone, FolderSummary
from napari_vaegan.batch.outputs import plan_outputs, side_output
from napari_vaegan.images.reading import read_image


@pytest.fixture
def source(textured_images: Path, tmp_path: Path) -> Path:
    """A folder of one TIFF, and one PNG in a sub-folder."""
    folder = tmp_path / "raw"
    (folder / "more").mkdir(parents=True)
    shutil.copy(textured_images / "cell0.tif", folder)
    shutil.copy(textured_images / "more" / "cell4.png", folder / "more")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_image_of_a_folder_and_its_sub_folders_is_denoised(tiny_model, source, tmp_path):
    summary = nv.restore_folder(tiny_model, source, tmp_path / "restored")
    assert names(tmp_path / "restored") == ["cell0.tif", "more/cell4.png", "restore-folder.json"]
    assert [file.status for file in summary.files] == ["restored", "restored"]
    image = tifffile.imread(source / "cell0.tif")
    restored = tifffile.imread(tmp_path / "restored" / "cell0.tif")
    assert restored.dtype == image.dtype
    np.testing.assert_array_equal(restored, tiny_model.denoise(image, samples=0).image)


def test_a_model_is_given_as_its_file(tiny_model_file, source, tmp_path):
    assert len(nv.restore_folder(tiny_model_file, source, tmp_path / "restored").restored) == 2


def test_std_and_samples_are_written_beside_the_image_if_asked(tiny_model, source, tmp_path):
    nv.restore_folder(tiny_model, source, tmp_path / "restored", samples=2, write_std=True, write_samples=True)
    std = tifffile.imread(tmp_path / "restored" / "cell0.std.tif")
    samples = tifffile.imread(tmp_path / "restored" / "more" / "cell4.samples.tif")
    assert (std.dtype, std.shape) == (np.float32, (96, 96))
    assert (samples.dtype, samples.shape) == (np.float32, (2, 96, 96))


def test_pixel_size_axes_and_channel_names_are_kept_and_super_resolution_divides_the_pixel_size(tiny_model, tmp_path):
    (tmp_path / "raw").mkdir()
    stack = np.random.default_rng(0).integers(0, 255, (3, 16, 24), np.uint8)
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    tifffile.imwrite(tmp_path / "raw" / "stack.ome.tif", stack, metadata=metadata)
    nv.restore_folder(tiny_model, tmp_path / "raw", tmp_path / "fine", "super-resolve", factor=3, write_std=True)
    for name in ("stack.ome.tif", "stack.std.tif"):
        image = read_image(tmp_path / "fine" / name)
        assert (image.axes, image.pixels.shape) == ("ZYX", (3, 48, 72))
        assert image.pixel_size == pytest.approx({"X": 0.5 / 3, "Y": 0.5 / 3, "Z": 2.0})


def test_what_is_done_is_skipped_unless_overwriting_is_allowed(tiny_model, source, tmp_path):
    nv.restore_folder(tiny_model, source, tmp_path / "restored")
    output = tmp_path / "restored" / "cell0.tif"
    before = output.read_bytes()
    output.write_bytes(b"my own")
    again = nv.restore_folder(tiny_model, source, tmp_path / "restored")
    assert {(file.status, file.reason) for file in again.files} == {("skipped", "done already")}
    assert output.read_bytes() == b"my own"
    nv.restore_folder(tiny_model, source, tmp_path / "restored", overwrite=True)
    assert output.read_bytes() == before


def test_an_image_of_which_only_the_std_is_missing_gets_it_and_keeps_the_rest(tiny_model, source, tmp_path):
    nv.restore_folder(tiny_model, source, tmp_path / "restored")
    output = tmp_path / "restored" / "cell0.tif"
    before = output.stat().st_mtime_ns
    nv.restore_folder(tiny_model, source, tmp_path / "restored", write_std=True)
    assert side_output(output, "std").exists()
    assert output.stat().st_mtime_ns == before


def test_the_source_folder_is_refused_as_destination(tiny_model, source):
    with pytest.raises(nv.OutputError, match="choose another folder"):
        nv.restore_folder(tiny_model, source, source / "more" / "..")


def test_results_inside_the_source_folder_are_not_taken_for_images(tiny_model, source):
    for _ in range(2):
        summary = nv.restore_folder(tiny_model, source, source / "restored", write_std=True)
        assert len(summary.files) == 2


def test_results_that_would_replace_an_image_are_refused(tiny_model, tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (16, 16), np.uint8)
    (tmp_path / "raw" / "raw").mkdir(parents=True)
    tifffile.imwrite(tmp_path / "raw" / "a.tif", image)
    tifffile.imwrite(tmp_path / "raw" / "raw" / "a.tif", image)
    with pytest.raises(nv.OutputError, match="one of the images to restore"):
        nv.restore_folder(tiny_model, tmp_path / "raw", tmp_path, overwrite=True)


@pytest.mark.parametrize(
    ("inputs", "kinds", "outputs"),
    [
        (["a.ome.tif", "a.tif", "a.tiff", "a.png"], (), ["a.ome.tif", "a.tif", "a.tiff", "a.png"]),
        (["a.jpg"], (), ["a.tif"]),
        (["A.jpg", "a.jpeg", "a.tif"], (), ["A.jpg.tif", "a.jpeg.tif", "a.tif"]),
        (["a.png", "a.tif"], ("std",), ["a.png", "a.tif.tif"]),
        (["a.std.tif", "a.tif"], ("std",), ["a.std.tif", "a.tif.tif"]),
        (["text.png"], (), ["text.tif"]),
    ],
)
def test_no_two_images_get_the_same_names(tmp_path, inputs, kinds, outputs):
    for name in inputs:
        (tmp_path / name).write_bytes(b"no image" if name.startswith("text") else b"\x89PNG\r\n\x1a\n")
    assert plan_outputs(tmp_path, [Path(name) for name in inputs], kinds) == [Path(name) for name in outputs]


def test_a_jpeg_and_a_png_of_one_name_are_both_restored(tiny_model, tmp_path):
    (tmp_path / "raw").mkdir()
    image = np.random.default_rng(0).integers(0, 255, (16, 16), np.uint8)
    for name in ("a.jpg", "a.png"):
        imageio.imwrite(tmp_path / "raw" / name, image)
    nv.restore_folder(tiny_model, tmp_path / "raw", tmp_path / "restored")
    assert names(tmp_path / "restored") == ["a.png", "a.tif", "restore-folder.json"]


def test_files_that_cannot_be_restored_are_listed_with_their_reason_and_stop_nothing(tiny_model, source, tmp_path):
    (source / "text.png").write_text("no image")
    whole = (source / "cell0.tif").read_bytes()
    (source / "cut.tif").write_bytes(whole[: len(whole) // 2])
    tifffile.imwrite(source / "nan.tif", np.full((16, 16), np.nan, np.float32))
    tifffile.imwrite(source / "one.tif", np.ones((1, 1), np.uint8))
    tifffile.imwrite(source / "colour.tif", np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))
    summary = nv.restore_folder(tiny_model, source, tmp_path / "restored")
    assert len(summary.restored) == 2
    reasons = {file.path.name: file.reason for file in summary.failed}
    assert set(reasons) == {"text.png", "cut.tif", "nan.tif", "one.tif", "colour.tif"}
    for words, name in (
        ("not a TIFF, PNG or JPEG", "text.png"),
        ("cut.tif", "cut.tif"),
        ("NaN", "nan.tif"),
        ("too small", "one.tif"),
        ("channels", "colour.tif"),
    ):
        assert words in reasons[name]
    assert str(summary).splitlines()[-1].strip().startswith(str(source))
    assert not list((tmp_path / "restored").rglob("*.partial"))


def test_constant_and_smallest_images_are_restored(tiny_model, tmp_path):
    (tmp_path / "raw").mkdir()
    tifffile.imwrite(tmp_path / "raw" / "constant.tif", np.full((24, 24), 7, np.uint16))
    tifffile.imwrite(tmp_path / "raw" / "small.tif", np.random.default_rng(0).integers(0, 255, (8, 8), np.uint8))
    summary = nv.restore_folder(tiny_model, tmp_path / "raw", tmp_path / "restored")
    assert not summary.failed
    assert tifffile.imread(tmp_path / "restored" / "constant.tif").dtype == np.uint16


def test_an_unexpected_error_is_listed_and_its_traceback_logged(tiny_model, source, tmp_path, monkeypatch, caplog):
    def fail(*arguments: object, **settings: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(type(tiny_model), "denoise", fail)
    with caplog.at_level(logging.ERROR):
        summary = nv.restore_folder(tiny_model, source, tmp_path / "restored")
    assert {file.reason for file in summary.failed} == {"unexpected: ZeroDivisionError: a bug"}
    assert "Traceback" in caplog.text


def test_a_run_that_is_stopped_leaves_whole_files_and_goes_on_when_called_again(tiny_model, source, tmp_path):
    done: list[FileDone] = []
    destination = tmp_path / "restored"
    first = nv.restore_folder(tiny_model, source, destination, on_file=done.append, stop=lambda: len(done) == 1)
    assert first.stopped
    assert names(destination) == ["cell0.tif", "restore-folder.json"]
    second = nv.restore_folder(tiny_model, source, destination)
    assert [file.status for file in second.files] == ["skipped", "restored"]


def test_a_stop_is_honoured_within_an_image(tiny_model, source, tmp_path):
    asked: list[None] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > 1

    summary = nv.restore_folder(tiny_model, source, tmp_path / "restored", stop=stop)
    assert summary == FolderSummary((), stopped=True)


def test_progress_is_told_of_the_whole_run_and_files_are_counted(tiny_model, source, tmp_path):
    shares: list[float] = []
    started: list[tuple[str, int, int]] = []
    summary = nv.restore_folder(
        tiny_model,
        source,
        tmp_path / "restored",
        on_file_started=lambda path, number, total: started.append((path.name, number, total)),
        on_progress=shares.append,
    )
    assert started == [("cell0.tif", 1, 2), ("cell4.png", 2, 2)]
    assert [(file.path.name, file.number, file.total) for file in summary.files] == started
    assert shares == sorted(shares)
    assert {0.25, 0.5, 0.75} <= set(shares)
    assert shares[-1] == 1


def test_images_that_are_skipped_or_fail_are_progress_too(tiny_model, source, tmp_path):
    nv.restore_folder(tiny_model, source, tmp_path / "restored")
    (source / "text.png").write_text("no image")
    shares: list[float] = []
    nv.restore_folder(tiny_model, source, tmp_path / "restored", on_progress=shares.append)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])


def test_what_a_listener_raises_ends_the_run_and_is_no_failure_of_an_image(tiny_model, source, tmp_path):
    def refuse(share: float) -> None:
        raise nv.DataError("Enough.")

    done: list[FileDone] = []
    with pytest.raises(nv.DataError, match=r"Enough\."):
        nv.restore_folder(tiny_model, source, tmp_path / "restored", on_file=done.append, on_progress=refuse)
    assert not done
    assert names(tmp_path / "restored") == []


def test_the_record_says_how_the_images_were_made(tiny_model, source, tmp_path):
    settings = {"factor": 4, "quality": "best"}
    nv.restore_folder(tiny_model, source, tmp_path / "restored", "super-resolve", **settings)
    nv.restore_folder(tiny_model, source, tmp_path / "restored", "super-resolve", **settings)
    (run,) = json.loads((tmp_path / "restored" / "restore-folder.json").read_text())["runs"]
    assert run["task"] == "super-resolve"
    assert run["settings"] == {"axes": None, "realism": 0.0, "samples": 0, "seed": 0, **settings}
    assert run["model"]["name"] == "tiny"
    assert [file["output"] for file in run["files"]] == ["cell0.tif", "more/cell4.png"]


def test_images_are_inpainted_with_a_mask_for_all(tiny_model, source, tmp_path):
    mask = np.zeros((96, 96), bool)
    mask[40:50, 40:50] = True
    nv.restore_folder(tiny_model, source, tmp_path / "restored", "inpaint", mask=mask)
    image, restored = (tifffile.imread(folder / "cell0.tif") for folder in (source, tmp_path / "restored"))
    np.testing.assert_array_equal(restored[~mask], image[~mask])


def test_images_are_inpainted_with_a_folder_of_masks_of_the_same_names(tiny_model, source, tmp_path):
    (source / "masks" / "more").mkdir(parents=True)
    mask = np.zeros((96, 96), np.uint8)
    mask[:9] = 255
    imageio.imwrite(source / "masks" / "cell0.png", mask)
    summary = nv.restore_folder(tiny_model, source, tmp_path / "restored", "inpaint", mask=source / "masks")
    assert [file.path.name for file in summary.restored] == ["cell0.tif"]
    assert "There is no mask" in summary.failed[0].reason


def test_a_mask_that_does_not_fit_or_leaves_nothing_is_listed(tiny_model, source, tmp_path):
    for mask, words in ((np.zeros((5, 5), bool), "mask of shape"), (np.ones((96, 96), bool), "covers a whole plane")):
        summary = nv.restore_folder(tiny_model, source, tmp_path / "restored", "inpaint", mask=mask)
        assert [words in file.reason for file in summary.failed] == [True, True]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"task": "sharpen"}, "task cannot be 'sharpen'"),
        ({"task": "super-resolve", "factor": 5}, "choose 2, 3 or 4"),
        ({"task": "inpaint"}, "needs a mask"),
        ({"mask": np.ones((4, 4), bool)}, "takes none"),
        ({"samples": -1}, "samples cannot be -1"),
        ({"seed": -1}, "seed cannot be -1"),
        ({"quality": "good"}, "choose fast or best"),
        ({"samples": 0, "write_samples": True}, "no samples to write"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_before_any_work(tiny_model, source, tmp_path, settings, words):
    with pytest.raises(nv.SettingError, match=words):
        nv.restore_folder(tiny_model, source, tmp_path / "restored", **settings)
    assert not (tmp_path / "restored").exists()


def test_a_task_that_the_model_was_not_trained_for_is_refused(tiny_rgb_model, source, tmp_path):
    with pytest.raises(nv.SettingError, match="was trained to super-resolve, denoise"):
        nv.restore_folder(tiny_rgb_model, source, tmp_path / "restored", "inpaint", mask=np.ones((4, 4), bool))


def test_colour_images_stay_colour(tiny_rgb_model, tmp_path):
    (tmp_path / "raw").mkdir()
    imageio.imwrite(tmp_path / "raw" / "a.png", np.random.default_rng(0).integers(0, 255, (16, 20, 3), np.uint8))
    destination = tmp_path / "fine"
    nv.restore_folder(
        tiny_rgb_model, tmp_path / "raw", destination, "super-resolve", samples=2, write_std=True, write_samples=True
    )
    assert imageio.imread(destination / "a.png").shape == (32, 40, 3)
    samples = read_image(destination / "a.samples.tif")
    assert (samples.axes, samples.pixels.shape) in [("TYXC", (2, 32, 40, 3)), ("TCYX", (2, 3, 32, 40))]


def test_an_empty_folder_is_a_data_error(tiny_model, tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(nv.DataError, match="no images in"):
        nv.restore_folder(tiny_model, tmp_path / "raw", tmp_path / "restored")


def test_a_missing_folder_is_a_data_error(tiny_model, tmp_path):
    with pytest.raises(nv.DataError, match="does not exist"):
        nv.restore_folder(tiny_model, tmp_path / "raw", tmp_path / "restored")


def test_a_destination_that_cannot_be_written_is_refused_before_any_work(tiny_model, source, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done: list[FileDone] = []
    with pytest.raises(nv.OutputError, match="cannot be written"):
        nv.restore_folder(tiny_model, source, tmp_path / "file" / "restored", on_file=done.append)
    assert not done


def test_realism_is_of_every_image_and_said_in_its_file_and_in_the_record(tiny_model, source, tmp_path):
    nv.restore_folder(tiny_model, source, tmp_path / "real", realism=0.5)
    assert names(tmp_path / "real") == ["cell0.tif", "more/cell4.png", "restore-folder.json"]
    with tifffile.TiffFile(tmp_path / "real" / "cell0.tif") as file:
        assert "50% of the way" in file.imagej_metadata["Info"]
        image = tifffile.imread(source / "cell0.tif")
        np.testing.assert_array_equal(file.asarray(), tiny_model.denoise(image, samples=1).blend(0.5))
    assert "partly invented" in imageio.immeta(tmp_path / "real" / "more" / "cell4.png")["Description"]
    record = json.loads((tmp_path / "real" / "restore-folder.json").read_text(encoding="utf-8"))
    assert record["runs"][0]["settings"]["realism"] == 0.5


def test_a_realism_that_does_not_exist_is_refused_before_anything_is_read(tiny_model, source, tmp_path):
    with pytest.raises(nv.SettingError, match="not 2"):
        nv.restore_folder(tiny_model, source, tmp_path / "real", realism=2)
    assert not (tmp_path / "real").exists()
