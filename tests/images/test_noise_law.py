from __future__ import annotations

import json

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import convolve, gaussian_filter

from napari_vaegan.images.noise_law import NoiseLaw, fit_noise_law, relative_level

SIZE = 384
KERNEL = np.array([[0, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 0]])


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def blobs(random: np.random.Generator) -> np.ndarray:
    """A smooth scene from 0 to 1."""
    spots = gaussian_filter((random.random((SIZE, SIZE)) < 0.001).astype(float), 6)
    return spots / spots.max()


def photographed(
    light: np.ndarray, gain: float, read_noise: float, offset: float, random: np.random.Generator
) -> np.ndarray:
    return np.rint(offset + gain * random.poisson(light) + random.normal(0, read_noise, light.shape))


def correlated(shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    noise = convolve(random.standard_normal(shape), KERNEL, mode="wrap")
    return noise / noise.std()


def white() -> np.ndarray:
    correlation = np.zeros((5, 5))
    correlation[2, 2] = 1
    return correlation


def assert_std_is_found(law: NoiseLaw, clean: np.ndarray, gain: float, read_noise: float, offset: float) -> None:
    intensities = np.quantile(clean, np.linspace(0.02, 0.98, 9))
    variance = gain * (intensities - offset) + read_noise**2
    np.testing.assert_allclose(np.sqrt(law.variance(intensities)), np.sqrt(variance), rtol=0.1)


@pytest.mark.parametrize(
    ("gain", "read_noise", "offset", "photons", "dtype"),
    [(0.5, 5, 20, 350, np.uint8), (2, 3, 30, 80, np.uint8), (10, 8, 200, 300, np.uint16), (50, 2, 100, 30, np.float32)],
)
def test_law_of_photons_and_camera_is_found_to_a_tenth(random, gain, read_noise, offset, photons, dtype):
    light = photons * (0.02 + blobs(random))
    pixels = photographed(light, gain, read_noise, offset, random)
    law = fit_noise_law([pixels.clip(0, 255 if dtype == np.uint8 else None).astype(dtype)])
    assert_std_is_found(law, offset + gain * light, gain, read_noise, offset)
    assert law.gain == pytest.approx(gain, rel=0.1)
    assert law.white
    assert law.transfer.fits


def test_law_is_found_in_an_image_of_a_microscope(random):
    light = gaussian_filter(skimage.data.cell().astype(float), 1)
    law = fit_noise_law([photographed(light, 2, 3, 50, random)])
    assert_std_is_found(law, 50 + 2 * light, 2, 3, 50)


def test_noise_that_does_not_grow_with_the_light_has_no_gain(random):
    law = fit_noise_law([1000 * blobs(random) + random.normal(0, 20, (SIZE, SIZE))])
    assert law.read_noise == pytest.approx(20, rel=0.1)
    assert law.gain * 1000 < 0.2 * 20**2


def test_correlated_noise_is_recognised_and_not_taken_for_weaker(random):
    clean = 60 + 500 * blobs(random)
    variance = 2 * clean + 100
    law = fit_noise_law([clean + np.sqrt(variance) * correlated(clean.shape, random)])
    assert not law.white
    # The kernel holds 1 and four halves: 2 in all when squared, and two products of a half at neighbours.
    np.testing.assert_allclose(law.correlation[[1, 2, 2, 3], [2, 1, 3, 2]], 0.5, atol=0.1)
    np.testing.assert_array_equal(law.correlation, law.correlation[::-1, ::-1])
    assert law.correlation[2, 2] == 1
    assert np.sqrt(law.variance(clean).mean()) == pytest.approx(np.sqrt(variance.mean()), rel=0.1)


@pytest.mark.parametrize("picture", ["brick", "grass", "gravel", "camera", "moon", "page"])
def test_structure_is_not_taken_for_a_law(picture):
    pixels = getattr(skimage.data, picture)()
    law = fit_noise_law([pixels])
    assert law.white
    assert not law.transfer.fits
    assert relative_level(law, pixels, np.ptp(pixels)) < 0.05


@pytest.mark.parametrize(("lowest", "highest"), [(0, 220), (0, 180), (40, 255)])
def test_saturation_does_not_bias_the_law(random, lowest, highest):
    light = 120 * np.clip(1.5 * blobs(random), 0.02, 1.2)
    pixels = photographed(light, 2, 4, 35, random).clip(lowest, highest).astype(np.uint8)
    assert max((pixels == lowest).mean(), (pixels == highest).mean()) > 0.01
    law = fit_noise_law([pixels])
    assert law.gain == pytest.approx(2, rel=0.15)


def test_ends_of_the_range_can_be_told(random):
    light = 120 * np.clip(1.5 * blobs(random), 0.02, 1.2)
    pixels = photographed(light, 2, 4, 35, random).clip(0, 200)
    assert fit_noise_law([pixels], highest=200).gain == pytest.approx(2, rel=0.15)
    assert fit_noise_law([pixels], highest=0) is None


def test_planes_of_a_stack_are_fitted_together(random):
    light = 80 * (0.02 + blobs(random))
    planes = [photographed(light[:96, :96], 2, 3, 30, random) for _ in range(40)]
    assert fit_noise_law(planes).gain == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("pixels", [np.zeros((64, 64)), np.full((64, 64), 255, np.uint8), np.eye(7), np.zeros((0, 9))])
def test_there_is_no_law_of_constant_or_tiny_images(pixels):
    assert fit_noise_law([pixels]) is None


@settings(max_examples=40, deadline=None)
@given(
    pixels=hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64]),
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
        elements=st.integers(0, 100),
    )
)
def test_every_law_is_finite_and_never_negative(pixels):
    law = fit_noise_law([pixels])
    if law is not None:
        assert law.gain >= 0
        assert law.read_noise >= 0
        assert np.isfinite([law.gain, law.offset, law.read_noise]).all()
        assert np.isfinite(law.variance(pixels)).all()
        assert np.abs(law.correlation).max() <= 1
        assert np.isfinite(law.transfer.misfit)


