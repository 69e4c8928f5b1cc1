"""The axes of a fold of a table of features: its own columns, unless there are too many of them."""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features
from mtlbio.config import Training
from mtlbio.model.axes import Axes
from mtlbio.training.axes import found_axes

# A table of features with more columns than this is looked through for axes, like genes.
_NARROW = 200


def axes_of_table(cohort: Cohort, features: Features, x: np.ndarray, train: np.ndarray, options: Training) -> Axes:
    """As :func:`mtlbio.training.axes.found_axes`; of a narrow table its columns."""
    if x.shape[1] > _NARROW:
        return found_axes(cohort, features, x, train, options)
    return own_axes(cohort.coding.indicators[features.genes_idx], features.scale)


def own_axes(indicators: np.ndarray, scale: np.ndarray) -> Axes:
    """The columns of a narrow table as they are: what they share is little, and what each says alone is what counts.

    A number keeps variance 1. A level is 0 or the root of 2, whatever its frequency: two patients who differ in a
    category are then about as far apart as two who differ in a number, which is what the cosines of the axes go by.

    Parameters
    ----------
    indicators : (p,) which columns are 0 or 1
    scale : (p,) that they were divided by
    """
    size = np.where(indicators, np.sqrt(2) * scale, 1.0)
    return Axes(np.diag(size), np.diag(1 / size), np.zeros(len(size)))
