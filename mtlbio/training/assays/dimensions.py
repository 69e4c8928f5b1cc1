"""From axes and stacked outputs of a sample to its dimensions: the axes, and of every output what they do not say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RIDGE = 0.01  # penalty of the heads on the axes, as a share of the training samples
_SMALL = 1e-9


@dataclass(frozen=True)
class Dimensions:
    """The dimensions of one fold: k axes in the order of all folds, k' as the fold found them; s seeds, c columns.

    Attributes
    ----------
    transfer : (k', k) from the fold's axes to those that all folds share
    mean, size : (k,) of the axes on the training samples
    heads : (s, k, c) ridge regressions of the outputs' columns on the axes
    centre : (s, c) mean of the columns on the training samples
    rest_mean, spread : (s, c) of what the heads do not say
    """

    transfer: np.ndarray
    mean: np.ndarray
    size: np.ndarray
    heads: np.ndarray
    centre: np.ndarray
    rest_mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, found: np.ndarray, transfer: np.ndarray, columns: np.ndarray, train: np.ndarray) -> Dimensions:
        """Fitted to the samples ``train`` (m,) of axes ``found`` (n, k') and columns (s, n, c)."""
        values = found @ transfer
        mean, size = values[train].mean(axis=0), spread_of(values[train])
        values = (values - mean) / size
        centre = columns[:, train].mean(axis=1)
        gram = values[train].T @ values[train] + _RIDGE * len(train) * np.eye(values.shape[1])
        moments = np.einsum("nk,snc->skc", values[train], columns[:, train] - centre[:, None])
        heads = np.linalg.solve(gram, moments)
        rest = columns - centre[:, None] - values @ heads
        rest_mean = rest[:, train].mean(axis=1)
        rest = rest - rest_mean[:, None]
        spread = np.maximum(rest[:, train].std(axis=1), _SMALL)
        return cls(transfer, mean, size, heads, centre, rest_mean, spread)

    def latents(self, found: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(s, n, k + c) float32 of any samples with axes (n, k') and columns of stacked outputs (s, n, c)."""
        values = (found @ self.transfer - self.mean) / self.size
        rest = columns - self.centre[:, None] - values @ self.heads - self.rest_mean[:, None]
        shared = np.broadcast_to(values, (len(rest), *values.shape))
        return np.concatenate([shared, rest / self.spread[:, None]], axis=2).astype(np.float32)

    @property
    def weights(self) -> np.ndarray:
        """(s, k + c, c) float32 heads on all dimensions."""
        own = np.stack([np.diag(row) for row in self.spread])
        return np.concatenate([self.heads, own], axis=1).astype(np.float32)


def spread_of(values: np.ndarray) -> np.ndarray:
    """Standard deviation of columns, kept from 0."""
    return np.maximum(values.std(axis=0), _SMALL)
