"""The families of tests of a trial, and how each is corrected: the only module that adjusts a p for other tests.

- a question (one variable in all dimensions): Benjamini & Hochberg 1995, the ``q`` of every table;
- biology (every outcome in all dimensions): Holm 1979, ``p_familywise``, and the same given other dimensions.

A block of axes (:mod:`mtlbio.probing.subspaces`) takes the place of its axes in both.
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


def firm(p: float, alpha: float) -> bool:
    """Whether a family-wise p is small enough for biology."""
    return bool(p <= FIRM * alpha)


def firm_level(tests: int, alpha: float = 0.05) -> float:
    """Level of a single test that is :func:`firm` over ``tests``: Bonferroni, the first step of Holm.

    Benjamini-Hochberg is at least as lenient: where r of the tests are called it asks for r alpha / tests.
    """
    return FIRM * alpha / max(int(tests), 1)


def of_outcomes(table: pd.DataFrame, outcomes) -> pd.Series:
    """Rows of a table of associations that test an outcome: the family of biology."""
    return (table["question"] == "task") & table["variable"].isin(outcomes)


def familywise(trial: Trial, association: pd.DataFrame) -> np.ndarray:
    """(rows,) ``p_familywise`` of the associations; NaN outside the family."""
    return adjust_familywise(association["p"].where(of_outcomes(association, trial.outcomes)).to_numpy())


def familywise_given(trial: Trial, association: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """``dim``, ``task`` and ``p_given_familywise``: the same of the larger p of both steps.

    ``given`` has ``dim``, ``task`` and ``p_given`` of the effects that were tested given other dimensions.
    """
    family = association[of_outcomes(association, trial.outcomes)].rename(columns={"variable": "task"})
    family = family[["dim", "task", "p"]].merge(given[["dim", "task", "p_given"]], how="left")
    p = np.fmax(family["p"].to_numpy(), family["p_given"].to_numpy(dtype=float))
    return family[["dim", "task"]].assign(p_given_familywise=adjust_familywise(p))


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
    return tests.assign(p_familywise=familywise(trial, both)[: len(tests)])
