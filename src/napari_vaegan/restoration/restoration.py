"""The result of every restoration: best estimate, samples and calibrated error bars."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.images.axes import PlaneLayout, to_planes
from napari_vaegan.restoration.consistency import Consistency
from napari_vaegan.restoration.uncertainty import interval_width


@dataclass(frozen=True)
class Restoration:
    """What a model makes of an image.

    Attributes
    ----------
    mean : ndarray, float32
        The best estimate (least squared error) in the input's intensity units, axes as in the input.
    samples : ndarray, float32, (samples, ...)
        Possible truths, each of which agrees with what was observed.
    std : ndarray, float32
        Calibrated standard deviation of the truth about the mean; 0 where a pixel was known.
    image : ndarray
        The mean rounded and clipped to the input's dtype. Known pixels are bit-identical to the input's; block means of
        a super-resolved integer image equal the input.
    report : dict
        Seconds, device, tiles, clipped pixels, consistency residual, out-of-distribution score and warnings.
    quantiles : tuple of float
        Half widths of the calibrated intervals in units of ``std``, at the levels of the calibration.
    layout
        How planes are put together to an image.
    consistency
        What every finished image shares with what was observed.
    """

    mean: NDArray[np.float32] = field(repr=False)
    samples: NDArray[np.float32] = field(repr=False)
    std: NDArray[np.float32] = field(repr=False)
    image: NDArray[Any] = field(repr=False)
    report: dict[str, Any]
    quantiles: tuple[float, ...] = field(repr=False)
    layout: PlaneLayout = field(repr=False, compare=False)
    consistency: Consistency = field(repr=False, compare=False)

    def interval(self, level: float = 0.9) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return lower and upper bounds between which this share of the true pixels lies.

        The widths were calibrated for the task on images held apart from training (split conformal prediction, Lei et
        al. 2018): the share holds on average over pixels of images like those.

        Parameters
        ----------
        level
            Between 0 and 1, both excluded.

        Returns
        -------
        low, high : ndarray, float32
            Of the mean's shape and units.

        Raises
        ------
        SettingError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise SettingError(f"An interval's level must lie between 0 and 1, not {level}: take 0.9, for example.")
        half = np.float32(interval_width(self.quantiles, level)) * self.std
        return self.mean - half, self.mean + half

    def blend(self, realism: float, sample: int = 0) -> NDArray[Any]:
        """Return an image between the best estimate and a possible truth.

        The best estimate is the least wrong, and therefore smooth; a sample looks like an image of the instrument, and
        part of what it shows is invented. What was observed holds all the way: known pixels are bit-identical to the
        input's, and block means of a super-resolved integer image equal the input.

        Parameters
        ----------
        realism
            0: ``image``; 1: the sample, in the input's dtype; between them both in proportion.
        sample
            Which of ``samples``, counted from 0.

        Returns
        -------
        ndarray
            Of the input's dtype and the shape of ``image``.

        Raises
        ------
        SettingError
            If the realism is not between 0 and 1, or there is no such sample.
        """
        if not 0 <= realism <= 1:
            raise SettingError(f"The realism must lie between 0 (best estimate) and 1 (a possible truth), not {realism}.")
        drawn = len(self.samples)
        if realism > 0 and not drawn:
            raise SettingError("No samples were drawn, so only a realism of 0 can be had: restore with samples=1 or more.")
        if drawn and not 0 <= sample < drawn:
            raise SettingError(f"There is no sample {sample}: {drawn} were drawn, choose one from 0 to {drawn - 1}.")
        if realism == 0:
            return self.image.copy()
        estimate = (1 - realism) * self.mean.astype(np.float64) + realism * self.samples[sample].astype(np.float64)
        estimates, images = (to_planes(array, self.layout.axes)[0] for array in (estimate, self.image))
        blended = np.empty_like(images)
        for index, (plane, image) in enumerate(zip(estimates, images, strict=True)):
            blended[index] = self.consistency.finish((index, slice(None)), plane, self.consistency.seen_in(image))
        restored: NDArray[Any] = self.layout.restore(blended)
        return restored
