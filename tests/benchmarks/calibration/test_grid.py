"""The calibration grid in the size that a test can pay for: MTLBIO_GRID=full makes it five times as large."""

import os

import pandas as pd
import pytest
from scipy import stats

from benchmarks.calibration.cells import ARMS, BASE, Cell
from benchmarks.calibration.given_axes import judge_axes
from benchmarks.calibration.whole import judge_pipeline

TIMES = 5 if os.environ.get("MTLBIO_GRID") == "full" else 1
RUNS = 12 * TIMES


@pytest.fixture(scope="module")
def rows():
    arms = ("base", "P(batch = disease) 1", "the age axis turns with the batch", "nothing causes anything")
    cells = [Cell(arm, 200, {**BASE, **ARMS[arm]}) for arm in arms]
    return pd.concat([judge_axes(cell, 7000 + run) for cell in cells for run in range(RUNS)], ignore_index=True)


def of(rows, arm, role):
    return rows[rows["cell"].str.startswith(arm + ",") & (rows["role"] == role)]["verdict"]


def at_least(verdicts, verdict, rate):
    """Not significantly below ``rate``."""
    hits = int((verdicts == verdict).sum())
    return stats.binomtest(hits, len(verdicts), rate, alternative="less").pvalue > 0.001


@pytest.mark.slow
def test_false_biology_is_rare(rows):
    runs = rows.groupby(["cell", "run"])["false_biology"].any()
    assert stats.binomtest(int(runs.sum()), len(runs), 0.05, alternative="greater").pvalue > 0.001


@pytest.mark.slow
def test_roles_are_recognised(rows):
    assert at_least(of(rows, "base", "interferon"), "biology", 0.95)
    for arm in ("base", "the age axis turns with the batch"):
        assert at_least(of(rows, arm, "age"), "confounder", 0.95)
        assert at_least(of(rows, arm, "batch"), "technical", 0.95)


@pytest.mark.slow
def test_what_is_nested_is_never_called_anything_else(rows):
    for role in ("interferon", "batch"):
        assert set(of(rows, "P(batch = disease) 1", role)) == {"not_identifiable"}
    assert at_least(of(rows, "P(batch = disease) 1", "age"), "confounder", 0.95)


@pytest.mark.slow
def test_intervals_cover_the_true_effect(rows):
    known = rows["covered"].dropna().astype(bool)
    # dimensions of a cohort share its labels: twice the binomial error
    assert abs(known.mean() - 0.95) < 2 * 3.3 * (0.95 * 0.05 / len(known)) ** 0.5


@pytest.mark.slow
def test_the_whole_pipeline_recognises_the_programmes_of_one_cohort():
    table = judge_pipeline(Cell("base", 200, {**BASE, "batches": 4}), 7000)
    axes = table[table["block"] == "axis"]
    assert {"interferon", "age", "batch", "sex"} <= set(axes["role"])
    assert axes["right"].mean() >= 0.75 and not axes["wrong"].any()
