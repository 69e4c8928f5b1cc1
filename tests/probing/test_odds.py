import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.given_axes import results_of
from benchmarks.calibration.planted import plant
from mtlbio.config import Probe
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.evidence import CovariateEvidence, Evidence, TaskEvidence
from mtlbio.probing.odds import (
    COLUMNS,
    MOST,
    ROLES,
    TERMS,
    coefficients_for,
    combined,
    odds_by_dimension,
    odds_of,
    pieces_of,
    terms_of,
)
from mtlbio.probing.rates import SPEAK_FOR
from mtlbio.probing.verdict import RETURNS

QUIET = {"p": 0.6, "p_given": math.nan, "donors": 80, "loss": 0.0, "loss_low": -0.02, "loss_high": 0.02}


def evidence(dim="z01", age=(0.0, 0.8), batch=(0.0, 0.8), **task):
    covariates = (
        CovariateEvidence("age", "confounder", age[0], age[1]),
        CovariateEvidence("batch", "technical", batch[0], batch[1]),
    )
    return Evidence(dim, (TaskEvidence("disease", **{**QUIET, **task}),), covariates, batch[0], donors=80)


def odds(*items):
    return odds_of(terms_of(list(items)), coefficients_for("measurements"))


def test_terms_are_what_stands_in_the_evidence():
    item = evidence(age=(0.2, 0.01), batch=(0.4, 1e-12), p=1e-3, p_given=1e-2, loss=0.03, loss_low=0.01, loss_high=0.05)
    row = terms_of([item]).iloc[0]
    assert row["dim"] == "z01"
    assert [row["link"], row["beside"]] == pytest.approx([3.0, 2.0])
    assert row["needed"] == pytest.approx(0.03 / (0.04 / 3.92))
    assert [row["confounder"], row["confounder_q"], row["technical"]] == pytest.approx([0.2, 2.0, 0.4])
    assert row["technical_q"] == pytest.approx(12.0) and row["size"] == pytest.approx(math.log2(80))
    assert row["inseparable"] == row["joint"] == 0


def test_outcomes_add_up_as_fisher_has_it():
    from scipy import stats

    p = [0.03, 0.2, 0.6]
    assert combined(p) == pytest.approx(-math.log10(stats.combine_pvalues(p).pvalue))
    assert combined([1e-200, 1e-200]) == MOST


def test_nothing_known_is_no_evidence():
    nothing = TaskEvidence("disease")
    row = terms_of([Evidence("z01", (nothing,), ())]).iloc[0]
    assert (row[["link", "beside", "needed", "confounder", "technical", "joint"]] == 0).all()
    # a supervised dimension that falls with its task, and a task that is a covariate, are no evidence of a link
    wrong = TaskEvidence("disease", p=1e-9, backwards=True)
    covariate = TaskEvidence("age", outcome=False, p=1e-9)
    assert terms_of([Evidence("z01", (wrong, covariate), ())])["link"].item() == 0


def test_what_cannot_be_told_apart_is_a_term_of_its_own():
    pair = TaskEvidence("disease", entangled=("batch",), joint=True, joint_suspected=True)
    hint = TaskEvidence("disease", entangled=("batch",), joint_suspected=True)
    rows = terms_of([Evidence("z01", (pair,), ()), Evidence("z02", (hint,), ())])
    assert rows["inseparable"].tolist() == [1, 1] and rows["joint"].tolist() == [1.0, 0.5]


def test_pieces_add_up_to_how_far_a_value_came():
    term = next(term for term in TERMS if term.name == "technical")
    values = np.array([-0.5, 0.05, 0.25, 0.8, 2.0])
    expected = [[0, 0, 0], [0.5, 0, 0], [1, 0.5, 0], [1, 1, 1], [1, 1, 1]]
    np.testing.assert_allclose(term.columns(values), expected)
    terms = terms_of([evidence()])
    assert list(pieces_of(terms).columns) == ["always", *(piece for term in TERMS for piece in term.pieces)]


def test_the_shipped_coefficients_are_those_of_the_terms_and_keep_their_signs():
    coefficients = coefficients_for("measurements")
    assert list(coefficients.index) == list(pieces_of(terms_of([evidence()])).columns)
    assert list(coefficients.columns) == list(ROLES[:-1]) == COLUMNS[2:]
    for term in TERMS:
        assert (coefficients.loc[term.pieces, list(term.speaks_for)] >= 0).all().all(), term.name


