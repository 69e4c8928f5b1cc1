"""How likely are the labels of a class task if a share of them was drawn anew? A likelihood on a grid.

An honest label follows the prediction, however steeply; one that was drawn anew follows nothing. So with a share ``s``
of such labels the probability of class y at the logits f is

    s * (frequency of y) + (1 - s) * softmax(a f + c)_y,

which never comes near 0 or 1, however large the logits. What the networks leave open is integrated out: every outer
fold has its own steepness ``a``, log-normal about a common one, and with two classes its own shift; and the steepness
may vary within a fold, for a network that is surer of some people than of others gives contradicted labels too. The
offsets ``c`` belong to the steepness: they make the mean probabilities the frequencies of the classes. What the folds
have in common (mean and spread of the steepness, size of the shifts, spread within) is fitted by maximum likelihood.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy.special import softmax

SHARES = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
# Steepness per standard deviation of the logits: equal steps of the logarithm.
_STEP, _STEEPNESS = np.log(1.5), 0.1 * 1.5 ** np.arange(15)
# Shifts of a fold, in logits where the curve is flat, in half standard deviations of the prediction where it is steep.
_SHIFTS = np.linspace(-1.5, 1.5, 7)
# What is fitted: spread of log steepness between folds, that of the shifts, and steps of steepness to either side
# within a fold (a quarter of its people each).
_BETWEEN, _SHIFTING, _WITHIN = (0.2, 0.8), (0.15, 0.6), (0, 2)


@dataclass(frozen=True)
class ClassLikelihood:
    """The likelihood of labels given logits.

    Attributes
    ----------
    logits : (n, K) on any common scale
    fold : (n,)
    frequency : (K,) of the classes, all above 0
    """

    logits: np.ndarray
    fold: np.ndarray
    frequency: np.ndarray

    def profile(self, y: np.ndarray) -> np.ndarray:
        """(S, D) largest log likelihood at every share, for sets of labels ``y`` (n, D) of class codes."""
        return self._marginal(y).max(axis=1)

    def draw(self, y: np.ndarray, share: int, draws: int, rng: np.random.Generator) -> np.ndarray:
        """(n, draws) labels of the model that fits ``y`` (n,) best with the share ``SHARES[share]``."""
        out = np.empty((len(y), draws), dtype=int)
        for rows, clean, weights in self._fitted(y, share):
            p = self._mixed(clean, share)[rng.choice(len(weights), draws, p=weights)]
            below = p.cumsum(axis=2)[:, :, :-1]  # (draws, rows, K - 1)
            out[rows] = (rng.random((draws, len(rows), 1)) > below).sum(axis=2).T
        return out

    def wrong(self, y: np.ndarray, share: int) -> np.ndarray:
        """(n,) probability that a label was drawn anew and is not the true one."""
        s, out = SHARES[share], np.empty(len(y))
        for rows, clean, weights in self._fitted(y, share):
            q = weights @ clean[:, np.arange(len(rows)), y[rows]]
            noise = s * self.frequency[y[rows]]
            out[rows] = noise * (1 - q) / (noise + (1 - s) * q)
        return out

    @cached_property
    def _priors(self) -> np.ndarray:
        """(M, A * U) probability of steepness and shift in a fold, under what is common to the folds."""
        z, out = np.arange(len(_STEEPNESS)) * _STEP, []
        for mean, between, shifting in product(z, _BETWEEN, _SHIFTING):
            a = np.exp(-0.5 * np.square((z - mean) / between))
            u = np.exp(-0.5 * np.square(self._shifts / shifting))
            out.append(np.outer(a / a.sum(), u / u.sum()).ravel())
        return np.array(out, dtype=np.float32)

    @property
    def _shifts(self) -> np.ndarray:
        return _SHIFTS if len(self.frequency) == 2 else np.zeros(1)

    @cached_property
    def _folds(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Per fold: rows, honest probabilities (H, A, U, rows, K), log probabilities (S * H * A * U, rows * K)."""
        f = _per_fold(self.logits - self.logits.mean(axis=1, keepdims=True), self.fold)
        reach, steps = max(_WITHIN), range(-max(_WITHIN), len(_STEEPNESS) + max(_WITHIN))
        contrast = np.linspace(-0.5, 0.5, len(self.frequency))
        folds = []
        for k in np.unique(self.fold):
            rows = np.flatnonzero(self.fold == k)
            logits, c = [], np.log(self.frequency)
            for a in _STEEPNESS[0] * np.exp(_STEP * np.array(steps)):
                c = _offsets(a * f[rows], self.frequency, c * np.exp(_STEP))
                shift = self._shifts * np.sqrt(1 + np.square(a / 2))
                logits.append(a * f[rows] + c + shift[:, None, None] * contrast)
            p = softmax(np.array(logits), axis=-1)  # (steps, U, rows, K)
            by_spread = [
                sum(w * p[reach + h : len(p) - reach + h] for w, h in ((0.5, 0), (0.25, -within), (0.25, within)))
                for within in _WITHIN
            ]
            clean = np.array(by_spread)
            table = np.log(np.array([self._mixed(clean, s) for s in range(len(SHARES))])).astype(np.float32)
            folds.append((rows, clean, table.reshape(-1, len(rows) * len(self.frequency))))
        return folds

    def _mixed(self, clean: np.ndarray, share: int) -> np.ndarray:
        s = SHARES[share]
        # a label that contradicts a certain prediction is rare, not impossible
        return s * self.frequency + (1 - s) * np.clip(clean, 1e-6, 1)

    def _likelihood(self, table: np.ndarray, rows: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(S, H, A * U, D) log likelihood of a fold's labels (n, D)."""
        hot = y[rows][:, None, :] == np.arange(len(self.frequency))[:, None]
        likelihood = table @ hot.reshape(-1, y.shape[1]).astype(np.float32)
        return likelihood.reshape(len(SHARES), len(_WITHIN), -1, y.shape[1])

    def _marginal(self, y: np.ndarray) -> np.ndarray:
        """(S, H * M, D) log likelihood, the folds' own steepness and shift integrated out."""
        total = np.zeros(())
        for rows, _, table in self._folds:
            likelihood = self._likelihood(table, rows, y)
            top = likelihood.max(axis=2, keepdims=True)
            total = total + np.log(self._priors @ np.exp(likelihood - top) + 1e-30) + top
        return total.reshape(len(SHARES), -1, y.shape[1])

    def _fitted(self, y: np.ndarray, share: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Per fold, with what the folds have in common fitted to ``y``: rows, honest probabilities (A * U, rows, K) by
        steepness and shift, and their probability (A * U,)."""
        best = int(self._marginal(y[:, None])[share, :, 0].argmax())
        within, common = divmod(best, len(self._priors))
        for rows, clean, table in self._folds:
            likelihood = self._likelihood(table, rows, y[:, None])[share, within, :, 0]
            weights = self._priors[common].astype(float) * np.exp(likelihood - likelihood.max())
            yield rows, clean[within].reshape(len(weights), len(rows), -1), weights / weights.sum()


def _per_fold(f: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Logits (n, K) with the same spread in every fold; for two classes their difference has standard deviation 1.

    The networks of a fold choose how far to spread their predictions by a few labels, and a wide spread is no sign of
    a better prediction. Small folds are pulled to the common spread.
    """
    _, code, count = np.unique(fold, return_inverse=True, return_counts=True)
    mean = np.array([np.bincount(code, column) / count for column in f.T]).T
    f = f - mean[code]
    squares = 2 * np.bincount(code, np.square(f).sum(axis=1))
    pooled = squares.sum() / count.sum()
    spread = np.sqrt((squares + 2 * pooled) / (count + 2))
    return f / np.maximum(spread, 1e-12)[code, None]


def _offsets(f: np.ndarray, frequency: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(K,) such that the mean of softmax(f + c) over the units is the frequency of the classes."""
    c = start
    for _ in range(200):
        step = np.log(frequency) - np.log(softmax(f + c, axis=1).mean(axis=0))
        c = c + step - step.mean()
        if np.abs(step).max() < 1e-4:
            break
    return c - c.mean()
