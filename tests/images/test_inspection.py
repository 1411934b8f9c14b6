from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

from napari_vaegan.images.collection import collect_images
from napari_vaegan.images.inspection import inspect, saturated_share

SIZE = 256


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def blobs(random: np.random.Generator) -> np.ndarray:
    """A smooth scene from 0 to 1 on a background that fills most of it."""
    spots = gaussian_filter((random.random((SIZE, SIZE)) < 0.0003).astype(float), 5)
    return spots / spots.max()


def correlated_noise(random: np.random.Generator, std: float) -> np.ndarray:
    noise = gaussian_filter(random.standard_normal((SIZE, SIZE)), 0.8)
    return std * noise / noise.std()


def as_uint8(scene: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(40 + 180 * scene), 0, 255).astype(np.uint8)


def test_noise_is_told_as_a_share_of_the_range_and_in_grey_levels(random):
    pixels = 100 + 1000 * (blobs(random) + random.normal(0, 0.05, (SIZE, SIZE)))
    planes = collect_images(pixels).planes
    found = inspect(planes)
    assert (found.noisy, found.correlated, found.fitting) == (1, 0, 1)
    assert found.read_noise == pytest.approx(50, rel=0.1)
    assert found.noise_std == pytest.approx(50 / planes[0].scaling.span[0], rel=0.1)


@pytest.mark.parametrize("picture", ["brick", "grass", "gravel", "moon", "page"])
def test_texture_is_not_taken_for_correlated_noise(picture):
    pixels = getattr(skimage.data, picture)()
    found = inspect(collect_images(pixels, "YX").planes)
    assert found.correlated == 0


def test_nothing_is_told_of_the_noise_of_too_few_pixels(random):
    found = inspect(collect_images(random.random((9, 9))).planes)
    assert found.images == 1
    assert found.noisy == 0
    assert np.isnan(found.noise_std)


@pytest.mark.parametrize(
    ("dtype", "highest"), [(np.uint8, 255), (np.uint16, 65535), (np.uint16, 4095), (np.float32, 1000.5)]
)
def test_pixels_at_the_end_of_the_dtype_or_in_a_clump_at_the_highest_level_are_saturated(random, dtype, highest):
    pixels = random.uniform(0, 0.9 * highest, (SIZE, SIZE)).astype(dtype)
    assert saturated_share(pixels) < 0.001
    pixels[:32, :64] = highest
    assert saturated_share(pixels) == pytest.approx(1 / 32)


def test_labels_and_constant_images_are_not_saturated():
    labels = np.repeat(np.arange(4, dtype=np.uint8), 1024).reshape(64, 64)
    assert saturated_share(labels) == 0
    assert saturated_share(np.full((64, 64), 7, np.uint8)) == 0


def test_images_are_counted_and_not_planes(random):
    scenes = [as_uint8(blobs(random)) for _ in range(6)]
    scenes[0][:64] = scenes[1][:64] = 255
    noisy = [as_uint8(blobs(random) + correlated_noise(random, 0.1)) for _ in range(2)]
    found = inspect(collect_images([np.stack(scenes), np.stack(noisy), scenes[5]]).planes)
    assert (found.images, found.saturated, found.noisy, found.correlated) == (3, 1, 1, 1)


def test_looking_at_images_can_be_stopped(random):
    planes = collect_images(np.stack([as_uint8(blobs(random))] * 4)).planes
    shares = []

    def stop_at_half(share: float) -> None:
        shares.append(share)
        if share >= 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        inspect(planes, on_progress=stop_at_half)
    assert shares == [0, 0.25, 0.5]