def test_odds_by_hand():
    terms = terms_of([evidence(p=0.001, batch=(0.3, 0.001))])
    pieces = list(pieces_of(terms).columns)
    weights = pd.DataFrame(
        np.random.default_rng(0).normal(size=(len(pieces), 4)), index=pieces, columns=list(ROLES[:-1])
    )
    score = np.append(pieces_of(terms).to_numpy()[0] @ weights.to_numpy(), 0.0)
    expected = np.exp(score) / np.exp(score).sum()
    np.testing.assert_allclose(odds_of(terms, weights).to_numpy()[0], expected)
    # whatever order the coefficients stand in
    np.testing.assert_allclose(odds_of(terms, weights.iloc[::-1]).to_numpy()[0], expected)


def test_they_sum_to_one_and_find_the_plain_cases():
    items = {
        "biology": evidence(p=1e-9, p_given=1e-8, loss=0.05, loss_low=0.03, loss_high=0.07),
        "confounder": evidence(age=(0.8, 1e-10)),
        "technical": evidence(batch=(0.8, 1e-10)),
        "none": evidence(),
    }
    table = odds(*items.values())
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert table.idxmax(axis=1).tolist() == list(items)
    assert (table.max(axis=1) > 0.8).all()


def test_a_smaller_p_never_makes_biology_less_likely_against_nothing():
    p = np.logspace(0, -9, 40)
    table = odds(*(evidence(p=value, p_given=value) for value in p))
    assert (np.diff(np.log(table["biology"] / table["none"])) >= -1e-12).all()
    assert table["biology"].iloc[-1] > 0.9 > 0.1 > table["biology"].iloc[0]


def test_runs_that_none_were_fitted_for_have_none():
    assert coefficients_for(None) is None
    assert set(SPEAK_FOR) >= {"measurements"} and coefficients_for("nothing") is None


def test_nothing_is_said_of_what_was_not_found_again_or_without_an_outcome():
    item = evidence(p=1e-9, p_given=1e-8)
    covariate = replace(item, tasks=tuple(replace(task, outcome=False) for task in item.tasks))
    items = [item, replace(item, stability=RETURNS), replace(item, stability=RETURNS - 0.01), covariate]
    items.append(replace(item, stability=math.nan))  # one network only: what comes back is not known
    coefficients = coefficients_for("measurements")
    given = odds_by_dimension(items, terms_of(items), coefficients)
    plain = odds(item).iloc[0].to_dict()
    assert all(given[i] == pytest.approx(plain) for i in (0, 1, 4)) and given[2] == given[3] == {}


@pytest.mark.parametrize(("left", "expected"), [(0.0, 0.0), (2 * math.log(10), 2.0), (20 * math.log(10), 6.0)])
def test_of_an_outcome_that_visits_tell_the_evidence_beside_them_counts(left, expected):
    known = {"p": 1e-6, "p_given": 1e-7, "evidence": left}
    row = terms_of([evidence(uneven=("samples per donor",), **known)]).iloc[0]
    assert [row["link"], row["beside"]] == pytest.approx([expected] * 2)
    even = terms_of([evidence(**known)]).iloc[0]
    assert [even["link"], even["beside"]] == pytest.approx([6.0, 6.0])
    # outside the family it was not asked
    outside = terms_of([evidence(uneven=("samples per donor",), **known | {"evidence": math.nan})]).iloc[0]
    assert [outside["link"], outside["beside"]] == pytest.approx([6.0, 6.0])


def test_a_trial_gives_none_to_a_dimension_that_was_not_found_again():
    planted = plant(60, 3)
    latents, examinee = results_of(planted)
    latents.var["stability"] = [RETURNS - 0.01, *latents.var["stability"].astype(float)[1:]]
    options = Probe(permutations=99, bootstrap=100)
    table = examine_cohort(planted.cohort, latents, examinee, options)["verdicts"]
    values = table[[f"odds_{role}" for role in ROLES]]
    assert values.iloc[0].isna().all() and table["verdict"][0] == "underpowered"
    np.testing.assert_allclose(values.iloc[1:].sum(axis=1), 1)
    only = replace(planted.cohort, tasks={"age": planted.cohort.tasks["age"]})
    everything = examine_cohort(only, *results_of(replace(planted, cohort=only)), options)["verdicts"]
    assert everything[values.columns].isna().all(axis=None) and len(everything) == len(table)
