"""Whether a folder holds nothing but noisy images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_vaegan.images.collection import Plane, collect_images
from napari_vaegan.images.noisy_folder import find_noise

GAIN, OFFSET, READ = 4.0, 100.0, 6.0


def planes(photons: float | None, count: int = 6) -> tuple[Plane, ...]:
    """Images of uint16, smooth or with photon noise at so many photons where they are brightest."""
    random = np.random.default_rng(0)
    images = []
    for _ in range(count):
        blobs = gaussian_filter(random.standard_normal((256, 256)), 8)
        light = np.maximum(blobs, 0) / blobs.max()
        counts = light * 400 if photons is None else random.poisson(light * photons)
        noise = 0 if photons is None else random.normal(0, READ, light.shape)
        images.append(np.rint(OFFSET + GAIN * counts + noise).clip(0).astype(np.uint16))
    return collect_images(images).planes


def test_clean_images_count_as_clean() -> None:
    found = find_noise(planes(photons=None))
    assert not found.laws
    assert found.notes == ()
    assert all(plane.noise == () for plane in found.mark(planes(photons=None)))


def test_noisy_images_are_found_and_their_law_is_fitted() -> None:
    noisy = planes(photons=60)
    found = find_noise(noisy)
    assert len(found.laws) == 6
    assert found.typical[0].gain == pytest.approx(GAIN, rel=0.15)
    assert "noisy" in found.notes[0]
    for plane in found.mark(noisy):
        (law,) = plane.noise
        span, low = float(plane.scaling.span[0]), float(plane.scaling.low[0])
        light = np.array([150.0, 250.0])
        expected = (GAIN * (light - OFFSET) + READ**2) / span**2
        np.testing.assert_allclose(law.variance((light - low) / span), expected, rtol=0.25)


def test_noisy_images_can_be_taken_as_they_are() -> None:
    assert not find_noise(planes(photons=60), "clean").laws


def test_a_law_can_be_given_by_hand() -> None:
    found = find_noise(planes(photons=None), by_hand=(2.0, 100.0, 3.0))
    assert {(law.gain, law.offset, law.read_noise) for (law,) in found.laws.values()} == {(2.0, 100.0, 3.0)}
    assert "by hand" in found.notes[0]
