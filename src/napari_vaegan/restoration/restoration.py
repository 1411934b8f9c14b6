"""The result of every restoration: best estimate, samples and calibrated error bars."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.images.axes import PlaneLayout, to_planes
from napari_vaegan.restoration.consistency import Consistency
from napari_vaegan.restoration.realism import check_realism, describe_realism
from napari_vaegan.restoration.rounding import count_outside
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
        The mean rounded and clipped to the input's dtype, or, of a ``realism`` above 0, what lies between it and the first
        sample; the report says which. Known pixels are bit-identical to the input's; block means of a super-resolved
        integer image equal the input.
    report : dict
        Realism and what ``image`` is, seconds, device, tiles, clipped pixels, consistency residual, out-of-distribution
        score and warnings.
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
            0: the best estimate; 1: the sample, in the input's dtype; between them both in proportion.
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
        return self._blend(realism, sample)[0]

    def with_realism(self, realism: float, sample: int = 0) -> Restoration:
        """Return the same restoration with another ``image``, and a report that says so; see ``blend``.

        ``mean``, ``samples``, ``std`` and ``interval`` stay what they are.
        """
        if realism == 0 and self.report["realism"] == 0:
            return self
        image, clipped = self._blend(realism, sample)
        said = {"realism": realism, "image": describe_realism(realism, sample), "clipped_pixels": clipped}
        return replace(self, image=image, report={**self.report, **said})

    def _blend(self, realism: float, sample: int) -> tuple[NDArray[Any], int]:
        """Return the image, and how many values were clipped."""
        check_realism(realism)
        drawn = len(self.samples)
        if realism > 0 and not drawn:
            raise SettingError("No samples were drawn, so only a realism of 0 can be had: restore with samples=1 or more.")
        if drawn and not 0 <= sample < drawn:
            raise SettingError(f"There is no sample {sample}: {drawn} were drawn, choose one from 0 to {drawn - 1}.")
        if realism == 0 and self.report["realism"] == 0:
            return self.image.copy(), self.report["clipped_pixels"]
        ends = (self.mean, self.samples[sample] if realism > 0 else self.mean, self.image)
        means, truths, images = (to_planes(array, self.layout.axes)[0] for array in ends)
        blended, clipped = np.empty_like(images), 0
        for index, (mean, truth, image) in enumerate(zip(means, truths, images, strict=True)):
            estimate = (1 - realism) * mean.astype(np.float64) + realism * truth.astype(np.float64)
            clipped += count_outside(estimate, image.dtype)
            blended[index] = self.consistency.finish((index, slice(None)), estimate, self.consistency.seen_in(image))
        return self.layout.restore(blended), clipped
