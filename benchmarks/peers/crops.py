"""What the peers that generate images learn from, and how they hand over what they made: shared by their scripts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skimage import io

SIDE = 64
COUNT = 256
"""Images to generate: as many as the referee looks at."""

SEED = 0


class Crops:
    """Random crops of 64² pixels of a folder of grey images, drawn like the referee draws the real ones.

    Nearly empty ones are passed over, and each is stretched to 0…1, as the referee looks at it: a peer has nothing to learn
    but what is scored.
    """

    def __init__(self, folder: Path) -> None:
        images = [io.imread(path) for path in sorted(folder.iterdir())]
        self.images = [image if image.ndim == 2 else image[..., 0] for image in images]  # grey, stored in colours
        self.random = np.random.default_rng(SEED)

    def one(self) -> torch.Tensor:
        """Return a crop (1, 64, 64)."""
        while True:
            image = self.images[self.random.integers(len(self.images))]
            row, column = (self.random.integers(0, side - SIDE + 1) for side in image.shape)
            crop = image[row : row + SIDE, column : column + SIDE].astype(np.float32)
            if crop.std() > 0.05 * image.max():
                return torch.from_numpy((crop - crop.min()) / np.ptp(crop))[None]

    def batch(self, number: int) -> torch.Tensor:
        """Return crops (number, 1, 64, 64)."""
        return torch.stack([self.one() for _ in range(number)])


def arguments(description: str) -> argparse.Namespace:
    """Read what ``generation_peers.py`` calls a peer's script with."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of grey images to learn from")
    parser.add_argument("results", type=Path, help="empty folder")
    parser.add_argument("--minutes", type=float, required=True)
    return parser.parse_args()


def hand_over(results: Path, images: NDArray[np.float32], training: dict[str, Any]) -> None:
    """Write the images (number, 64, 64) that were generated, and what there is to say of the training."""
    np.save(results / "images.npy", images)
    (results / "training.json").write_text(json.dumps(training, indent=1) + "\n")


def parameters(*networks: torch.nn.Module) -> int:
    """Count the numbers that networks learn."""
    return sum(weights.numel() for network in networks for weights in network.parameters())
