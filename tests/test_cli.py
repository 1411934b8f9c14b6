from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import napari_vaegan as nv
from napari_vaegan.cli.app import app
from napari_vaegan.images.note import read_note
from napari_vaegan.images.reading import read_image
from napari_vaegan.training import assessment

QUICK = ["--preset", "tiny", "--patch-size", "32", "--batch-size", "8", "--tasks", "denoise"]
QUICK[:0] = ["--device", "cpu", "--precision", "float32"]


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(*words: object) -> str:
    """Return the sentence with which a command ends."""
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    return result.stderr


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command in a process of its own, with checkpoints several times a second; end it with the test."""
    code = (
        "from napari_vaegan.training import training; from napari_vaegan.cli import main; "
        "training.CHECKPOINT_SECONDS = 0.2; main()"
    )
    processes: list[subprocess.Popen[str]] = []

    def start_process(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, words)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield start_process
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(checkpoint: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a training has made its first steps."""
    deadline = time.monotonic() + 120
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def image(textured_images: Path, tmp_path: Path) -> Path:
    """An image of 32 × 40 pixels of 0.5 µm."""
    pixels = tifffile.imread(textured_images / "cell0.tif")[:32, :40]
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, pixels, imagej=True, resolution=(2, 2), metadata={"unit": "um", "axes": "YX"})
    return path


