"""Fits to the spectra of an image's blocks: the correlation of its noise, and its variance at each intensity.

Images that went through optics hold little but noise in the fastest waves of a block, and the variance there, set against
that of all waves once the correlation is known, gives the variance of the noise (Ponomarenko et al. 2007; Colom and Buades,
Image Processing On Line 2013; Lebrun, Colom and Morel, Image Processing On Line 2015). Blocks without structure are chosen
by their slowest waves, and measured in the others, so that the choice does not favour blocks whose noise is weak by chance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.images.block_spectra import BLOCK, COARSE, FINE, ORDERS, REACH, WAVE_CORRELATION, Spectra

CORRELATED = 0.2
"""Mean correlation of neighbours from which on noise counts as correlated: structure that is left looks like a little."""

_ROUNDS = 3
_FINE_WAVES = 24
_FEWEST_FLAT = 16
_MOST_UNEXPLAINED = {0.1: 0.8, 0.05: 0.6, 0.025: 0.5}
"""Share of the blocks that are taken for flat, and how much of what noise explains their slowest waves may hold."""
_WEAKEST_WAVE = 0.05
_WEAKEST_NOISE = 0.002

_MOST_POINTS = 24
_FEWEST_OF_POINT = 24
_FLATTEST_OF_POINT = 0.25
_FEWEST_FLAT_OF_POINT = 12

_SWEEPS = 20
_MODEL_ERROR = 0.05
_ABOVE, _BELOW = 2.0, 3.0
"""Errors above and below the line from which on a point counts less; structure only adds."""

Points = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def fit_noise(spectra: Spectra) -> tuple[Points, NDArray[np.float64], bool]:
    """Fit correlation and variances of noise to blocks, in turns.

    Returns
    -------
    points : tuple of three ndarray (points,)
        Intensities, variances of the noise, and the errors of these.
    correlation : ndarray (3, 3)
        At distances of 0 to 2 pixels in Y and X; that of white noise where it is nearly white, or cannot be told
        from structure.
    told : bool
        Whether noise can be told from structure.
    """
    energies = spectra.energies.reshape(len(spectra), -1)
    coarse = energies[:, COARSE.ravel()].mean(1)
    correlation, told = white(), False
    spectrum, fine = np.ones(BLOCK**2), FINE.ravel()
    for _ in range(_ROUNDS):
        variances = energies[:, fine].sum(1) / spectrum[fine].sum()
        if not variances.any():  # no noise whatever, as in patterns that were drawn
            break
        slope, intercept = fit_line(*transfer_points(spectra.means, coarse, variances))
        expected = np.maximum(slope * spectra.means + intercept, 0.1 * variances.mean())
        relative = energies / expected[:, None]
        correlation, told = _correlation(relative, coarse / expected)
        spectrum = WAVE_CORRELATION @ correlation.ravel()
        spectrum = np.maximum(spectrum, _WEAKEST_NOISE * spectrum.max())
        fine = _least_structured(relative.mean(0) / spectrum)
    variances = energies[:, fine].sum(1) / spectrum[fine].sum()
    return transfer_points(spectra.means, coarse, variances), correlation, told


def white() -> NDArray[np.float64]:
    """Return the correlation ``(3, 3)`` of noise that is independent from pixel to pixel."""
    correlation = np.zeros((REACH + 1, REACH + 1))
    correlation[0, 0] = 1
    return correlation


def _least_structured(structure: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose the waves ``(64,)`` in which structure adds least to the noise; never slow ones."""
    candidates = np.where(_faster_than_coarse(), structure, np.inf)
    fine = np.zeros(BLOCK**2, bool)
    fine[np.argsort(candidates)[:_FINE_WAVES]] = True
    return fine


def _faster_than_coarse() -> NDArray[np.bool_]:
    faster: NDArray[np.bool_] = ORDERS.ravel() > ORDERS[COARSE].max()
    return faster


