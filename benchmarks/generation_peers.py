#!/usr/bin/env python3
"""Train what a user would pick instead to generate images like those of a folder; score it as the referee does ours.

    python benchmarks/generation_peers.py diffusion --data DATA --referee evaluate.py [--set em] [--minutes 30]

A peer learns from crops of 64² pixels of ``train`` of a set in DATA, in an environment of its own in ``.peers``, made once.
The referee compares 256 generated images with crops of ``test``: kernel distance × 1000 (lower is better), density and
coverage. Figures go to ``benchmarks/results/peers``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray

from kernel_distance import load
from patches import sheet
from peer import Peer
from restoration import RESULTS, commit, machine

# torchvision 0.28 belongs to torch 2.13.
PEERS = {
    "diffusion": Peer(
        method="Diffusion model",
        requirements=("denoising-diffusion-pytorch==2.3.4", "torch==2.13.0", "torchvision==0.28.0", "scikit-image"),
        script="diffusion.py",
    ),
    "pythae": Peer(
        method="VAE-GAN of a library",
        requirements=("pythae==0.1.2", "torch==2.13.0", "scikit-image"),
        script="library_vaegan.py",
    ),
}
SHOWN, ACROSS = 64, 8


class Drawn:
    """Images that a peer made already, as the model that the referee asks for them."""

    def __init__(self, images: NDArray[np.float32]) -> None:
        self.images = images

    def generate(self, count: int, shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
        """Return the first images; the peer's script has settled their size and seed."""
        images = self.images[:count]
        assert images.shape == (count, *shape)
        return images


def measure(peer: Peer, folder: Path, minutes: float, referee: Path, picture: Path | None) -> dict[str, Any]:
    """Train a peer on the training images of a set and compare what it generates with the test images."""
    measured, judge = commit(), load(referee)
    with tempfile.TemporaryDirectory() as results:
        training = peer.train(folder / "train", Path(results), minutes)
        images = np.load(Path(results) / "images.npy")
    if picture:
        imageio.imwrite(picture, sheet(list(images[:SHOWN]), ACROSS))
    files = sorted((folder / "test").iterdir())
    (figures,) = judge.generation(Drawn(images), files, len(images), images.shape[-1])["generate"]
    figures["s_per_image"] = training.pop("s_per_image")
    return {
        "method": peer.method,
        "set": folder.name,
        "minutes": minutes,
        **training,
        "images": len(images),
        "commit": measured,
        "machine": machine(),
        "figures": {name: round(float(figure), 3) for name, figure in figures.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--data", type=Path, required=True, help="folder of the image sets")
    parser.add_argument("--referee", type=Path, required=True)
    parser.add_argument("--set", default="em", help="folder in DATA with train and test inside")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--picture", type=Path, help="where to draw the first 64 generated images")
    parser.add_argument("--note", default="", help="what to tell beside the figures, such as other work on the machine")
    options = parser.parse_args()
    folder = options.data.resolve() / options.set
    result = measure(PEERS[options.peer], folder, options.minutes, options.referee, options.picture)
    settings = f"--set {options.set} --minutes {options.minutes:g}"
    command = f"python benchmarks/generation_peers.py {options.peer} --data DATA --referee evaluate.py {settings}"
    path = RESULTS / "peers" / f"{options.peer}-{options.set}-{options.minutes:g}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"peer": options.peer, "command": command, "note": options.note, **result}, indent=1) + "\n")
    print(f"{options.peer}: {result['figures']}; written: {path}")


if __name__ == "__main__":
    main()