def test_pixels_that_are_not_finite_are_left_out(random):
    pixels = 1000 * blobs(random) + random.normal(0, 20, (SIZE, SIZE))
    pixels[:50, :50] = np.nan
    assert fit_noise_law([pixels]).read_noise == pytest.approx(20, rel=0.1)


def test_variance_grows_from_that_of_the_camera():
    law = NoiseLaw(gain=2, offset=100, read_noise=3, correlation=white())
    np.testing.assert_array_equal(law.variance([[50, 100], [110, 200]]), [[9, 9], [29, 209]])
    assert law.variance(110.0) == 29
    assert relative_level(law, np.array([110, 110]), 10) == pytest.approx(np.sqrt(29) / 10)


def test_a_scaled_law_is_that_of_scaled_intensities(random):
    pixels = photographed(80 * (0.02 + blobs(random)), 2, 3, 30, random)
    law = fit_noise_law([pixels])
    scaled = law.scaled(40, 200)
    np.testing.assert_allclose(scaled.variance((pixels - 40) / 200), law.variance(pixels) / 200**2)
    np.testing.assert_allclose(scaled.transfer.variances, law.transfer.variances / 200**2)
    again = fit_noise_law([(pixels - 40) / 200])
    assert scaled.gain == pytest.approx(again.gain)
    assert (scaled.transfer.fits, scaled.transfer.misfit) == (law.transfer.fits, law.transfer.misfit)


def test_laws_survive_json(random):
    fitted = fit_noise_law([photographed(80 * (0.02 + blobs(random)), 2, 3, 30, random)])
    for law in (fitted, NoiseLaw(2, 100, 3, white(), transfer=None)):
        again = NoiseLaw.from_dict(json.loads(json.dumps(law.to_dict())))
        assert again.to_dict() == law.to_dict()
        np.testing.assert_array_equal(again.variance([5, 500]), law.variance([5, 500]))


def test_a_drawn_pattern_without_noise_has_no_law() -> None:
    assert fit_noise_law([np.tile(np.array([62, 63], np.uint8), (64, 32))]) is None
