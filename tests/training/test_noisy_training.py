"""Training on noisy images alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import napari_vaegan as nv
from napari_vaegan.quality import measure
from napari_vaegan.training import stages
from napari_vaegan.training.batches import Batch
from napari_vaegan.training.events import Warned

TINY = {"preset": "tiny", "patch_size": 32, "batch_size": 8, "device": "cpu", "precision": "float32"}


@pytest.fixture(scope="module")
def pairs() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Clean images, and the same with few photons, uint16."""
    random = np.random.default_rng(0)
    fields = [gaussian_filter(random.standard_normal((192, 192)), 8) for _ in range(6)]
    clean = [100 + 500 * (field - field.min()) / np.ptp(field) for field in fields]
    noisy = [np.rint(100 + 10 * random.poisson((image - 100) / 10)).astype(np.uint16) for image in clean]
    return clean, noisy


@pytest.fixture(scope="module")
def trained(pairs: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[nv.Model, list[Any], list[Batch]]:
    """A model of the noisy images, what was told, and some of the batches that it learned from."""
    events: list[Any] = []
    batches: list[Batch] = []
    original = stages.mean_terms

    def watch(players: Any, batch: Batch, *rest: Any) -> Any:
        batches.append(batch)
        return original(players, batch, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "mean_terms", watch)
        for limit in ("SHORTEST_SECONDS", "LONGEST_SECONDS"):
            patch.setattr(measure, limit, 60.0)  # all rounds, on a slow machine too
        patch.setattr(measure, "MOST_ROUNDS", 12)
        path = tmp_path_factory.mktemp("noisy") / "c.checkpoint"
        config = nv.TrainingConfig(**TINY, steps=250, tasks=("denoise",), adversarial=False)
        model = nv.train(pairs[1], config, on_event=events.append, checkpoint=path)
    return model, events, batches


def test_noisy_images_are_recognised_and_said(trained: Any) -> None:
    model, events, _ = trained
    assert any(isinstance(event, Warned) and "what they are without noise" in event.message for event in events)
    (law,) = model.header.noise
    assert law.gain == pytest.approx(10, rel=0.2)


def test_every_patch_that_is_learned_from_has_noise_that_is_accounted_for(trained: Any) -> None:
    _, _, batches = trained
    assert batches
    assert not any(batch.noise.absent.any() for batch in batches)


def test_a_model_that_saw_noise_alone_denoises(trained: Any, pairs: Any) -> None:
    model, _, _ = trained
    for clean, noisy in zip(*pairs, strict=True):
        result = model.denoise(noisy, samples=0)
        before, after = ((image - clean).std() for image in (noisy.astype(float), result.mean))
        assert after < 0.75 * before


def test_error_bars_of_a_model_that_saw_noise_alone_are_of_the_size_of_its_errors(trained: Any, pairs: Any) -> None:
    model, _, _ = trained
    covered, expected, true = [], [], []
    for clean, noisy in zip(*pairs, strict=True):
        result = model.denoise(noisy, samples=0)
        low, high = result.interval(0.9)
        covered.append(((low <= clean) & (clean <= high)).mean())
        expected.append(np.square(result.std).mean())
        true.append(np.square(result.mean - clean).mean())
    assert np.mean(covered) > 0.95
    assert 1.2 < np.sqrt(np.mean(expected) / np.mean(true)) < 1.95  # the doubt of the law makes them rather too wide


def test_its_quality_is_judged_as_against_clean_images(trained: Any, pairs: Any) -> None:
    model, _, _ = trained
    (quality,) = model.header.quality.kinds
    span = model.typical_scaling.span[0]
    errors = [np.mean((model.denoise(noisy, samples=0).mean - clean) ** 2) for clean, noisy in zip(*pairs, strict=True)]
    true_psnr = -10 * np.log10(np.mean(errors) / span**2)
    assert true_psnr - 3 < quality.mean_psnr < true_psnr  # rather too low: it never flatters
    assert quality.sample_psnr < quality.average_psnr
    observed = dict(zip(quality.levels, quality.observed, strict=True))
    assert 0.85 < observed[0.9] < 0.97


def test_its_report_tells_the_law_of_the_noise_at_hand(trained: Any, pairs: Any) -> None:
    model, _, _ = trained
    noise = model.denoise(pairs[1][0], samples=0).report["noise"]
    assert noise["gain"][0] == pytest.approx(10, rel=0.3)
    assert noise["correlated"] == [False]


def test_it_warns_of_an_image_whose_noise_follows_no_law(trained: Any) -> None:
    model, _, _ = trained
    texture = (np.indices((96, 96)).sum(0) % 7 * 40 + 100).astype(np.uint16)
    report = model.denoise(texture, samples=0).report
    assert report["noise"] is None
    assert any("error bars for too small" in warning for warning in report["warnings"])


def test_calibration_survives_saving(trained: Any, pairs: Any, tmp_path: Path) -> None:
    model, _, _ = trained
    loaded = nv.load(model.save(tmp_path / "noisy.vaegan"))
    for before, after in zip(
        model.denoise(pairs[1][0], samples=0).interval(0.9),
        loaded.denoise(pairs[1][0], samples=0).interval(0.9),
        strict=True,
    ):
        np.testing.assert_allclose(after, before, rtol=1e-5)
    assert loaded.header.noise == model.header.noise
