#!/usr/bin/env python3
"""Train CAREamics' Noise2Void on a folder of noisy images and apply it to them.

    python careamics_n2v.py NOISY RESULTS --minutes 9.25

Run by ``peers.py`` in CAREamics' own environment. Settings are those of CAREamics' quick start, patches of 64² in batches
of 8, but for the end, which is a time here instead of a number of epochs. RESULTS receives one ``.npy`` for each image, and
``training.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from careamics.careamist import CAREamist
from careamics.config.factories import create_advanced_n2v_config
from skimage import io

PATCH = 64
BATCH = 8
SEED = 1


def new_careamist(minutes: float, folder: Path) -> CAREamist:
    """Return an untrained Noise2Void that will train for so many minutes and keep its files in a folder."""
    config = create_advanced_n2v_config(
        experiment_name="n2v",
        data_type="array",
        axes="YX",
        patch_size=[PATCH, PATCH],
        batch_size=BATCH,
        num_epochs=-1,  # without end: the time alone is the limit
        trainer_params={"max_time": {"seconds": round(60 * minutes)}},
        seed=SEED,
    )
    return CAREamist(config, work_dir=folder, enable_progress_bar=False)


def steps_of_last_checkpoint(careamist: CAREamist) -> int:
    """Return the number of steps after which the weights were saved that CAREamics applies, those of its last checkpoint."""
    checkpoint = torch.load(careamist.get_checkpoints()[-1], map_location="cpu", weights_only=False)
    return int(checkpoint["global_step"])


def train(careamist: CAREamist, images: list[np.ndarray]) -> dict[str, Any]:
    """Train, and say how."""
    begin, busy = time.perf_counter(), time.process_time()
    careamist.train(train_data=images)
    return {
        "training_seconds": round(time.perf_counter() - begin, 1),
        "training_cpu_seconds": round(time.process_time() - busy, 1),  # without the process that cuts the patches
        "steps": careamist.trainer.global_step,
        "applied_steps": steps_of_last_checkpoint(careamist),
        "epochs": careamist.trainer.current_epoch,
        "patch": PATCH,
        "batch": BATCH,
        "seed": SEED,
        "threads": torch.get_num_threads(),
        "packages": {name: version(name) for name in ("careamics", "torch", "lightning", "numpy")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noisy", type=Path, help="folder of grey images")
    parser.add_argument("results", type=Path, help="empty folder")
    parser.add_argument("--minutes", type=float, required=True)
    options = parser.parse_args()
    paths = sorted(options.noisy.iterdir())
    images = [io.imread(path).astype(np.float32) for path in paths]
    careamist = new_careamist(options.minutes, options.results / "careamics")
    training = train(careamist, images)
    restored, _ = careamist.predict(pred_data=images, batch_size=1)
    for path, image, estimate in zip(paths, images, restored, strict=True):
        np.save(options.results / f"{path.stem}.npy", estimate.reshape(image.shape))
    (options.results / "training.json").write_text(json.dumps(training, indent=1) + "\n")


if __name__ == "__main__":
    main()
