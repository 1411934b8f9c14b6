#!/usr/bin/env python3
"""Train what a user would pick instead on the noisy images of ``denoise_pairs`` alone; score it as the referee does ours.

    python benchmarks/peers.py careamics --data DATA [--minutes 9.25] [--note "beside other work"]

A peer gets an environment of its own in ``.peers``, made once, so that neither its pins nor its torch touch ours; it is
trained and applied there by its script in ``benchmarks/peers``. DATA is the folder that ``restoration.py`` takes, of which
``denoise_pairs/raw`` is trained on and restored, and ``denoise_pairs/gt`` only compared with. Figures go to
``benchmarks/results/peers``. The first run installs several gigabytes where pip finds no torch for the processor alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from skimage import io

from peer import Peer
from restoration import PAIRS, RESULTS, commit, machine

CAREAMICS = Peer(
    method="Noise2Void",
    # careamics 0.3.5 takes no torchvision above 0.26; 0.24.1 belongs to torch 2.9.1.
    requirements=("careamics==0.3.5", "torch==2.9.1", "torchvision==0.24.1"),
    script="careamics_n2v.py",
)
PEERS = {"careamics": CAREAMICS}


def psnr255(estimate: np.ndarray, truth: np.ndarray) -> float:
    """Return the PSNR in dB for a peak of 255, of values as they are: neither clipped nor rounded."""
    return float(10 * np.log10(255**2 / ((estimate.astype(np.float64) - truth) ** 2).mean()))


def score(noisy: Path, truths: Path, restored: Path) -> list[dict[str, Any]]:
    """Return the PSNR of each image, noisy and restored."""
    rows = []
    for path in sorted(noisy.iterdir()):
        truth = io.imread(truths / path.name)
        estimate = np.load(restored / f"{path.stem}.npy")
        rows.append(
            {
                "image": path.stem,
                "psnr255": round(psnr255(estimate, truth), 3),
                "noisy_psnr255": round(psnr255(io.imread(path), truth), 3),
            }
        )
    return rows


def measure(name: str, pairs: Path, minutes: float) -> dict[str, Any]:
    """Train a peer on the noisy images, apply it to them and score it."""
    peer, measured = PEERS[name], commit()
    with tempfile.TemporaryDirectory() as folder:
        training = peer.train(pairs / "raw", Path(folder), minutes)
        rows = score(pairs / "raw", pairs / "gt", Path(folder))
    return {
        "peer": name,
        "method": peer.method,
        "set": PAIRS,
        "minutes": minutes,
        **training,
        "images": len(rows),
        "commit": measured,
        "machine": machine(),
        "figures": {key: round(float(np.mean([row[key] for row in rows])), 3) for key in ("psnr255", "noisy_psnr255")},
        "figures_of_images": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--data", type=Path, required=True, help="folder of the image sets")
    parser.add_argument("--minutes", type=float, default=9.25)
    parser.add_argument("--note", default="", help="what to tell beside the figures, such as other work on the machine")
    options = parser.parse_args()
    result = measure(options.peer, options.data.resolve() / PAIRS, options.minutes)
    command = f"python benchmarks/peers.py {options.peer} --data DATA --minutes {options.minutes:g}"
    path = RESULTS / "peers" / f"{options.peer}-{PAIRS}-{options.minutes:g}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"command": command, "note": options.note, **result}, indent=1) + "\n")
    figures = result["figures"]
    print(f"{options.peer}: {figures['psnr255']:.2f} dB, noisy {figures['noisy_psnr255']:.2f} dB; written: {path}")


if __name__ == "__main__":
    main()
