"""What the terminal shows of a training: its diagnosis, and that it was stopped before it began."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from napari_vaegan import library
from napari_vaegan.cli.app import app
from napari_vaegan.cli.training_view import LivePicture, PlainLines
from napari_vaegan.training.diagnosis.findings import Diagnosis
from napari_vaegan.training.events import Diagnosed, Warned

ILL = Diagnosis(coverage=0.2, floor=0.9, diversity=0.9, best_coverage=0.7, distance=1.0, active_units=(0.0, 0.5))
REPAIR = f"{ILL.findings[0].sentence}: training goes back."


def test_ctrl_c_while_images_are_read_says_that_nothing_was_learned(
    textured_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = library.collect_images

    def collect_and_press_ctrl_c(*arguments: Any, **settings: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return collect(*arguments, **settings)

    monkeypatch.setattr(library, "collect_images", collect_and_press_ctrl_c)
    words = ["train", str(textured_images), "--out", str(tmp_path / "m.vaegan"), "--preset", "tiny"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 128 + signal.SIGINT
    assert "nothing was learned" in result.stderr
    assert not list(tmp_path.iterdir())


def drawn(picture: LivePicture) -> str:
    console = Console(width=300)
    with console.capture() as capture:
        console.print(picture.render())
    return capture.get()


def test_plain_lines_say_how_generation_stands_and_a_repair_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    lines(Diagnosed(100, "vae", Diagnosis(), ()))
    assert capsys.readouterr().err == ""
    lines(Diagnosed(600, "adversarial", ILL, (REPAIR,)))
    lines(Warned(REPAIR))
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("  Generated images are near to 20% of the unseen real ones (training images: 90%)")
    assert told[1:] == [
        "  Latents in use, from coarse to fine: 0%, 50%.",
        "Note: Latent level 1 of 2 tells nothing of the images: this is watched.",
        f"Note: {REPAIR}",
    ]


def test_the_live_picture_keeps_the_last_diagnosis(capsys: pytest.CaptureFixture[str]) -> None:
    picture = LivePicture(PlainLines())
    picture(Diagnosed(600, "vae", Diagnosis(active_units=(1.0, 1.0)), ()))
    picture(Diagnosed(900, "adversarial", ILL, (REPAIR,)))
    shown = drawn(picture)
    assert "near to 20% of the unseen real ones" in shown
    assert "from coarse to fine: 0%, 50%" in shown
    assert "Latent level 1 of 2 tells nothing of the images: this is watched." in shown
    assert "100%, 100%" not in shown
    assert capsys.readouterr().err == ""
