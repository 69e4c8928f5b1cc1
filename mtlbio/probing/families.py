"""The families of tests of a trial, and how each is corrected: the only module that adjusts a p for other tests.

- a question (one variable in all dimensions): Benjamini & Hochberg 1995, the ``q`` of every table;
- biology of a dimension: flips of whole donors (:mod:`mtlbio.probing.linked`), ``p_familywise``; of the outcomes of a
  dimension that is linked, Shaffer 1986;
- biology of a block of axes (:mod:`mtlbio.probing.subspaces`): the same, with the block in the place of its axes, as in
  the questions.
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


def linked_rows(tests: pd.DataFrame, alpha: float) -> pd.Series:
    """Of tests of outcomes those of a dimension (or block) that is :func:`firm`, with the outcome at the level of a
    single test."""
    return firm(tests["p_familywise"], alpha) & (tests["p"] <= alpha)


def evidence_needed(dims: int, outcomes: int, alpha: float = 0.05) -> float:
    """Sum over outcomes of -log p with which one of ``dims`` dimensions is :func:`firm`, before any was measured.

    Of a dimension without a link the sum is gamma distributed if outcomes are independent (Fisher 1925); of the largest
    of several this is the Bonferroni bound. The flips of a trial (:mod:`mtlbio.probing.linked`) ask for a little less.

    Examples
    --------
    >>> round(evidence_needed(20, 1), 2), round(evidence_needed(20, 2), 2)
    (6.68, 8.99)
    """
    return float(stats.gamma.isf(FIRM * alpha / max(int(dims), 1), max(int(outcomes), 1)))


def outcome_level(outcomes: int, alpha: float = 0.05) -> float:
    """Level of each outcome of a dimension that is linked: the first step of :func:`adjust_within`."""
    return alpha / max(outcomes - 1, 1)


def firm_level(needed: float, others: float, outcomes: int, alpha: float = 0.05) -> float:
    """Level of the test of one outcome at which its dimension is linked, and with that outcome.

    Parameters
    ----------
    needed : evidence that the dimension needs; ``others``: what the other outcomes bring of it
    outcomes : of the trial

    Examples
    --------
    >>> [round(firm_level(6.7, others, 2), 4) for others in (0.0, 2.0, 5.0)]
    [0.0012, 0.0091, 0.05]
    """
    return min(float(np.exp(min(others - needed, 0.0))), outcome_level(outcomes, alpha))


def of_outcomes(table: pd.DataFrame, outcomes) -> pd.Series:
    """Rows of a table of associations that test an outcome: the family of biology."""
    return (table["question"] == "task") & table["variable"].isin(outcomes)


def with_blocks(trial: Trial, tests: pd.DataFrame, outside: pd.DataFrame) -> pd.DataFrame:
    """The ``tests`` of blocks (:mod:`mtlbio.probing.subspaces`) with ``q`` and ``called``.

    ``outside``: associations of the dimensions outside all blocks, which belong to the same families.
    """
    tests = tests.copy()
    for (question, name), rows in tests.groupby(["question", "variable"]):
        others = outside[(outside["question"] == question) & (outside["variable"] == name)]["p"]
        tests.loc[rows.index, "q"] = adjust(np.concatenate([rows["p"], others]))[: len(rows)]
    return tests.assign(called=tests["q"] <= trial.options.alpha)
