"""Checkpoints: what they say of themselves, what goes on from them, and which are refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from listener import TINY, Listener

import napari_vaegan as nv
from napari_vaegan.training.checkpoint import CHECKPOINT_VERSION, describe_checkpoint
from napari_vaegan.training.events import Started


@pytest.fixture(scope="module")
def stopped(textured_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a training that was stopped after 10 of 40 steps."""
    listener = Listener(stop_after=10)
    checkpoint = tmp_path_factory.mktemp("stopped") / "stopped.checkpoint"
    config = nv.TrainingConfig(**TINY, steps=40)
    nv.train(textured_images, config, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    return checkpoint


def changed(checkpoint: Path, to: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Write a checkpoint in which something is other than it was."""
    state = torch.load(checkpoint, weights_only=True)
    change(state)
    torch.save(state, to)
    return to


def test_a_checkpoint_says_what_it_is_of(stopped: Path, textured_images: Path) -> None:
    before = datetime.now(UTC)
    summary = describe_checkpoint(stopped)
    assert summary.path == stopped
    assert summary.config == nv.TrainingConfig(**TINY, steps=40)
    assert summary.source == (str(textured_images.resolve()),)
    assert (summary.step, summary.progress, summary.channels) == (10, 0.25, 1)
    assert summary.saved_at is not None
    assert summary.saved_at <= before


def test_files_and_arrays_are_told_apart_as_sources(textured_images: Path, tmp_path: Path) -> None:
    file = textured_images / "cell0.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    checkpoint = tmp_path / "mixed.checkpoint"
    nv.train([file, pixels], nv.TrainingConfig(**TINY, steps=1), checkpoint=checkpoint)
    assert describe_checkpoint(checkpoint).source == (str(file.resolve()), "array")


def test_a_checkpoint_of_an_earlier_version_is_described_and_goes_on(
    stopped: Path, textured_images: Path, tmp_path: Path
) -> None:
    def forget(state: dict[str, Any]) -> None:
        for name in ("source", "saved_at", "progress"):
            del state[name]

    old = changed(stopped, tmp_path / "old.checkpoint", forget)
    today = describe_checkpoint(stopped)
    assert describe_checkpoint(old) == replace(today, path=old, source=(), saved_at=None, progress=None)
    listener = Listener(stop_after=1)
    nv.train(textured_images, on_event=listener, stop=listener.stop, checkpoint=old, resume=True)
    assert listener.of(Started)[0].resumed_at_step == 10


@pytest.mark.parametrize("config", [{"preset": "gigantic"}, "no settings"])
def test_a_checkpoint_whose_settings_are_none_is_refused(stopped: Path, tmp_path: Path, config: Any) -> None:
    strange = changed(stopped, tmp_path / "strange.checkpoint", lambda state: state.update(config=config))
    with pytest.raises(nv.ModelFileError, match=r"strange\.checkpoint is damaged"):
        describe_checkpoint(strange)


def test_what_is_no_checkpoint_is_not_described(tmp_path: Path) -> None:
    with pytest.raises(nv.ModelFileError, match="no checkpoint"):
        describe_checkpoint(tmp_path / "absent.checkpoint")
    (tmp_path / "text.checkpoint").write_text("text")
    with pytest.raises(nv.ModelFileError, match="not a checkpoint"):
        describe_checkpoint(tmp_path / "text.checkpoint")


def test_a_checkpoint_that_was_cut_short_is_refused(stopped: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.checkpoint"
    short.write_bytes(stopped.read_bytes()[:-200_000])
    with pytest.raises(nv.ModelFileError, match="damaged"):
        describe_checkpoint(short)


def test_resuming_nothing_is_refused(textured_images: Path, tmp_path: Path) -> None:
    with pytest.raises(nv.ModelFileError, match="absent"):
        nv.train(textured_images, checkpoint=tmp_path / "absent.checkpoint", resume=True)


def test_a_damaged_checkpoint_is_refused(textured_images: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.checkpoint"
    damaged.write_bytes(b"PK\x03\x04 not a checkpoint")
    with pytest.raises(nv.ModelFileError, match="damaged"):
        nv.train(textured_images, nv.TrainingConfig(**TINY, steps=1), checkpoint=damaged, resume=True)


@pytest.mark.parametrize("write", [torch.save, lambda state, path: path.write_bytes(pickle.dumps(state))])
def test_a_checkpoint_that_would_run_code_is_refused(
    textured_images: Path, tmp_path: Path, write: Callable[[Any, Path], object]
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "executed",))

    evil = tmp_path / "evil.checkpoint"
    write({"version": CHECKPOINT_VERSION, "config": Evil()}, evil)
    with pytest.raises(nv.ModelFileError):
        nv.train(textured_images, nv.TrainingConfig(**TINY, steps=1), checkpoint=evil, resume=True)
    assert not (tmp_path / "executed").exists()


def test_other_settings_than_the_checkpoint_s_are_refused(textured_images: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "tiny.checkpoint"
    listener = Listener(stop_after=1)
    config = nv.TrainingConfig(**TINY, steps=9)
    nv.train(textured_images, config, on_event=listener, stop=listener.stop, checkpoint=checkpoint)
    other = nv.TrainingConfig(**TINY | {"preset": "small"}, steps=9)
    with pytest.raises(nv.ModelFileError, match="does not fit"):
        nv.train(textured_images, other, checkpoint=checkpoint, resume=True)
