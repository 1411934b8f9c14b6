"""The law of an image's noise, its variance at each intensity and its correlation, fitted to the image itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_vaegan.images.block_spectra import REACH, Spectra, block_spectra
from napari_vaegan.images.noise_fit import CORRELATED, fit_line, fit_noise

_FEWEST_BLOCKS = 16
_FEWEST_UNTOUCHED = 0.05
_UNTOUCHED = 2.5
_DARKEST = 0.001
_MOST_MISFIT = 0.2


@dataclass(frozen=True, eq=False)
class PhotonTransfer:
    """The points of the photon-transfer plot that a law was fitted to.

    Attributes
    ----------
    intensities : ndarray (points,)
        Mean intensities, in grey levels.
    variances : ndarray (points,)
        Variances of the noise there, in squared grey levels.
    errors : ndarray (points,)
        Standard errors of the variances.
    misfit : float
        Root mean square deviation of the variances from the law beyond their errors, relative to the law.
    fits : bool
        Whether the law describes the points.
    """

    intensities: NDArray[np.float64]
    variances: NDArray[np.float64]
    errors: NDArray[np.float64]
    misfit: float
    fits: bool

    def scaled(self, low: float, span: float) -> PhotonTransfer:
        """Return the same points for intensities ``(intensity - low) / span``."""
        return replace(
            self,
            intensities=(self.intensities - low) / span,
            variances=self.variances / span**2,
            errors=self.errors / span**2,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a value that JSON can hold."""
        return {
            "intensities": self.intensities.tolist(),
            "variances": self.variances.tolist(),
            "errors": self.errors.tolist(),
            "misfit": self.misfit,
            "fits": self.fits,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> PhotonTransfer:
        """Rebuild what `to_dict` returned."""
        arrays = {name: np.asarray(value[name], np.float64) for name in ("intensities", "variances", "errors")}
        return cls(**arrays, misfit=float(value["misfit"]), fits=bool(value["fits"]))


@dataclass(frozen=True, eq=False)
class NoiseLaw:
    """Noise whose variance grows linearly with the light: that of photons, and that of the camera.

    Attributes
    ----------
    gain : float
        Variance per unit of intensity, in grey levels per photon.
    offset : float
        Intensity without light, in grey levels. One image cannot tell it: a fit takes the darkest that occurs.
    read_noise : float
        Standard deviation at the offset, in grey levels.
    correlation : ndarray (5, 5)
        Autocorrelation of the noise at distances of -2 to 2 pixels in Y and X: 1 in the centre, symmetric.
    transfer : PhotonTransfer or None
        What the law was fitted to; None where it was given by hand.
    """

    gain: float
    offset: float
    read_noise: float
    correlation: NDArray[np.float64]
    transfer: PhotonTransfer | None = None

    def variance(self, intensity: ArrayLike) -> NDArray[np.float64]:
        """Return the variance of the noise at noise-free intensities, of any shape."""
        light = np.maximum(np.asarray(intensity, np.float64) - self.offset, 0)
        return np.asarray(self.gain * light + self.read_noise**2)

    @property
    def white(self) -> bool:
        """Whether the noise of neighbouring pixels is independent."""
        centre = len(self.correlation) // 2
        neighbours = (self.correlation[centre + 1, centre] + self.correlation[centre, centre + 1]) / 2
        return bool(abs(neighbours) < CORRELATED)

    def scaled(self, low: float, span: float) -> NoiseLaw:
        """Return the same law for intensities ``(intensity - low) / span``."""
        return NoiseLaw(
            gain=self.gain / span,
            offset=(self.offset - low) / span,
            read_noise=self.read_noise / span,
            correlation=self.correlation,
            transfer=None if self.transfer is None else self.transfer.scaled(low, span),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a value that JSON can hold."""
        return {
            "gain": self.gain,
            "offset": self.offset,
            "read_noise": self.read_noise,
            "correlation": self.correlation.tolist(),
            "transfer": None if self.transfer is None else self.transfer.to_dict(),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> NoiseLaw:
        """Rebuild what `to_dict` returned."""
        return cls(
            gain=float(value["gain"]),
            offset=float(value["offset"]),
            read_noise=float(value["read_noise"]),
            correlation=np.asarray(value["correlation"], np.float64),
            transfer=None if value["transfer"] is None else PhotonTransfer.from_dict(value["transfer"]),
        )


def white_correlation() -> NDArray[np.float64]:
    """Return the correlation ``(5, 5)`` of noise that is independent from pixel to pixel."""
    correlation = np.zeros((5, 5))
    correlation[2, 2] = 1
    return correlation


def fit_noise_law(
    planes: Sequence[NDArray[Any]], lowest: float | None = None, highest: float | None = None
) -> NoiseLaw | None:
    """Fit the law of the noise of one channel of one image.

    Parameters
    ----------
    planes : sequence of ndarray (Y, X)
        In grey levels, as they were taken; of many, an even subset is looked at.
    lowest, highest : float, optional
        Intensities at which pixels are clipped; looked for if None.

    Returns
    -------
    NoiseLaw or None
        None if the planes are too small, constant, without any noise, or clipped everywhere.
    """
    spectra, ends = block_spectra(planes, lowest, highest)
    if len(spectra) < _FEWEST_BLOCKS:
        return None
    law = _fit(spectra)
    if law is None:
        return None
    touched = _touches(spectra, law, ends)
    if touched.any() and (~touched).sum() >= max(_FEWEST_BLOCKS, _FEWEST_UNTOUCHED * len(spectra)):
        law = _fit(spectra[~touched]) or law
    return law


def _touches(spectra: Spectra, law: NoiseLaw, ends: tuple[float, float]) -> NDArray[np.bool_]:
    """Say in which blocks noise reaches the intensities at which it is clipped."""
    reach = _UNTOUCHED * np.sqrt(law.variance(spectra.means))
    touched: NDArray[np.bool_] = (spectra.means - reach < ends[0]) | (spectra.means + reach > ends[1])
    return touched


def _fit(spectra: Spectra) -> NoiseLaw | None:
    points, correlation, told = fit_noise(spectra)
    if not points[1].any():
        return None
    slope, intercept = fit_line(*points)
    misfit = _misfit(*points, slope, intercept)
    darkest = float(np.quantile(spectra.means, _DARKEST))
    offset = max(darkest, -intercept / slope) if slope > 0 else darkest
    return NoiseLaw(
        gain=slope,
        offset=offset,
        read_noise=float(np.sqrt(max(slope * offset + intercept, 0))),
        correlation=np.pad(correlation, ((REACH, 0), (REACH, 0)), mode="reflect"),
        transfer=PhotonTransfer(*points, misfit, told and misfit < _MOST_MISFIT),
    )


def _misfit(
    intensities: NDArray[np.float64],
    variances: NDArray[np.float64],
    errors: NDArray[np.float64],
    slope: float,
    intercept: float,
) -> float:
    expected = np.maximum(slope * intensities + intercept, 1e-3 * variances.max())
    beyond = (variances - expected) ** 2 - errors**2
    return float(np.sqrt(np.maximum(beyond / expected**2, 0).mean()))


def relative_level(law: NoiseLaw, pixels: NDArray[Any], span: float) -> float:
    """Return the root mean square of the noise over pixels in grey levels, as a share of their span."""
    return float(np.sqrt(law.variance(pixels).mean()) / span)