@pytest.mark.parametrize(
    "command",
    [
        *("train", "generate", "variations", "interpolate"),
        *("inpaint", "super-resolve", "denoise", "match-style", "restore-folder", "info", "demo"),
    ],
)
def test_every_command_has_a_help(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_help_loads_neither_torch_nor_qt():
    code = (
        "import sys; from typer.testing import CliRunner; from napari_vaegan.cli.app import app; "
        "assert CliRunner().invoke(app, ['train', '--help']).exit_code == 0; "
        "print([name for name in ('torch', 'numpy', 'qtpy', 'PyQt6', 'napari') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_setting_of_training_is_an_option_with_its_description(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    text = run("train", "--help").output
    for name, field in nv.TrainingConfig.model_fields.items():
        assert f"--{name.replace('_', '-')} " in text
        assert field.description in text


def test_a_folder_becomes_a_model_file(textured_images, tmp_path):
    out = tmp_path / "cells.vaegan"
    result = run("train", textured_images, "--out", out, "--steps", 4, "--no-adversarial", *QUICK)
    assert result.exit_code == 0, result.output
    header = nv.load(out).header
    assert header.name == textured_images.name
    assert (header.config.steps, header.config.tasks, header.config.adversarial) == (4, ("denoise",), False)
    assert header.stages == ["vae"]
    assert sorted(tmp_path.iterdir()) == [out.with_suffix(".html"), out]


def test_training_away_from_a_terminal_prints_stages_and_validations(textured_images, tmp_path):
    lines = run("train", textured_images, "--out", tmp_path / "m.vaegan", "--steps", 6, *QUICK).stderr.splitlines()
    assert any(line.startswith("Stage 1 of 3, vae: ") for line in lines)
    assert any("PSNR denoise" in line for line in lines)
    assert len(lines) < 20


def test_several_tasks_are_given_with_commas(textured_images, tmp_path):
    out = tmp_path / "m.vaegan"
    run("train", textured_images, "--out", out, "--steps", 2, *QUICK[:-1], "denoise, inpaint")
    assert nv.load(out).tasks == ("denoise", "inpaint")


def test_a_model_file_that_is_there_is_refused_before_training_starts(textured_images, tiny_model_file):
    before = tiny_model_file.read_bytes()
    assert "exists already" in refused("train", textured_images, "--out", tiny_model_file, *QUICK)
    assert tiny_model_file.read_bytes() == before


def test_a_checkpoint_that_is_there_is_not_overwritten_by_a_new_training(textured_images, tmp_path):
    (tmp_path / "m.vaegan.checkpoint").write_text("hours of work")
    assert "--resume" in refused("train", textured_images, "--out", tmp_path / "m.vaegan", *QUICK)
    assert (tmp_path / "m.vaegan.checkpoint").read_text() == "hours of work"


def test_out_in_a_folder_that_is_missing_is_refused_before_training_starts(textured_images, tmp_path):
    assert "does not exist" in refused("train", textured_images, "--out", tmp_path / "no" / "m.vaegan", *QUICK)


def test_resuming_without_a_checkpoint_is_refused(textured_images, tmp_path):
    assert "no checkpoint" in refused("train", textured_images, "--out", tmp_path / "m.vaegan", "--resume")


def test_resuming_from_a_damaged_checkpoint_is_refused(textured_images, tmp_path):
    (tmp_path / "m.vaegan.checkpoint").write_text("no checkpoint")
    assert "is damaged" in refused("train", textured_images, "--out", tmp_path / "m.vaegan", "--resume")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["--minutes", 1, "--steps", 1], "exclude each other"),
        (["--patch-size", 40], "multiple of 32"),
        (["--minutes", 0], "minutes cannot be 0"),
        (["--tasks", "sharpen"], "tasks"),
        (["--seed", -1], "seed cannot be -1"),
        (["--learning-rate", "inf"], "learning_rate cannot be inf"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(textured_images, tmp_path, settings, words):
    assert words in refused("train", textured_images, "--out", tmp_path / "m.vaegan", *settings)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "is empty" in refused("train", tmp_path / "empty", "--out", tmp_path / "m.vaegan")


def test_a_folder_of_unreadable_files_is_refused(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "text.png").write_text("no image")
    assert "text.png" in refused("train", tmp_path / "raw", "--out", tmp_path / "m.vaegan")


def test_a_folder_of_constant_images_is_refused(tmp_path):
    (tmp_path / "raw").mkdir()
    for level in (0, 7):
        tifffile.imwrite(tmp_path / "raw" / f"{level}.tif", np.full((32, 32), level, np.uint8))
    words = refused("train", tmp_path / "raw", "--out", tmp_path / "m.vaegan", *QUICK)
    assert "0.tif: is constant: every pixel is 0" in words
    assert not (tmp_path / "m.vaegan").exists()


def test_a_training_that_diverges_to_its_end_is_one_sentence_and_leaves_no_model(textured_images, tmp_path):
    result = run("train", textured_images, "--out", tmp_path / "m.vaegan", *QUICK, "--steps", 4, "--learning-rate", 1e30)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: Training diverged with the learning rate 1e+30")
    assert not (tmp_path / "m.vaegan").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_a_model_that_works_and_says_how_to_resume(start, textured_images, tmp_path, number):
    out, checkpoint = tmp_path / "m.vaegan", tmp_path / "m.vaegan.checkpoint"
    process = start("train", textured_images, "--out", out, "--steps", 100_000, *QUICK)
    wait_for(checkpoint, process)
    process.send_signal(number)
    told, progress = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Stopping" in progress
    assert "--resume" in told
    assert nv.load(out).denoise(np.zeros((16, 16), np.uint8)).image.shape == (16, 16)
    stopped_at = nv.load(out).header.steps

    resumed = run("train", textured_images, "--out", out, "--resume", "--steps", stopped_at + 2)
    assert resumed.exit_code == 0, resumed.output
    assert f"Going on from step {stopped_at}" in resumed.stderr
    assert nv.load(out).header.steps == stopped_at + 2
    assert not checkpoint.exists()


def test_a_training_that_was_killed_goes_on_from_its_checkpoint_to_the_same_quality(
    start, textured_images, tmp_path, monkeypatch
):
    monkeypatch.setattr(assessment, "VALIDATION_PATCHES", 12)  # as in the process that is killed
    settings = [*QUICK, "--steps", 24]
    out, checkpoint = tmp_path / "killed.vaegan", tmp_path / "killed.vaegan.checkpoint"
    process = start("train", textured_images, "--out", out, *settings)
    wait_for(checkpoint, process)
    process.kill()
    process.communicate()
    assert not out.exists()

    resumed = run("train", textured_images, "--out", out, "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert "Going on from step" in resumed.stderr
    whole = run("train", textured_images, "--out", tmp_path / "whole.vaegan", *settings)
    assert whole.exit_code == 0, whole.output
    psnr, uninterrupted = (nv.load(path).header.psnr["denoise"] for path in (out, tmp_path / "whole.vaegan"))
    assert psnr == pytest.approx(uninterrupted, abs=0.3)


def test_a_model_is_stacked_into_one_file_or_drawn_into_a_folder(tiny_model_file, tmp_path):
    common = ["generate", "--model", tiny_model_file, "--count", 3, "--shape", 32, 40, "--seed", 5]
    assert run(*common, "--out", tmp_path / "samples.tif").exit_code == 0
    assert run(*common, "--out", tmp_path / "samples").exit_code == 0
    stack = tifffile.imread(tmp_path / "samples.tif")
    assert (stack.shape, stack.dtype) == ((3, 32, 40), np.uint8)
    *files, manifest = sorted((tmp_path / "samples").iterdir())
    assert [file.name for file in files] == [f"generated-00000{index}.tif" for index in range(3)]
    assert manifest.read_text().count("\n") == 4
    np.testing.assert_array_equal(tifffile.imread(files[2]), stack[2])
    assert "not measured" in read_note(tmp_path / "samples.tif")


def test_several_images_in_one_png_are_refused(tiny_model_file, tmp_path):
    text = refused("generate", "--model", tiny_model_file, "--count", 3, "--out", tmp_path / "a.png")
    assert "can hold one image, not 3" in text


def test_images_that_were_drawn_before_are_kept_and_never_replaced_by_others(tiny_model_file, tmp_path):
    common = ["generate", "--model", tiny_model_file, "--shape", 16, 16, "--out", tmp_path / "drawn"]
    run(*common)
    assert "0 images generated, 1 there already" in " ".join(run(*common).stdout.split())
    assert "exists already" in refused(*common, "--seed", 1)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--count", 0, "cannot be 0"),
        ("--seed", -1, "cannot be -1"),
        ("--temperature", "nan", "temperature cannot be nan"),
        ("--pixel-size", -2, "cannot be -2"),
    ],
)
@pytest.mark.parametrize("out", ["folder", "file.tif"])
def test_what_cannot_be_generated_is_refused_in_a_sentence(tiny_model_file, tmp_path, out, option, value, words):
    assert words in refused("generate", "--model", tiny_model_file, "--out", tmp_path / out, option, value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(0, 0), (7, 7), (100_000, 100_000)])