def _correlation(relative: NDArray[np.float64], structure: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Fit the correlation of noise ``(3, 3)`` to the flattest blocks, and say whether these hold noise alone.

    Correlations that end at 2 pixels are fitted to all but the slowest waves. If the slowest ones then hold more than
    such noise explains, although the blocks were chosen for holding little there, structure fills the image.

    Parameters
    ----------
    relative : ndarray (blocks, 64)
        Energies in units of the variance that is expected of noise.
    structure : ndarray (blocks,)
        Those of the slowest waves, by which blocks are chosen.
    """
    faster = _faster_than_coarse()
    order = np.argsort(structure)
    for share, most in _MOST_UNEXPLAINED.items():
        spectrum = relative[order[: max(_FEWEST_FLAT, int(share * len(order)))]].mean(0)
        weights = 1 / np.maximum(spectrum[faster], _WEAKEST_WAVE * spectrum[faster].max())
        covariance = np.linalg.lstsq(WAVE_CORRELATION[faster] * weights[:, None], spectrum[faster] * weights, rcond=None)[0]
        explained = (WAVE_CORRELATION @ covariance)[COARSE.ravel()].mean()
        if covariance[0] > 0 and spectrum[COARSE.ravel()].mean() < most * explained:
            if _neighbours_are_independent(covariance):
                return white(), True
            correlation: NDArray[np.float64] = np.clip(covariance / covariance[0], -1, 1).reshape(REACH + 1, REACH + 1)
            return correlation, True
    return white(), False


def _neighbours_are_independent(covariance: NDArray[np.float64]) -> bool:
    return bool(abs(covariance[1] + covariance[REACH + 1]) < 2 * CORRELATED * covariance[0])


def transfer_points(means: NDArray[np.float64], coarse: NDArray[np.float64], variances: NDArray[np.float64]) -> Points:
    """Average the flattest blocks of each intensity.

    Parameters
    ----------
    means, coarse, variances : ndarray (blocks,)
        Mean intensity, energy of the slowest waves, and variance of each block.

    Returns
    -------
    tuple of three ndarray (points,)
        Intensities, variances, and the errors of these; at most 24 points.
    """
    order = np.argsort(means)
    lowest, highest = np.quantile(means, [0.001, 0.999])
    cuts = [0]
    for edge in np.searchsorted(means[order], np.linspace(lowest, highest, _MOST_POINTS + 1)[1:-1]).tolist():
        if min(edge - cuts[-1], len(order) - edge) >= _FEWEST_OF_POINT:
            cuts.append(edge)
    points = []
    for begin, end in zip(cuts, [*cuts[1:], len(order)], strict=True):
        group = order[begin:end]
        count = max(_FEWEST_FLAT_OF_POINT, int(_FLATTEST_OF_POINT * len(group)))
        flattest = group[np.argsort(coarse[group])[:count]]
        values = variances[flattest]
        points.append((means[flattest].mean(), values.mean(), values.std(ddof=1) / np.sqrt(len(values))))
    intensities, levels, errors = np.array(points).T
    return intensities, levels, errors


def fit_line(
    intensities: NDArray[np.float64], variances: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[float, float]:
    """Fit ``variance = slope * intensity + intercept`` with a slope of at least 0, robustly."""
    centre = intensities.mean()
    design = np.stack([intensities - centre, np.ones_like(intensities)], axis=1)
    least = _MODEL_ERROR * np.maximum(variances, _MODEL_ERROR * variances.mean()) + np.finfo(float).tiny
    scale = np.hypot(errors, least)
    weights = 1 / scale
    for _ in range(_SWEEPS):
        slope, level = np.linalg.lstsq(design * weights[:, None], variances * weights, rcond=None)[0]
        if slope < 0:
            slope, level = 0.0, np.average(variances, weights=weights**2)
        excess = (variances - slope * (intensities - centre) - level) / scale
        weights = np.sqrt(1 / np.maximum(1, np.where(excess > 0, excess / _ABOVE, -excess / _BELOW))) / scale
    return float(slope), float(level - slope * centre)
