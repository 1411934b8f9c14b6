from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from scipy.ndimage import gaussian_filter

import napari_vaegan as nv
import napari_vaegan.training_check
from napari_vaegan.training.estimate import Estimate, StageCost
from napari_vaegan.training.events import Started, Warned

QUICK = {"preset": "tiny", "patch_size": 32, "batch_size": 8, "device": "cpu", "precision": "float32", "tasks": ("denoise",)}
SIZE = 256


def scene(random: np.random.Generator, noise: np.ndarray | float = 0.0) -> np.ndarray:
    """A clean 8-bit image of smooth spots, with noise in parts of the range that they fill."""
    spots = gaussian_filter((random.random((SIZE, SIZE)) < 0.001).astype(float), 5)
    levels = spots / spots.max() + noise + random.normal(0, 0.003, (SIZE, SIZE))
    return np.clip(np.rint(30 + 150 * levels), 0, 255).astype(np.uint8)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def clean_images(random: np.random.Generator) -> list[np.ndarray]:
    return [scene(random) for _ in range(12)]


def check(source: object, **settings: object) -> nv.TrainingCheck:
    return nv.check(source, nv.TrainingConfig(**QUICK | settings))


@pytest.fixture
def no_trial_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try no steps: what is said of the images does not depend on how long they take."""
    estimate = Estimate(parameters=1, memory_bytes=1, stages=(StageCost(1.0, 0.001),), validation_seconds=0.001)
    monkeypatch.setattr(napari_vaegan.training_check, "estimate_training", lambda *images, **settings: estimate)


def test_nothing_is_wrong_with_clean_images(clean_images):
    found = check(clean_images, steps=100)
    assert found.warnings == ()
    assert found.skipped == ()
    assert (found.images, found.planes, found.channels, found.colour) == (12, 12, 1, False)
    assert (found.axes, found.dtype) == (("YX",), "uint8")
    assert found.smallest == found.largest == (SIZE, SIZE)
    assert found.intensities == (min(image.min() for image in clean_images), max(image.max() for image in clean_images))
    assert found.device == "cpu"
    assert 0 < found.memory_bytes < found.available_bytes


def test_the_check_sees_what_training_sees(textured_images, tmp_path):
    (tmp_path / "raw").mkdir()
    for image in textured_images.glob("*.tif"):
        (tmp_path / "raw" / image.name).write_bytes(image.read_bytes())
    (tmp_path / "raw" / "notes.txt").write_text("a bad day")
    stack = np.stack([tifffile.imread(textured_images / "cell0.tif")] * 3)
    tifffile.imwrite(tmp_path / "raw" / "stack.tif", stack[:, :60], photometric="minisblack")
    config = nv.TrainingConfig(**QUICK, steps=1)
    found = nv.check(tmp_path / "raw", config)
    events: list[object] = []
    nv.train(tmp_path / "raw", config, on_event=events.append, checkpoint=tmp_path / "checkpoint")
    (started,) = [event for event in events if isinstance(event, Started)]
    assert found.images == started.images == 5
    assert found.planes == started.planes + started.validation_planes == 7
    assert tuple(f"{item.name}: {item.reason}" for item in found.skipped) == started.skipped
    assert (found.device, found.parameters) == (started.device, started.parameters)
    notes = [event.message for event in events if isinstance(event, Warned)]
    assert notes
    assert list(found.warnings[: len(notes)]) == notes
    assert found.axes == ("TYX", "YX")
    assert (found.smallest, found.largest) == ((60, 96), (96, 96))


@pytest.mark.usefixtures("no_trial_steps")
def test_colour_and_channels_are_told(random):
    picture = random.integers(0, 255, (3, 64, 64, 3), np.uint8)
    found = check(list(picture), steps=1)
    assert (found.axes, found.channels, found.colour) == (("YXC",), 3, True)
    found = check(random.integers(0, 999, (4, 2, 64, 64), np.uint16), axes="TCYX", steps=1)
    assert (found.axes, found.channels, found.colour, found.dtype) == (("TCYX",), 2, False, "uint16")


def test_steps_given_take_time_and_time_given_holds_steps(clean_images):
    found = check(clean_images, steps=1000)
    assert found.steps == 1000
    assert found.seconds > 0
    found = check(clean_images, minutes=60)
    assert found.seconds == 3600
    assert found.steps > 1000


def test_too_little_time_is_warned_of(clean_images):
    (warning,) = check(clean_images, minutes=1e-6).warnings
    assert "give more minutes" in warning


@pytest.mark.usefixtures("no_trial_steps")
def test_too_few_images_are_warned_of(clean_images):
    (warning,) = check(clean_images[:4], steps=1).warnings
    assert "only 4 planes" in warning
    assert "give more images" in warning


@pytest.mark.usefixtures("no_trial_steps")
def test_many_images_of_few_pixels_are_warned_of(clean_images):
    (warning,) = check([image[:64, :64] for image in clean_images], steps=1).warnings
    assert "only 12 planes of 0.049 million pixels" in warning


@pytest.mark.usefixtures("no_trial_steps")
def test_planes_smaller_than_the_patches_are_warned_of(clean_images):
    clean_images[0] = clean_images[0][:40]
    (warning,) = check(clean_images, steps=1, patch_size=64).warnings
    assert "1 plane of 12 is smaller than the patches of 64 pixels" in warning
    assert "set patch_size to 32" in warning


@pytest.mark.usefixtures("no_trial_steps")
def test_saturated_images_are_counted(clean_images):
    for image in clean_images[:3]:
        image[:32] = 255
    (warning,) = check(clean_images, steps=1).warnings
    assert "In 3 of the 12 images" in warning
    assert "saturated" in warning


@pytest.mark.usefixtures("no_trial_steps")
def test_noisy_images_are_warned_of(random):
    noisy = [scene(random, random.normal(0, 0.08, (SIZE, SIZE))) for _ in range(12)]
    (warning,) = check(noisy, steps=1).warnings
    assert warning.startswith("12 of the 12 images looked at are noisy")
    assert "nothing needs to be set" in warning


@pytest.mark.usefixtures("no_trial_steps")
def test_a_few_noisy_images_among_clean_ones_are_not_warned_of(clean_images, random):
    clean_images[0] = scene(random, random.normal(0, 0.08, (SIZE, SIZE)))
    assert check(clean_images, steps=1).warnings == ()


@pytest.mark.usefixtures("no_trial_steps")
def test_correlated_noise_is_warned_of(random):
    def correlated() -> np.ndarray:
        noise = gaussian_filter(random.standard_normal((SIZE, SIZE)), 0.8)
        return 0.08 * noise / noise.std()

    noisy, alike = check([scene(random, correlated()) for _ in range(12)], steps=1).warnings
    assert "noisy" in noisy
    assert "In 12 of the 12 images looked at the noise of neighbouring pixels is correlated" in alike


def test_memory_that_is_too_short_is_warned_of(clean_images):
    found = check(clean_images, steps=1, patch_size=1024, batch_size=1024)
    assert found.memory_bytes > found.available_bytes
    assert any("choose a smaller preset or batch_size" in warning for warning in found.warnings)


def test_memory_that_does_not_even_hold_the_weights_is_warned_of(clean_images, monkeypatch):
    monkeypatch.setattr("napari_vaegan.training.estimate.available_memory", lambda device: 1000)
    found = check(clean_images, steps=7)
    assert (found.steps, found.seconds) == (7, None)
    assert any(warning.startswith("Training needs more than") for warning in found.warnings)
    assert check(clean_images, minutes=7).steps is None


def test_larger_batches_and_networks_need_more_memory(clean_images):
    small, large = (check(clean_images, steps=1, batch_size=size) for size in (8, 64))
    assert small.memory_bytes < large.memory_bytes
    assert small.parameters < check(clean_images, steps=1, preset="small").parameters


def test_progress_rises_to_the_end_and_can_stop_the_check(clean_images):
    shares: list[float] = []
    config = nv.TrainingConfig(**QUICK)
    nv.check(clean_images, config, on_progress=shares.append)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)

    class Enough(Exception):
        pass

    for limit in (0.1, 0.65, 0.75):

        def stop(share: float, limit: float = limit) -> None:
            if share > limit:
                raise Enough

        with pytest.raises(Enough):
            nv.check(clean_images, config, on_progress=stop)


def test_random_numbers_are_left_as_they_were(clean_images):
    before = torch.random.get_rng_state()
    check(clean_images, steps=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_public_name_is_not_hidden_by_its_module():
    assert nv.check is napari_vaegan.training_check.check


def test_what_cannot_be_used_is_refused(tmp_path: Path, clean_images):
    with pytest.raises(nv.DataError, match="is empty"):
        check(tmp_path)
    with pytest.raises(nv.SettingError, match="abacus"):
        check(clean_images, device="abacus")