def test_images_of_impossible_sizes_are_refused_in_a_sentence(tiny_model_file, tmp_path, shape):
    assert str(shape[0]) in refused("generate", "--model", tiny_model_file, "--out", tmp_path / "a.tif", "--shape", *shape)


def test_ctrl_c_ends_a_folder_of_generated_images_between_two_of_them(tiny_model_file, tmp_path, start):
    folder = tmp_path / "many"
    process = start("generate", "--model", tiny_model_file, "--out", folder, "--count", 100_000, "--shape", 256, 256)
    deadline = time.monotonic() + 120
    while not list(folder.glob("*.tif")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "goes on with the rest" in stdout
    assert "Traceback" not in stderr
    listed = (folder / "manifest.csv").read_text().count("\n") - 1
    assert listed == len(list(folder.glob("*.tif")))
    assert not list(folder.glob(".*"))


def test_an_image_is_denoised_with_its_pixel_size_kept(tiny_model, tiny_model_file, image, tmp_path):
    result = run("denoise", image, "--model", tiny_model_file, "--out", tmp_path / "out.tif")
    assert result.exit_code == 0, result.output
    assert 1 <= len(result.stdout.splitlines()) <= 2
    restored = read_image(tmp_path / "out.tif")
    assert restored.pixel_size == pytest.approx({"X": 0.5, "Y": 0.5})
    np.testing.assert_array_equal(restored.pixels, tiny_model.denoise(read_image(image).pixels, samples=0).image)


def test_the_best_quality_is_had_if_asked(tiny_model, tiny_model_file, image, tmp_path):
    run("denoise", image, "--model", tiny_model_file, "--quality", "best", "--out", tmp_path / "out.tif")
    best = tiny_model.denoise(read_image(image).pixels, samples=0, quality="best").image
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), best)


