"""A dimension that is a covariate is recognised, and nothing is said of its effects."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import Probe
from mtlbio.labels import Regression
from mtlbio.probing.covariate_duplicates import covariate_duplicates
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.sentences import rounded
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import judge


def trial(n=200, gap=0):
    """z01 is the weight, z02 a score of the ancestry that differs between folds, z03 mostly weight, z04 noise."""
    rng = np.random.default_rng(4)
    fold, level = np.arange(n) % 5, rng.integers(0, 3, n)
    weight = rng.normal(75, 12, n)
    scores = rng.normal(size=(5, 3))
    z = np.column_stack([-weight, scores[fold, level], weight + rng.normal(0, 2, n), rng.normal(size=n)])
    obs = pd.DataFrame(
        {
            "donor": [f"p{i}" for i in range(n)],
            "dose": rng.normal(size=n),
            "weight": weight,
            "ancestry": np.array(["east", "north", "south"])[level],
            "chip": [f"c{i // 2}" for i in range(n)],
        }
    )
    obs.loc[: gap - 1, "weight"] = np.nan
    covariates = {
        "weight": CovariateInfo("weight", "confounder", "continuous"),
        "ancestry": CovariateInfo("ancestry", "confounder", "categorical"),
        "chip": CovariateInfo("chip", "technical", "categorical"),
    }
    dims = ("z01", "z02", "z03", "z04")
    return (Trial(z, dims, np.array(["axis"] * 4), obs, {"dose": Regression("dose")}, covariates, Probe()), fold)


@pytest.mark.parametrize("gap", [0, 7])
def test_a_number_and_a_category_are_recognised_and_what_is_mostly_one_is_not(gap):
    assert covariate_duplicates(*trial(gap=gap)) == {"z01": "weight", "z02": "ancestry"}


def test_a_score_across_folds_is_not_constant_in_a_level():
    given, fold = trial()
    assert covariate_duplicates(given, np.zeros_like(fold)) == {"z01": "weight"}


def test_as_many_levels_as_samples_say_nothing():
    given, _ = trial(n=40)
    given = replace(given, covariates={"chip": given.covariates["chip"]})
    assert (
        covariate_duplicates(given, np.arange(40) // 20) == {} and covariate_duplicates(given, np.arange(40) % 2) == {}
    )


TRACE = dict(effect=-0.0004, ci_low=-0.002, ci_high=0.001, q=0.9, share=0.0)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3, 0.02])
@pytest.mark.parametrize("removal", ["harmful", "harmless", "inconclusive"])
def test_the_sentence_says_so_and_the_verdict_stays(share, removal):
    dose = TaskEvidence("dose", removal=removal, loss=0.3, metric="mae", **TRACE)
    weight = CovariateEvidence("weight", "confounder", share, 1e-9, True)
    plain = judge(Evidence("z03", (dose,), (weight,)), Probe())
    fixed = judge(Evidence("z03", (dose,), (weight,), held_fixed="weight"), Probe())
    assert (fixed.verdict, fixed.driver) == (plain.verdict, plain.driver)
    assert "z03 holds nothing but weight" in fixed.why and "nothing of the dimension is left to test" in fixed.why
    assert "SD" not in fixed.why and "-0.00" not in fixed.why + plain.why
    assert "rest of its variance" not in fixed.why and "the rest goes" not in fixed.why


def test_a_zero_has_no_sign():
    assert [rounded(x, "+") for x in (-0.0004, 0.0004, -0.006, 0.9)] == ["0.00", "0.00", "-0.01", "+0.90"]
    assert rounded(-0.0) == "0.00" and rounded(float("nan")) == "nan"
