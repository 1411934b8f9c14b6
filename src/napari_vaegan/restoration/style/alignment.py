"""The linear map of densities that makes an image most likely to have come from the references."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from napari_vaegan.restoration.style.mixture import Mixture

_EVIDENCE = 100.0
"""Pixels' worth of evidence in an image: neighbours tell the same, so that they do not count one by one."""

_MATRIX_STD, _SHIFT_STD = 0.25, 0.2
"""How far the looks of two laboratories usually lie apart: standard deviations about no change, in units of density."""

_WEIGHTS_PRIOR = 2.0
"""Pixels' worth of trust that the image holds the kinds of pixels in the references' shares."""

_ITERATIONS = 60

_MOST_STRETCH = 5.0


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear map of densities, ``matrix @ density + shift``.

    Attributes
    ----------
    matrix : ndarray (C, C)
        How the channels mix.
    shift : ndarray (C,)
        What is added.
    """

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]

    def __call__(self, density: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map densities ``(..., C)``."""
        mapped: NDArray[np.float64] = density @ self.matrix.T + self.shift
        return mapped

    @property
    def least_stretch(self) -> float:
        """By how much the map stretches differences of density at least; at or below 0 it turns some of them round."""
        return float(np.linalg.eigvalsh((self.matrix + self.matrix.T) / 2)[0])

    @property
    def keeps_order(self) -> bool:
        """Whether differences of density keep their direction, and grow or shrink by no more than a factor of five."""
        return self.least_stretch >= 1 / _MOST_STRETCH and float(np.linalg.norm(self.matrix, 2)) <= _MOST_STRETCH

    def limited(self) -> LinearMap:
        """Return the map itself if it keeps the order of densities, or else as much of it as does."""
        if self.keeps_order:
            return self
        shares = np.linspace(1, 0, 101)
        return next(part for part in map(self.blended, shares) if part.keeps_order)

    def blended(self, strength: float) -> LinearMap:
        """Return a map that goes this share of the way from no change."""
        unchanged = np.eye(len(self.shift))
        return LinearMap(unchanged + strength * (self.matrix - unchanged), strength * self.shift)


def align(densities: NDArray[np.float64], mixture: Mixture) -> LinearMap:
    """Find the linear map of densities ``(n, C)`` under which they are most likely in a mixture.

    How much of the image is which kind of pixel is left open, so that an image of few nuclei is not stained as if it had
    many: what is aligned is the colour of background and of nuclei, and not the colour on average. This is the constrained
    maximum likelihood linear regression by which speakers are matched (Gales 1998), with a normal prior about no change.
    """
    centre, channels = densities.mean(0), densities.shape[1]
    start = _transport(densities, mixture)
    beginning = np.concatenate([start.matrix.ravel(), start(centre), np.log(mixture.weights)])
    found = minimize(
        _Objective(densities - centre, centre, mixture),
        beginning,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS},
    )
    matrix = found.x[: channels**2].reshape(channels, channels)
    return LinearMap(matrix, found.x[channels**2 : channels**2 + channels] - matrix @ centre)


class _Objective:
    """The negative log posterior of matrix, mapped centre and log weights, and its gradient."""

    def __init__(self, centred: NDArray[np.float64], centre: NDArray[np.float64], mixture: Mixture) -> None:
        self.centred, self.centre, self.mixture = centred, centre, mixture
        self.precisions = mixture.precisions
        self.log_volumes = -0.5 * np.linalg.slogdet(mixture.covariances)[1]

    def __call__(self, unknowns: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        count, channels = self.centred.shape
        matrix = unknowns[: channels**2].reshape(channels, channels)
        moved = unknowns[channels**2 : channels**2 + channels]
        sign, log_volume = np.linalg.slogdet(matrix)
        if sign <= 0:
            return 1e9, np.zeros_like(unknowns)
        logits = unknowns[channels**2 + channels :]
        log_weights = logits - np.logaddexp.reduce(logits)
        apart = (self.centred @ matrix.T + moved)[:, None] - self.mixture.means
        pulled = np.einsum("kij,nkj->nki", self.precisions, apart)
        joint = log_weights + self.log_volumes - 0.5 * (apart * pulled).sum(2)
        likelihood = np.logaddexp.reduce(joint, axis=1)
        share = np.exp(joint - likelihood[:, None])
        from_none, shifted = matrix - np.eye(channels), moved - self.centre
        usual = self.mixture.weights
        value = (
            -_EVIDENCE * (likelihood.mean() + log_volume)
            + (from_none**2).sum() / (2 * _MATRIX_STD**2)
            + (shifted**2).sum() / (2 * _SHIFT_STD**2)
            + _WEIGHTS_PRIOR * (usual * (np.log(usual) - log_weights)).sum()
        )
        slope = np.einsum("nk,nki->ni", share, pulled) * (_EVIDENCE / count)
        weights = np.exp(log_weights)
        gradient = [
            slope.T @ self.centred - _EVIDENCE * np.linalg.inv(matrix).T + from_none / _MATRIX_STD**2,
            slope.sum(0) + shifted / _SHIFT_STD**2,
            -_EVIDENCE * (share.mean(0) - weights) + _WEIGHTS_PRIOR * (weights - usual),
        ]
        return float(value), np.concatenate([part.ravel() for part in gradient])


def _transport(densities: NDArray[np.float64], mixture: Mixture) -> LinearMap:
    """Return the optimal transport between the normal distributions of means and covariances of both."""
    mean = mixture.weights @ mixture.means
    apart = mixture.means - mean
    within = np.einsum("k,kij->ij", mixture.weights, mixture.covariances)
    wanted = within + np.einsum("k,ki,kj->ij", mixture.weights, apart, apart)
    channels = densities.shape[1]
    root = _square_root(np.cov(densities.T).reshape(channels, channels) + 1e-4 * np.eye(channels))
    inverse = np.linalg.inv(root)
    matrix = inverse @ _square_root(root @ wanted @ root) @ inverse
    return LinearMap(matrix, mean - matrix @ densities.mean(0))


def _square_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.maximum(values, 1e-9))) @ vectors.T
    return root
