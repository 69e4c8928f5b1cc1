"""The test of a label on the axes from sums: least squares with HC3, and flips of whole donors.

What :class:`mtlbio.probing.inference.Contrast` finds of the pooled donors with an indicator of every site held fixed.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from mtlbio.probing.inference import tail_probability

_ALIASED, _LEAST_FREEDOM = 1e-6, 4
COLUMNS = ("effect", "ci_low", "ci_high", "statistic", "p_wald", "p_flips")


def design_found(sums: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``basis`` (design, r + 1) of the columns held fixed and, last, the tested one; ``fitted`` (r + 1, axes).

    A tested column that the others tell gives a last column of 0, and no test.
    """
    products = sums["design"]
    size = np.sqrt(np.maximum(np.diag(products), 1e-300))
    scaled = products / np.outer(size, size)
    values, vectors = np.linalg.eigh(scaled[1:, 1:])
    kept = values > _ALIASED**2 * max(values.max(initial=0.0), 1e-300)
    held = np.zeros((len(products), int(kept.sum())))
    held[1:] = vectors[:, kept] / np.sqrt(values[kept]) / size[1:, None]
    tested = np.zeros(len(products))
    tested[0] = 1.0
    tested -= held @ (held.T @ products[:, 0])
    tested -= held @ (held.T @ (products @ tested))  # twice is enough
    norm = np.sqrt(max(float(tested @ products @ tested), 0.0))
    unique = norm > 1e-5 * size[0]
    basis = np.column_stack([held, tested / norm if unique else np.zeros(len(products))])
    return {"basis": basis, "fitted": basis.T @ sums["cross"], "norm": np.array(norm if unique else 0.0)}


def tests_found(found: dict[str, np.ndarray], number: bool) -> np.ndarray:
    """(axes, columns) :data:`COLUMNS` of every axis; effects in standard deviations of the axis, per class difference
    or, with ``number``, per standard deviation of the label."""
    units, totals = found["units"], found["totals"]
    freedom = units[0] - units[1] - found["basis"].shape[1]
    axes = found["fitted"].shape[1]
    if found["norm"] == 0 or freedom < _LEAST_FREEDOM:
        return np.full((axes, len(COLUMNS)), np.nan)
    variance = (totals[1] - totals[0] ** 2 / units[0]) / np.append(units[0], np.full(axes, units[0] - 1))
    scale = np.sqrt(np.maximum(variance, 1e-300))
    slope = found["fitted"][-1] / found["norm"] / scale[1:] * (scale[0] if number else 1.0)
    statistic = np.square(found["fitted"][-1]) / np.maximum(found["meat"], 1e-300)
    se = np.abs(slope) / np.sqrt(np.maximum(statistic, 1e-300))
    half = stats.t.isf(0.025, freedom) * se
    null = np.square(found["flipped_fitted"][:, -1]) / np.maximum(found["flipped_meat"], 1e-300)
    p = tail_probability(statistic, null, 1, float(freedom))
    return np.column_stack([slope, slope - half, slope + half, statistic, stats.f.sf(statistic, 1, freedom), p])
