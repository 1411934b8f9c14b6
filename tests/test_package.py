import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import napari_vaegan

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "src" / "napari_vaegan" / "napari.yaml"


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in finished.stdout.split()}


def test_import_loads_neither_torch_nor_qt_nor_napari() -> None:
    loaded = modules_after("import napari_vaegan")
    assert not loaded & {"torch", "napari", "qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6", "magicgui", "superqt"}


def test_opening_the_sample_loads_neither_torch_nor_napari() -> None:
    loaded = modules_after("from napari_vaegan.demo.data import nuclei_layers; nuclei_layers()")
    assert not loaded & {"torch", "napari"}


def test_everything_but_the_docks_works_where_napari_and_qt_are_absent() -> None:
    absent = "import sys; sys.modules |= dict.fromkeys(['napari', 'qtpy', 'magicgui', 'superqt', 'pyqtgraph'])"
    names = ", ".join(napari_vaegan.__all__)
    loaded = modules_after(
        f"{absent}; from napari_vaegan import {names}; import napari_vaegan.cli.app, napari_vaegan.demo.run"
    )
    assert "torch" in loaded


@pytest.mark.parametrize("name", napari_vaegan.__all__)
def test_public_name_resolves(name: str) -> None:
    assert getattr(napari_vaegan, name).__name__ == name


def test_names_that_do_not_exist_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        napari_vaegan.trian  # noqa: B018


def test_manifest_is_valid_and_its_functions_exist() -> None:
    command = [sys.executable, "-m", "npe2", "validate", "--imports", str(MANIFEST)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_top_level_manifest_is_a_relative_link_to_the_package_s() -> None:
    assert os.readlink(ROOT / "napari.yaml") == "src/napari_vaegan/napari.yaml"


def test_installed_package_announces_its_manifest() -> None:
    values = [entry.value for entry in entry_points(group="napari.manifest", name="napari-vaegan")]
    assert "napari_vaegan:napari.yaml" in values


def test_package_is_typed() -> None:
    assert (MANIFEST.parent / "py.typed").is_file()
