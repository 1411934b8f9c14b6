"""How the terminal shows that a training was stopped before it began."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from napari_vaegan import library
from napari_vaegan.cli.app import app


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