def test_std_and_samples_are_written_beside_the_image_if_asked(tiny_model_file, image, tmp_path):
    words = ["--write-std", "--write-samples", "--samples", 3, "--factor", 2, "--out", tmp_path / "fine.tif"]
    result = run("super-resolve", image, "--model", tiny_model_file, *words)
    assert result.exit_code == 0, result.output
    assert read_image(tmp_path / "fine.tif").pixel_size == pytest.approx({"X": 0.25, "Y": 0.25})
    assert tifffile.imread(tmp_path / "fine.std.tif").shape == (64, 80)
    assert tifffile.imread(tmp_path / "fine.samples.tif").shape == (3, 64, 80)


def test_an_image_is_inpainted_and_keeps_its_known_pixels(tiny_model_file, image, tmp_path):
    mask = np.zeros((32, 40), np.uint8)
    mask[10:14] = 1
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    run("inpaint", image, tmp_path / "mask.tif", "--model", tiny_model_file, "--out", tmp_path / "out.png")
    before, after = tifffile.imread(image), imageio.imread(tmp_path / "out.png")
    np.testing.assert_array_equal(before[mask == 0], after[mask == 0])


def test_an_empty_mask_returns_the_image_unchanged(tiny_model_file, image, tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", np.zeros((32, 40), np.uint8))
    run("inpaint", image, tmp_path / "mask.tif", "--model", tiny_model_file, "--out", tmp_path / "out.tif")
    np.testing.assert_array_equal(tifffile.imread(image), tifffile.imread(tmp_path / "out.tif"))


@pytest.mark.parametrize(
    ("mask", "words"), [(np.zeros((9, 9), np.uint8), "mask of shape"), (np.ones((32, 40), np.uint8), "whole plane")]
)
def test_a_mask_that_does_not_fit_or_leaves_nothing_is_refused(tiny_model_file, image, tmp_path, mask, words):
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    out = tmp_path / "out.tif"
    assert words in refused("inpaint", image, tmp_path / "mask.tif", "--model", tiny_model_file, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.full((16, 16), np.nan, np.float32), "NaN"),
        (np.full((16, 16), np.inf, np.float32), "infinite"),
        (np.ones((1, 1), np.uint8), "too small"),
        (np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8), "3 channels"),
    ],
)
def test_an_image_that_cannot_be_restored_is_refused(tiny_model_file, tmp_path, pixels, words):
    tifffile.imwrite(tmp_path / "image.tif", pixels)
    assert words in refused("denoise", tmp_path / "image.tif", "--model", tiny_model_file, "--out", tmp_path / "o.tif")


@pytest.mark.parametrize(("content", "words"), [(None, "does not exist"), (b"", "is empty"), (b"text", "not a TIFF")])
def test_a_file_that_is_no_image_is_refused(tiny_model_file, tmp_path, content, words):
    if content is not None:
        (tmp_path / "image.png").write_bytes(content)
    assert words in refused("denoise", tmp_path / "image.png", "--model", tiny_model_file, "--out", tmp_path / "o.tif")


def test_axes_that_do_not_fit_are_refused(tiny_model_file, image, tmp_path):
    words = ["--model", tiny_model_file, "--out", tmp_path / "o.tif", "--axes", "TZYX"]
    assert "TZYX" in refused("denoise", image, *words)


def test_a_factor_of_five_is_refused(tiny_model_file, image, tmp_path):
    words = ["--model", tiny_model_file, "--out", tmp_path / "o.tif", "--factor", 5]
    assert "choose 2, 3 or 4" in refused("super-resolve", image, *words)


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("no/out.tif", "does not exist"),
        ("out.jpg", "without loss"),
        ("image.tif", "exists already"),
        ("out", "ends in"),
    ],
)
def test_a_place_where_the_result_cannot_go_is_refused(tiny_model_file, image, out, words):
    assert words in refused("denoise", image, "--model", tiny_model_file, "--out", image.parent / out)


