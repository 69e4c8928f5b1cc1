"""The labelled samples of a task at a site, and its inner folds."""

from dataclasses import dataclass

import numpy as np

from mtlbio.labels import Label


@dataclass(frozen=True)
class Labelled:
    """The labelled samples of a task at a site.

    Attributes
    ----------
    rows : (n,) places among the site's samples; y, weights : (n,)
    fold : (n,) inner folds, -1 where the site is not split
    """

    label: Label
    rows: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    fold: np.ndarray

    def inside(self, k: int) -> np.ndarray:
        """(n,) who trains set ``k``: all for 0, else all but inner fold ``k - 1``."""
        return self.fold != k - 1 if k else np.ones(len(self.rows), dtype=bool)
