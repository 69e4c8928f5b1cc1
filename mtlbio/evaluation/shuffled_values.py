"""How likely are the values of a regression if a share of them was drawn anew? Maximum likelihood by EM.

Values and predictions become normal scores of their ranks, so that a value that follows nothing is standard normal
whatever the distribution. An honest value lies about a line in the prediction, with Student's errors of free degrees of
freedom, so that heavy tails are not taken for shuffling. With a share ``s`` of values drawn anew the density at the
prediction f is

    s * normal(y) + (1 - s) * t((y - a - b f) / scale) / scale.

Every outer fold has a line of its own, shrunk to the mean of the folds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln, ndtri
from scipy.stats import rankdata

from mtlbio.evaluation.shuffled_labels import SHARES

_FREEDOM = np.array([2.0, 5.0, 30.0])
# In standard deviations of the values: spread of the folds' lines, and the smallest scale of the errors, for a line
# through two points would explain them perfectly.
_BETWEEN, _LEAST_SCALE = 0.25, 0.25
_FIRST, _STEPS = 25, 8


@dataclass(frozen=True)
class ValueLikelihood:
    """The likelihood of values given predictions.

    Attributes
    ----------
    pred : (n,) on any scale
    fold : (n,)
    """

    pred: np.ndarray
    fold: np.ndarray

    def profile(self, y: np.ndarray) -> np.ndarray:
        """(S, D) largest log likelihood at every share, for sets of values ``y`` (n, D)."""
        return np.array([likelihood.max(axis=0) for likelihood, *_ in self._fits(y)])

    def draw(self, y: np.ndarray, share: int, draws: int, rng: np.random.Generator) -> np.ndarray:
        """(n, draws) values, on a scale of their own, of the model that fits ``y`` (n,) best with ``SHARES[share]``."""
        centre, scale, freedom = self._best(y, share)
        out = centre[:, None] + scale * rng.standard_t(freedom, (len(y), draws))
        anew = rng.random(out.shape) < SHARES[share]
        return np.where(anew, rng.standard_normal(out.shape), out)

    def wrong(self, y: np.ndarray, share: int) -> np.ndarray:
        """(n,) probability that a value was drawn anew."""
        centre, scale, freedom = self._best(y, share)
        z, s = scores(y), SHARES[share]
        noise = s * _normal(z)
        honest = (1 - s) * _student(np.square((z - centre) / scale), freedom) / scale
        return noise / (noise + honest)

    @cached_property
    def _f(self) -> np.ndarray:
        return scores(self.pred)

    @cached_property
    def _member(self) -> np.ndarray:
        return (self.fold[:, None] == np.unique(self.fold)).astype(float)

    def _best(self, y: np.ndarray, share: int) -> tuple[np.ndarray, float, float]:
        """Centre (n,), scale and degrees of freedom of the errors."""
        likelihood, line, scale = list(self._fits(y[:, None]))[share]
        v = int(likelihood[:, 0].argmax())
        a, b = line[:, v, 0] @ self._member.T
        return a + b * self._f, float(scale[v, 0]), float(_FREEDOM[v])

    def _fits(self, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Per share: penalised log likelihood (V, D), lines (2, V, D, folds) and scale (V, D).

        From no share to a large one, each starting where the last ended.
        """
        y = scores(y).T[None]  # (1, D, n)
        f, member, nu = self._f, self._member, _FREEDOM[:, None, None]
        anywhere, shape = _normal(y), (len(_FREEDOM), y.shape[1])
        line = np.zeros((2, *shape, member.shape[1]))
        line[1] = ((y * f).mean(axis=2) / np.square(f).mean())[..., None]
        scale = np.sqrt(np.square(y - line[1, :, :, :1] * f).mean(axis=2))
        for i, s in enumerate(SHARES):
            for step in range((_FIRST if i == 0 else _STEPS) + 1):
                error = y - line[0] @ member.T - (line[1] @ member.T) * f
                square = np.square(error / scale[..., None])
                honest = (1 - s) * _student(square, nu) / scale[..., None]
                density = honest + s * anywhere
                if step == (_FIRST if i == 0 else _STEPS):
                    break
                honest = honest / density
                weight = honest * (nu + 1) / (nu + square)
                variance = (weight * np.square(error)).sum(axis=2) / honest.sum(axis=2)
                scale = np.sqrt(np.maximum(variance, _LEAST_SCALE**2))
                line = _lines(weight, y, f, member, line, np.square(scale / _BETWEEN)[..., None])
            deviation = (line - line.mean(axis=3, keepdims=True)) / _BETWEEN
            yield np.log(density).sum(axis=2) - np.square(deviation).sum(axis=(0, 3)) / 2, line.copy(), scale.copy()


def scores(values: np.ndarray) -> np.ndarray:
    """Normal scores of the ranks, along the first axis; ties share one."""
    return ndtri((rankdata(values, axis=0) - 0.5) / len(values))


def _lines(
    weight: np.ndarray, y: np.ndarray, f: np.ndarray, member: np.ndarray, line: np.ndarray, shrink: np.ndarray
) -> np.ndarray:
    """Weighted lines of the folds (2, V, D, folds), pulled to their mean."""
    w, wf, wff = weight @ member, (weight * f) @ member, (weight * f * f) @ member
    wy, wfy = (weight * y) @ member, (weight * y * f) @ member
    mean = line.mean(axis=3, keepdims=True)
    w, wff, wy, wfy = w + shrink, wff + shrink, wy + shrink * mean[0], wfy + shrink * mean[1]
    determinant = w * wff - wf * wf
    return np.array([(wff * wy - wf * wfy) / determinant, (w * wfy - wf * wy) / determinant])


def _normal(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * np.square(z)) / np.sqrt(2 * np.pi)


def _student(square: np.ndarray, nu: np.ndarray | float) -> np.ndarray:
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return np.exp(constant - (nu + 1) / 2 * np.log1p(square / nu))