def test_a_stack_into_a_png_is_refused(tiny_model_file, tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((3, 16, 16), np.uint8), imagej=True, metadata={"axes": "TYX"})
    out = tmp_path / "out.png"
    assert "stack" in refused("denoise", tmp_path / "stack.tif", "--model", tiny_model_file, "--out", out)


def _truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _tamper(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _from_the_future(content: bytes) -> bytes:
    return re.sub(rb'("format_version\\":)\d,', rb"\g<1>9,", content)


@pytest.mark.parametrize(
    ("change", "words"), [(_truncate, "get the file anew"), (_tamper, "altered"), (_from_the_future, "update")]
)
def test_a_model_file_that_was_damaged_or_is_newer_is_refused(tiny_model_file, tmp_path, change, words):
    model = tmp_path / "model.vaegan"
    model.write_bytes(change(tiny_model_file.read_bytes()))
    assert model.read_bytes() != tiny_model_file.read_bytes()
    assert words in refused("info", model)


def test_a_model_file_that_is_missing_is_refused(tmp_path):
    assert "no model file" in refused("info", tmp_path / "no.vaegan")


def test_a_folder_is_restored_and_done_files_are_skipped(tiny_model_file, textured_images, tmp_path):
    words = ["restore-folder", textured_images, tmp_path / "restored", "--model", tiny_model_file]
    first, second = run(*words), run(*words)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "8 images restored" in first.stdout
    assert "8 skipped" in second.stdout


def test_failures_of_a_folder_are_listed_at_the_end_and_in_the_exit_code(tiny_model_file, image, tmp_path):
    (tmp_path / "raw").mkdir()
    image.rename(tmp_path / "raw" / "image.tif")
    (tmp_path / "raw" / "text.png").write_text("no image")
    result = run("restore-folder", tmp_path / "raw", tmp_path / "restored", "--model", tiny_model_file)
    assert result.exit_code == 1
    assert "1 image restored" in result.stdout
    assert "text.png" in result.stdout.splitlines()[-1]


def test_a_destination_that_cannot_be_written_is_refused(tiny_model_file, textured_images, tmp_path):
    (tmp_path / "file").write_text("in the way")
    destination = tmp_path / "file" / "restored"
    assert "cannot be written" in refused("restore-folder", textured_images, destination, "--model", tiny_model_file)


def test_info_says_what_a_model_was_trained_on_and_how(tiny_model_file):
    text = run("info", tiny_model_file).stdout
    for words in (
        "tiny",
        "8 images",
        "vae → warm-up → adversarial → prior",
        "spectral normalisation",
        "super-resolve ×4",
        "torch",
    ):
        assert words in text


def test_info_prints_the_header_as_json(tiny_model, tiny_model_file):
    header = json.loads(run("info", tiny_model_file, "--json").stdout)
    assert header == tiny_model.header.model_dump(mode="json")


def test_info_writes_the_quality_report_beside_the_model(tiny_model, tmp_path):
    model = tiny_model.save(tmp_path / "cells.vaegan")
    assert str(tmp_path / "cells.html") in run("info", model, "--html").stdout
    run("info", model, "--html", "--out", tmp_path / "other.html")
    for report in (tmp_path / "cells.html", tmp_path / "other.html"):
        assert "Do the error bars hold?" in report.read_text(encoding="utf-8")


def test_info_replaces_nothing_but_reports(tiny_model_file, tmp_path):
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    assert "no quality report" in refused("info", tiny_model_file, "--html", "--out", mine)
    assert "give --html" in refused("info", tiny_model_file, "--out", mine)
    assert mine.read_text() == "mine"


def test_a_report_that_cannot_be_written_does_not_spoil_the_training(textured_images, tmp_path):
    (tmp_path / "cell.html").write_text("mine")
    result = run("train", textured_images, "--out", tmp_path / "cell.vaegan", "--steps", 3, *QUICK)
    assert result.exit_code == 0
    assert "quality report was not written" in result.stderr
    assert (tmp_path / "cell.vaegan").is_file()
    assert (tmp_path / "cell.html").read_text() == "mine"


def test_a_bug_keeps_its_traceback(tiny_model_file, monkeypatch):
    def fail(path: Path) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("napari_vaegan.restoration.model_file.read_model", fail)
    assert isinstance(run("info", tiny_model_file).exception, ZeroDivisionError)


def test_the_package_runs_as_a_module():
    words = [sys.executable, "-m", "napari_vaegan", "train", "no-such-folder", "--out", "m.vaegan"]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "no-such-folder does not exist" in result.stderr
    assert "Traceback" not in result.stderr


def test_check_says_what_is_found_and_what_may_spoil_it_and_writes_nothing(textured_images, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("a bad day")
    result = run("check", textured_images, tmp_path / "notes.txt", "--steps", 50, *QUICK)
    assert result.exit_code == 0, result.output
    for words in (
        "8, 8 planes of 96 × 96 pixels",
        "YX; 1 channel",
        "(uint8)",
        "notes.txt",
        "is not a TIFF, PNG or JPEG file",
        "105,584 parameters",
        "that are free",
        "50 steps in about",
        "only 8 planes",
    ):
        assert words in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_check_refuses_settings_and_folders_as_train_does(textured_images, tmp_path):
    assert "multiple of 32" in refused("check", textured_images, "--patch-size", 40)
    assert "does not exist" in refused("check", tmp_path / "no")
    assert run("check", "--help").exit_code == 0


def test_realism_writes_what_lies_between_and_says_so(tiny_model_file, image, tmp_path):
    out = tmp_path / "real.tif"
    result = run("denoise", image, "--model", tiny_model_file, "--out", out, "--realism", 0.5)
    assert result.exit_code == 0, result.output
    assert "partly invented" in " ".join(result.stderr.split())
    assert not (tmp_path / "real.samples.tif").exists()
    expected = nv.load(tiny_model_file).denoise(tifffile.imread(image), samples=1, realism=0.5)
    np.testing.assert_array_equal(tifffile.imread(out), expected.image)
    assert "not 2" in refused("denoise", image, "--model", tiny_model_file, "--out", tmp_path / "x.tif", "--realism", 2)


def test_variations_of_a_file_are_written_as_a_stack_of_its_pixel_size(tiny_model, tiny_model_file, image, tmp_path):
    out = tmp_path / "varied.tif"
    result = run("variations", image, "--model", tiny_model_file, "--out", out, "--count", 3, "--detail", 4, "--seed", 2)
    assert result.exit_code == 0, result.output
    written = read_image(out)
    np.testing.assert_array_equal(written.pixels, tiny_model.variations(tifffile.imread(image), 3, 4, seed=2))
    assert {axis: written.pixel_size[axis] for axis in "YX"} == pytest.approx({"Y": 0.5, "X": 0.5})
    assert "not measured: variations of image.tif" in read_note(out)
    assert "cannot be 5" in refused(
        "variations", image, "--model", tiny_model_file, "--out", tmp_path / "x.tif", "--detail", 5
    )


def test_the_way_between_two_files_is_written_as_a_stack(tiny_model, tiny_model_file, image, tmp_path):
    other, out = tmp_path / "other.tif", tmp_path / "way.tif"
    tifffile.imwrite(other, tifffile.imread(image)[::-1])
    result = run("interpolate", image, other, "--model", tiny_model_file, "--out", out, "--count", 3)
    assert result.exit_code == 0, result.output
    ends = tifffile.imread(image), tifffile.imread(other)
    np.testing.assert_array_equal(tifffile.imread(out), tiny_model.interpolate(*ends, 3))
    tifffile.imwrite(other, tifffile.imread(image)[:16], photometric="minisblack")
    common = ["interpolate", image, other, "--model", tiny_model_file, "--out"]
    assert "crop them to the same size" in refused(*common, tmp_path / "x.tif")
    assert "ends in .tif" in refused(*common, tmp_path / "x.png")
