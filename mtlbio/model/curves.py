"""Nonlinear features of the axes: random Fourier features of a Gaussian kernel (Rahimi & Recht 2007, NeurIPS).

Where a label follows the axes in a curve (risk at both ends, one programme switching another on), no linear head can
read it. A wide layer of cosines with fixed random frequencies can, and stays convex to train. It sees the axes only,
a dozen or two, not thousands of genes: at donor scale that is what keeps it from overfitting.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curves:
    """``cos(axes @ frequencies + phase) - mean`` with frequencies (k, m), phase and mean (m,)."""

    frequencies: np.ndarray
    phase: np.ndarray
    mean: np.ndarray

    @classmethod
    def of(cls, axes: np.ndarray, n_features: int, seed: int) -> "Curves":
        """Draw the frequencies for axes (n, k) of variance 1; the kernel's width is the typical distance of donors."""
        k = axes.shape[1]
        rng = np.random.default_rng([seed, 31])
        frequencies = rng.standard_normal((k, n_features)) / np.sqrt(k)
        phase = rng.uniform(0, 2 * np.pi, n_features)
        return cls(frequencies, phase, np.cos(axes @ frequencies + phase).mean(axis=0))

    def transform(self, axes: np.ndarray) -> np.ndarray:
        """(n, m) features of axes (n, k), mean 0 on the training samples."""
        return np.cos(axes @ self.frequencies + self.phase) - self.mean
