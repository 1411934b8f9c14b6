"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest
from listener import TINY, Listener

import napari_vaegan as nv


@pytest.fixture(scope="session")
def whole(textured_images: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[nv.Model, Listener]:
    """A training of forty steps that nothing interrupted."""
    listener = Listener()
    checkpoint = tmp_path_factory.mktemp("whole") / "whole.checkpoint"
    return nv.train(textured_images, nv.TrainingConfig(**TINY, steps=40), on_event=listener, checkpoint=checkpoint), listener
