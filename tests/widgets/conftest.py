"""What the tests of the docks share: a place of their own for what is remembered, and a viewer."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_vaegan.widgets import known_models as registry


@pytest.fixture(autouse=True)
def fresh_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered from other tests, or of the user who runs them; no model is known yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(registry.known_models, "_models", None)
    monkeypatch.setattr(registry.known_models, "_open", None)
