"""Model files: whole or not at all, checked before they are believed, never executed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import napari_vaegan as nv


def header_of(path: Path) -> dict[str, str]:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    metadata: dict[str, str] = json.loads(raw[8 : 8 + size])["__metadata__"]
    return metadata


def altered(path: Path, target: Path, **changes: object) -> Path:
    """Write a copy whose header says something else."""
    metadata = header_of(path)
    header = json.loads(metadata["napari-vaegan"])
    header.update(changes)
    metadata["napari-vaegan"] = json.dumps(header)
    save_file(load_file(path), target, metadata=metadata)
    return target


def test_a_saved_model_restores_as_before(tiny_model: nv.Model, tiny_model_file: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    before, after = tiny_model.denoise(image, samples=2), nv.load(tiny_model_file).denoise(image, samples=2)
    np.testing.assert_allclose(after.samples, before.samples, atol=1e-3)
    np.testing.assert_allclose(after.std, before.std, rtol=1e-5)
    assert after.quantiles == before.quantiles


def test_the_header_is_json_that_says_how_the_model_was_made(tiny_model_file: Path) -> None:
    header = json.loads(header_of(tiny_model_file)["napari-vaegan"])
    assert header["config"]["preset"] == "tiny"
    assert header["stages"] == ["vae", "warm-up", "adversarial", "prior"]
    assert header["training_set"]["planes"] == 8
    assert {"versions", "curves", "scaling", "calibration"} <= set(header)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(nv.ModelFileError, match=r"nowhere\.vaegan"):
        nv.load(tmp_path / "nowhere.vaegan")


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(tiny_model_file: Path, tmp_path: Path, share: float) -> None:
    raw = tiny_model_file.read_bytes()
    cut = tmp_path / "cut.vaegan"
    cut.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(nv.ModelFileError, match=r"cut\.vaegan"):
        nv.load(cut)


def test_altered_weights_are_refused(tiny_model_file: Path, tmp_path: Path) -> None:
    raw = bytearray(tiny_model_file.read_bytes())
    raw[-3] ^= 0xFF
    bad = tmp_path / "bad.vaegan"
    bad.write_bytes(raw)
    with pytest.raises(nv.ModelFileError, match="altered"):
        nv.load(bad)


def test_a_newer_format_asks_for_an_update(tiny_model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(nv.ModelFileError, match="update napari-vaegan"):
        nv.load(altered(tiny_model_file, tmp_path / "new.vaegan", format_version=99))


@pytest.mark.parametrize(
    "changes",
    [{"channels": 3}, {"channels": 10**9}, {"config": {"preset": "large"}}, {"config": 7}, {"dtype": "object"}],
)
def test_a_header_that_promises_other_weights_is_refused(tiny_model_file: Path, tmp_path: Path, changes: dict) -> None:
    with pytest.raises(nv.ModelFileError):
        nv.load(altered(tiny_model_file, tmp_path / "lie.vaegan", **changes))


def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    liar = tmp_path / "liar.vaegan"
    liar.write_bytes((2**40).to_bytes(8, "little") + b"{}" * 100)
    with pytest.raises(nv.ModelFileError, match="truncated"):
        nv.load(liar)


def test_another_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "other.vaegan")
    with pytest.raises(nv.ModelFileError, match="not a napari-vaegan model"):
        nv.load(tmp_path / "other.vaegan")


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    (tmp_path / "evil.vaegan").write_bytes(pickle.dumps(Evil()) * 100)
    with pytest.raises(nv.ModelFileError):
        nv.load(tmp_path / "evil.vaegan")
    assert not (tmp_path / "executed").exists()


def test_a_model_is_not_overwritten_unless_told_to(tiny_model: nv.Model, tmp_path: Path) -> None:
    path = tmp_path / "mine.vaegan"
    path.write_text("precious")
    with pytest.raises(nv.OutputError, match="exists already"):
        tiny_model.save(path)
    assert path.read_text() == "precious"
    tiny_model.save(path, overwrite=True)
    assert nv.load(path).channels == 1


def test_a_folder_that_does_not_exist_is_named(tiny_model: nv.Model, tmp_path: Path) -> None:
    with pytest.raises(nv.OutputError, match="absent"):
        tiny_model.save(tmp_path / "absent" / "model.vaegan")


SAVE_FOR_EVER = """
import sys
import napari_vaegan as nv
model = nv.load(sys.argv[1])
print("ready", flush=True)
while True:
    model.save(sys.argv[2], overwrite=True)
"""


def test_a_kill_while_saving_never_leaves_half_a_file(tiny_model_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "killed.vaegan"
    for delay in (0.02, 0.11, 0.23):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOR_EVER, str(tiny_model_file), str(target)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if target.exists():
            assert nv.load(target).channels == 1
