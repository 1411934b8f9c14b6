"""A mixture of normal distributions: the kinds of pixels there are, such as background, cytoplasm and nuclei."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_ITERATIONS = 40
_FLOOR = 2e-4
"""Added to every variance: no kind of pixel is a single colour."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of normal distributions.

    Attributes
    ----------
    weights : ndarray (K,)
        Share of each component.
    means : ndarray (K, C)
        Their means.
    covariances : ndarray (K, C, C)
        Their covariances.
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float64], components: int, random: np.random.Generator) -> Self:
        """Fit a mixture to values ``(n, C)`` by expectation maximisation.

        The means begin far apart, as in k-means++ (Arthur & Vassilvitskii 2007).
        """
        channels = values.shape[1]
        spread = np.cov(values.T).reshape(channels, channels)
        mixture = cls(
            np.full(components, 1 / components),
            _far_apart(values, components, random),
            np.repeat((spread / 4 + _FLOOR * np.eye(channels))[None], components, axis=0),
        )
        for _ in range(_ITERATIONS):
            share = mixture.responsibilities(values)
            total = share.sum(0) + 1e-9
            means = share.T @ values / total[:, None]
            apart = values[:, None] - means
            covariances = np.einsum("nk,nki,nkj->kij", share, apart, apart) / total[:, None, None]
            mixture = cls(total / total.sum(), means, covariances + _FLOOR * np.eye(channels))
        return mixture

    @property
    def precisions(self) -> NDArray[np.float64]:
        """The inverse covariances."""
        inverse: NDArray[Any] = np.linalg.inv(self.covariances)
        return inverse

    def log_densities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log density ``(n, K)`` of values under each component alone, but for a constant."""
        apart = values[:, None] - self.means
        distance = (np.einsum("kij,nkj->nki", self.precisions, apart) * apart).sum(2)
        densities: NDArray[np.float64] = -0.5 * (distance + np.log(np.linalg.det(self.covariances)))
        return densities

    def responsibilities(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability ``(n, K)`` of each component, for every value."""
        joint = self.log_densities(values) + np.log(self.weights)
        share: NDArray[np.float64] = np.exp(joint - joint.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        return share

    def misfit(self, values: NDArray[np.float64]) -> float:
        """Return the negative log density of values, averaged, where each component may have any weight."""
        fitted = self
        for _ in range(_ITERATIONS // 4):
            share = fitted.responsibilities(values).mean(0) + 1e-6
            fitted = replace(fitted, weights=share / share.sum())
        joint = fitted.log_densities(values) + np.log(fitted.weights)
        return float(-np.logaddexp.reduce(joint, axis=1).mean())


def _far_apart(values: NDArray[np.float64], count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw values that lie far from each other."""
    chosen = [values[random.integers(len(values))]]
    nearest = np.full(len(values), np.inf)
    for _ in range(count - 1):
        nearest = np.minimum(nearest, ((values - chosen[-1]) ** 2).sum(1))
        total = nearest.sum()
        chosen.append(values[random.choice(len(values), p=nearest / total if total > 0 else None)])
    return np.array(chosen)
