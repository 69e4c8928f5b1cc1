"""The families of tests of a trial, and how each is corrected: the only module that adjusts a p for other tests.

- a question (one variable in all dimensions): Benjamini & Hochberg 1995, the ``q`` of every table;
- biology of a dimension: flips of whole donors (:mod:`mtlbio.probing.linked`), ``p_familywise``;
- biology of a block of axes (:mod:`mtlbio.probing.subspaces`): Holm 1979 over all outcomes, with the block in the place
  of its axes, as in the questions.
"""

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.probing.trial import Trial

# fraction of the level that biology needs family-wise: at most one run in twenty may hold a false biology in *every*
# design of the calibration grid, also where the covariate model is only nearly right
FIRM = 0.5


def adjust(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p; NaN stays NaN and does not count as a test."""
    p = np.asarray(p, dtype=float)
    out, tested = np.full(p.shape, np.nan), ~np.isnan(p)
    if tested.any():
        out[tested] = stats.false_discovery_control(p[tested], method="bh")
    return out


def adjust_familywise(p: np.ndarray) -> np.ndarray:
    """Holm adjusted p (Holm 1979): the chance of *any* false call stays below the level; NaN stays NaN.

    Examples
    --------
    >>> adjust_familywise(np.array([0.01, 0.04, np.nan, 0.02])).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    p = np.asarray(p, dtype=float)
    out, tested = np.full(p.shape, np.nan), np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    out[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return out


def adjust_within(p: pd.Series, dims: pd.Series, outcomes: int) -> pd.Series:
    """p of the outcomes of dimensions that are linked with at least one of them.

    Shaffer 1986, J. Am. Stat. Assoc. 81:826. One of m outcomes is no null, so the smallest p of a dimension is one of
    m - 1, the next one too, then of m - 2.

    Examples
    --------
    >>> adjust_within(pd.Series([0.02, 0.03, 0.2, 0.04]), pd.Series(["z1", "z1", "z1", "z2"]), 3).tolist()
    [0.04, 0.06, 0.2, 0.08]
    """
    rank = p.groupby(dims.to_numpy()).rank(method="first")
    adjusted = p * np.clip(outcomes + 1 - rank, 1, max(outcomes - 1, 1))
    order = adjusted.iloc[np.argsort(rank.to_numpy(), kind="stable")]
    return order.groupby(dims.loc[order.index].to_numpy()).cummax().reindex(p.index)


def firm(p, alpha: float):
    """Whether a family-wise p, or each of several, is small enough for biology."""
    return p <= FIRM * alpha


def firm_level(tests: int, alpha: float = 0.05) -> float:
    """Level of a single test that is :func:`firm` over ``tests``: Bonferroni, the first step of Holm.

    Benjamini-Hochberg is at least as lenient: where r of the tests are called it asks for r alpha / tests.
    """
    return FIRM * alpha / max(int(tests), 1)


def of_outcomes(table: pd.DataFrame, outcomes) -> pd.Series:
    """Rows of a table of associations that test an outcome: the family of biology."""
    return (table["question"] == "task") & table["variable"].isin(outcomes)


def with_blocks(trial: Trial, tests: pd.DataFrame, outside: pd.DataFrame) -> pd.DataFrame:
    """The ``tests`` of blocks (:mod:`mtlbio.probing.subspaces`) with ``q``, ``called`` and ``p_familywise``.

    ``outside``: associations of the dimensions outside all blocks, which belong to the same families.
    """
    tests = tests.copy()
    for (question, name), rows in tests.groupby(["question", "variable"]):
        others = outside[(outside["question"] == question) & (outside["variable"] == name)]["p"]
        tests.loc[rows.index, "q"] = adjust(np.concatenate([rows["p"], others]))[: len(rows)]
    tests["called"] = tests["q"] <= trial.options.alpha
    both = pd.concat([tests, outside])[["question", "variable", "p"]]
    p = adjust_familywise(both["p"].where(of_outcomes(both, trial.outcomes)).to_numpy())
    return tests.assign(p_familywise=p[: len(tests)])
