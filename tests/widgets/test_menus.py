from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication, QMainWindow, QMenu

DOCKS = ("Train", "Generate", "Inpaint", "Super-resolve", "Denoise", "Restore folder")


def entries(menu: QMenu) -> Iterator[str]:
    menu.aboutToShow.emit()
    for action in menu.actions():
        inner = action.menu()
        if inner is not None:
            yield from entries(inner)
        else:
            yield action.text().replace("&", "")


def menus(name: str) -> set[str]:
    windows = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMainWindow)]
    for window in windows:
        for action in window.menuBar().actions():
            if action.text().replace("&", "") == name:
                return set(entries(action.menu()))
    raise LookupError(name)


def named(dock: str, listed: set[str]) -> bool:
    return any(entry.startswith(dock) and "VAE-GAN" in entry for entry in listed)


def test_docks_are_found_in_the_layers_menu(make_napari_viewer_proxy: Callable[..., Any]) -> None:
    make_napari_viewer_proxy()
    listed = menus("Layers")
    assert [dock for dock in DOCKS if not named(dock, listed)] == []


def test_training_and_generating_are_found_in_the_file_menu(make_napari_viewer_proxy: Callable[..., Any]) -> None:
    make_napari_viewer_proxy()
    listed = menus("File")
    assert [dock for dock in ("Train", "Generate") if not named(dock, listed)] == []


def test_the_sample_opens_with_its_voxel_size(make_napari_viewer_proxy: Callable[..., Any]) -> None:
    viewer = make_napari_viewer_proxy()
    viewer.open_sample("napari-vaegan", "nuclei")
    layer = viewer.layers["nuclei"]
    assert layer.data.shape == (26, 256, 256)
    assert tuple(layer.scale) == (0.29, 0.26, 0.26)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3


@pytest.mark.parametrize("title", DOCKS)
def test_docks_open_by_their_names_in_the_plugins_menu(make_napari_viewer_proxy: Callable[..., Any], title: str) -> None:
    viewer = make_napari_viewer_proxy()
    _, dock = viewer.window.add_plugin_dock_widget("napari-vaegan", title)
    assert dock.run_button.text()
    assert dock.hindrance()
    assert dock.minimumSizeHint().width() <= 300
