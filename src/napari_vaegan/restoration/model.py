"""A trained model: what it was trained on, and every task that it does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vaegan.errors import SettingError
from napari_vaegan.images.scaling import Scaling
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.degradations import Kind
from napari_vaegan.restoration.denoise import denoise
from napari_vaegan.restoration.effort import Quality
from napari_vaegan.restoration.encode import decode, encode
from napari_vaegan.restoration.engine import Engine
from napari_vaegan.restoration.generate import generate, latents
from napari_vaegan.restoration.header import Header
from napari_vaegan.restoration.inpaint import inpaint
from napari_vaegan.restoration.interpolate import interpolate
from napari_vaegan.restoration.latents import Latents
from napari_vaegan.restoration.match_style import match_style
from napari_vaegan.restoration.model_file import write_model
from napari_vaegan.restoration.progress import OnProgress, no_progress
from napari_vaegan.restoration.realism import samples_for
from napari_vaegan.restoration.restoration import Restoration
from napari_vaegan.restoration.style.matcher import Matcher
from napari_vaegan.restoration.super_resolve import super_resolve
from napari_vaegan.restoration.variations import variations
from napari_vaegan.training.calibration import KindCalibration
from napari_vaegan.training.device import choose_device, choose_precision, place


class Model:
    """A trained VAE-GAN that generates, inpaints, super-resolves, denoises, and matches the style of images.

    Made by ``napari_vaegan.train`` or ``napari_vaegan.load``.

    Parameters
    ----------
    networks
        Trained.
    header
        What is known of them.
    device, precision
        Where and in which number format to compute: ``auto`` chooses the fastest here.
    """

    def __init__(self, networks: VaeGan, header: Header, device: str = "auto", precision: str = "auto") -> None:
        self.header = header
        self.matcher = Matcher(header)
        where = choose_device(device)
        networks = place(networks.eval().requires_grad_(False), where)
        self.engine = Engine(networks, where, choose_precision(precision, where))

    @property
    def channels(self) -> int:
        """Channels of the images that it was trained on."""
        return self.header.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the images that it was trained on: that of what it generates."""
        return np.dtype(self.header.dtype)

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it was trained to do."""
        return self.header.config.tasks

    @property
    def details(self) -> tuple[int, ...]:
        """Sizes in pixels of the structures that its latents tell of, coarsest first."""
        return tuple(self.engine.networks.generator.strides)

    @property
    def typical_scaling(self) -> Scaling:
        """The typical intensity scale of the training images."""
        return Scaling.from_dict(self.header.scaling.model_dump())

    def __repr__(self) -> str:
        psnr = ", ".join(f"{kind} {value:.1f} dB" for kind, value in self.header.psnr.items())
        return f"<Model {self.header.name!r}: {self.channels} × {self.dtype}, {psnr}>"

    def check_task(self, task: str) -> None:
        """Refuse a task that it was not trained for.

        Raises
        ------
        SettingError
            Naming the tasks that it was trained for.
        """
        if task not in self.tasks:
            raise SettingError(
                f"This model was trained to {', '.join(self.tasks)}, not to {task}: train one with {task} among its tasks."
            )

    def calibration_of(self, kind: Kind) -> KindCalibration:
        """Return how predicted and true errors relate for a kind of observation."""
        self.check_task(kind.task)
        record = self.header.calibration[str(kind)]
        return KindCalibration.from_dict(record.model_dump())

    def generate(
        self,
        count: int = 1,
        shape: tuple[int, int] = (256, 256),
        seed: int = 0,
        temperature: float = 1.0,
        on_progress: OnProgress = no_progress,
    ) -> NDArray[Any]:
        """Draw images like those of the training folder.

        Parameters
        ----------
        count
            How many.
        shape
            Height and width in pixels, at least 8 each; large images are drawn in tiles that do not show.
        seed
            The same seed draws the same images.
        temperature
            How far images stray from the typical one: 1 as learned, 0 not at all, up to 2.
        on_progress
            Told the share that is done; raise from it to stop.

        Returns
        -------
        ndarray
            (count, Y, X) or, of several channels, (count, Y, X, C), in the training images' dtype and typical intensities.

        Raises
        ------
        SettingError, ShapeError
            If count, shape, seed or temperature make no sense, or memory does not suffice.
        """
        return generate(self, count, shape, seed, temperature, on_progress)

    def latents(
        self, number: int = 0, shape: tuple[int, int] = (256, 256), seed: int = 0, temperature: float = 1.0
    ) -> Latents:
        """Return the latents of one of the images that ``generate`` draws: ``decode`` draws that image.

        Parameters
        ----------
        number
            Which of ``generate(count, shape, seed, temperature)``, counted from 0.
        shape, seed, temperature
            As in ``generate``.

        Raises
        ------
        SettingError, ShapeError
            If number, shape, seed or temperature make no sense.
        """
        return latents(self, number, shape, seed, temperature)

    def encode(self, image: Any, axes: str | None = None, on_progress: OnProgress = no_progress) -> Latents:
        """Return the latents of an image: what the model knows of it, coarse to fine.

        Parameters
        ----------
        image : array
            One plane, of the model's channels, from 8 × 8 pixels up.
        axes, on_progress
            As in ``inpaint``.

        Raises
        ------
        ShapeError, DataError
            If the image is not one plane, does not fit the model, or has pixels that are NaN or infinite.
        """
        return encode(self, image, axes, on_progress)

    def decode(self, latents: Latents, on_progress: OnProgress = no_progress) -> NDArray[Any]:
        """Return the image of latents: near to the one that was encoded, without what the model cannot express.

        Parameters
        ----------
        latents
            Of this model.
        on_progress
            As in ``generate``.

        Returns
        -------
        ndarray
            (Y, X) or, of several channels, (Y, X, C), in the dtype and intensities of the image that was encoded.

        Raises
        ------
        ShapeError
            If the latents are of another model.
        """
        return decode(self, latents, on_progress)

    def variations(
        self, image: Any, count: int = 4, detail: int = 8, seed: int = 0, on_progress: OnProgress = no_progress
    ) -> NDArray[Any]:
        """Draw images of the same coarse structure as a given one, and with other fine detail.

        Parameters
        ----------
        image : array or Latents
            One plane, or the latents of an image.
        count
            How many.
        detail
            One of ``details``: structures of this many pixels and finer are drawn anew. The largest of them draws all anew.
        seed, on_progress
            As in ``generate``.

        Returns
        -------
        ndarray
            (count, Y, X) or, of several channels, (count, Y, X, C), in the dtype and intensities of the image.

        Raises
        ------
        SettingError, ShapeError, DataError
            If count, detail or seed make no sense, or the image cannot be encoded.
        """
        return variations(self, image, count, detail, seed, on_progress)

    def interpolate(self, first: Any, second: Any, count: int = 5, on_progress: OnProgress = no_progress) -> NDArray[Any]:
        """Draw images on the way from one to another: a walk through the latents. See ``Latents.towards``.

        Parameters
        ----------
        first, second : array or Latents
            Of the same size.
        count
            How many, with the ends, which are what ``decode`` makes of both.
        on_progress
            As in ``generate``.

        Returns
        -------
        ndarray
            (count, Y, X) or, of several channels, (count, Y, X, C); intensities go from those of the first to those of the
            second.

        Raises
        ------
        SettingError, ShapeError, DataError
            If there are less than two steps, sizes differ, or an image cannot be encoded.
        """
        return interpolate(self, first, second, count, on_progress)

    def inpaint(
        self,
        image: Any,
        mask: Any,
        samples: int = 8,
        seed: int = 0,
        axes: str | None = None,
        quality: Quality = "fast",
        on_progress: OnProgress = no_progress,
        *,
        realism: float = 0.0,
    ) -> Restoration:
        """Fill the masked pixels of an image. Known pixels are never changed.

        Parameters
        ----------
        image : array
            Any shape from 8 × 8 up, with time, depth and channels as they come; planes are filled one by one. Values
            under the mask are not looked at, and may be NaN.
        mask : array
            True, or any label above 0, where a pixel is missing; of the image's shape without channels, or of one plane.
        samples
            How many possible truths to draw; 0 for the mean alone.
        seed
            The same seed draws the same samples.
        axes
            The image's axes, such as ``"TYX"``; guessed if None.
        quality
            ``best`` averages the best estimates of all flips and quarter turns of what was observed: nearer to the
            truth, for eight times the time. The error bars are those of ``fast``, and rather too wide then.
        on_progress
            Told the share that is done; raise from it to stop.
        realism
            Of ``image``: 0, the best estimate, of least error; 1, one possible truth, which looks real and is partly
            invented; or between. Above 0 at least one sample is drawn. Mean, std and interval stay what they are.

        Raises
        ------
        SettingError
            If samples, seed or realism make no sense.
        ShapeError
            If image or mask have a shape that does not fit.
        DataError
            If a whole plane is masked, or a known pixel is NaN or infinite.
        """
        drawn = samples_for(realism, samples)
        return inpaint(self, image, mask, drawn, seed, axes, quality, on_progress).with_realism(realism)

    def super_resolve(
        self,
        image: Any,
        factor: int = 2,
        samples: int = 8,
        seed: int = 0,
        axes: str | None = None,
        quality: Quality = "fast",
        on_progress: OnProgress = no_progress,
        *,
        realism: float = 0.0,
    ) -> Restoration:
        """Refine the grid of an image, whose pixels are taken for the means of blocks of the finer one.

        Parameters
        ----------
        image : array
            Any shape from 8 × 8 up, with time, depth and channels as they come.
        factor
            2, 3 or 4: how many times finer the grid becomes in Y and X.
        samples, seed, axes, quality, on_progress, realism
            As in ``inpaint``.

        Returns
        -------
        Restoration
            Y and X ``factor`` times as long. Block means of an integer ``image`` equal the input exactly, those of ``mean``
            and samples to its rounding.

        Raises
        ------
        SettingError
            If the factor is not 2, 3 or 4.
        ShapeError, DataError
            If the image does not fit the model, or has pixels that are NaN or infinite.
        """
        drawn = samples_for(realism, samples)
        return super_resolve(self, image, factor, drawn, seed, axes, quality, on_progress).with_realism(realism)

    def denoise(
        self,
        image: Any,
        samples: int = 8,
        seed: int = 0,
        axes: str | None = None,
        quality: Quality = "fast",
        on_progress: OnProgress = no_progress,
        *,
        realism: float = 0.0,
    ) -> Restoration:
        """Remove photon and read noise from an image; the model finds their level by itself.

        Parameters
        ----------
        image : array
            Any shape from 8 × 8 up, with time, depth and channels as they come.
        samples, seed, axes, quality, on_progress, realism
            As in ``inpaint``.

        Raises
        ------
        ShapeError, DataError
            If the image does not fit the model, or has pixels that are NaN or infinite.
        """
        drawn = samples_for(realism, samples)
        return denoise(self, image, drawn, seed, axes, quality, on_progress).with_realism(realism)

    def match_style(
        self,
        image: Any,
        style: Any = None,
        strength: float = 1.0,
        seed: int = 0,
        axes: str | None = None,
        on_progress: OnProgress = no_progress,
        source: Any = None,
    ) -> Restoration:
        """Give an image the look of others, for viewing and for feeding networks; not for measuring intensities.

        One change is found for the whole image or series, and applied pixel by pixel: nothing moves and nothing is added,
        and tiles cannot show. Colour images are changed by a linear map of optical density, others by a rising curve of
        intensity for each channel.

        Parameters
        ----------
        image : array
            Any shape from 8 × 8 up, with time, depth and channels as they come.
        style : optional
            Where the look comes from: None for the training folder; images, as arrays or files; a folder; another model, or
            the file of one. All images count, not one of them.
        strength
            Between 0, which returns the image bit by bit, and 1.
        seed
            Start of the random numbers with which references are summarised.
        axes, on_progress
            As in ``inpaint``.
        source : optional
            Images that look as this one does, of its slide, series or laboratory, as arrays, files or a folder. The change
            is then found from all of them, and is the same for every image of their dtype, bit by bit. If None, it is found
            from the image alone.

        Returns
        -------
        Restoration
            Without samples, and with a standard deviation of 0: a look is no estimate. ``report`` tells ``structure`` (the
            correlation of the edges with the image's), ``constrained_share`` (of pixels that wanted to change more than
            structure allows), ``out_of_distribution``, and the ``strength`` that was applied: an image without tissue or
            of another kind than the references is left as it is, or nearly so, and a warning says so.

        Raises
        ------
        SettingError
            If the strength is not between 0 and 1, or a model has no look recorded.
        ShapeError, DataError
            If image, references or source do not fit the model, cannot be used, or have pixels that are NaN or infinite.
        """
        return match_style(self, image, style, strength, seed, axes, on_progress, source)

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> Path:
        """Write the model to one file, whole or not at all.

        Parameters
        ----------
        path
            Conventionally ends in ``.vaegan``.
        overwrite
            Whether a file of that name may be replaced.

        Raises
        ------
        OutputError
            If a file of that name is there already, or it cannot be written.
        """
        return write_model(path, self.engine.networks, self.header, overwrite)
