"""Closed forms of leaving donors out against refits, and planted mix-ups."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from benchmarks.calibration.outliers import count, planted
from mtlbio.errors import InputError
from mtlbio.evaluation.coupled import CoupledRidge
from mtlbio.evaluation.held_out_moves import Removals, held_out_moves
from mtlbio.evaluation.influence import influence_of_donors
from mtlbio.evaluation.leave_one_out import features_of, labels_by_donor, linear_model
from mtlbio.evaluation.linear_targets import covariate_targets, task_targets
from mtlbio.evaluation.mixups import _records, _scores, mixups
from mtlbio.evaluation.ridge import fit_ridge
from mtlbio.tables import COUPLING, INFLUENCE

PENALTIES = np.array([1.0, 2.0, 3.0])
COUPLING_OF_THREE = 1.5 * np.array([[0, -1, 1], [-1, 0, 1], [1, 1, 0]])


@pytest.fixture
def labels():
    """Features (40, 15), three targets with gaps, weights, and 20 donors of two samples; one has no label."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 15)), rng.normal(size=(40, 3))
    y[rng.random(y.shape) < 0.4] = np.nan
    y[:2] = np.nan
    return x, y, rng.uniform(0.5, 2, 40), np.repeat(np.arange(20), 2)


def refit(x, y, weights, out=None):
    return CoupledRidge(
        x, y if out is None else np.where(out[:, None], np.nan, y), weights, PENALTIES, COUPLING_OF_THREE
    )


def test_the_error_without_a_donor_is_that_of_a_refit(labels):
    x, y, weights, place = labels
    fit = refit(x, y, weights)
    groups = labels_by_donor(fit, place, 20)
    error = fit.residual_without(groups)
    for g, rows in enumerate(groups):
        alone = y - refit(x, y, weights, place == g).predicted
        np.testing.assert_allclose(error[rows], alone[fit.samples[rows], fit.targets[rows]], atol=1e-10)
    single = fit.residual_without([np.array([i]) for i in range(len(fit.samples))])
    left = y.copy()
    left[fit.samples[5], fit.targets[5]] = np.nan
    expected = (y - refit(x, left, weights).predicted)[fit.samples[5], fit.targets[5]]
    assert single[5] == pytest.approx(expected, abs=1e-10)


def test_moves_of_held_out_predictions_are_those_of_refits_without_both(labels):
    x, y, weights, place = labels
    fit = refit(x, y, weights)
    groups = labels_by_donor(fit, place, 20)
    first_target = [rows[fit.targets[rows] == 0] for rows in groups]
    samples = [np.flatnonzero(place == g) for g in range(20)]
    found = list(held_out_moves(fit, groups, samples, [Removals(fit, groups), Removals(fit, first_target)]))
    for j in (0, 3, 19):
        before = refit(x, y, weights, place == j).predicted[samples[j]].mean(axis=0)
        for i in (g for g in range(20) if g != j):
            after = refit(x, y, weights, (place == j) | (place == i)).predicted[samples[j]].mean(axis=0)
            np.testing.assert_allclose(found[j][0][i], after - before, atol=1e-10)
            partly = y.copy()
            partly[place == i, 0] = np.nan
            after = refit(x, partly, weights, place == j).predicted[samples[j]].mean(axis=0)
            np.testing.assert_allclose(found[j][1][i], after - before, atol=1e-10)


def test_without_coupling_each_target_is_a_ridge_regression(labels):
    x, y, weights, _ = labels
    fit = CoupledRidge(x, y, weights, PENALTIES)
    for t in range(3):
        rows = ~np.isnan(y[:, t])
        total = weights[rows].sum()
        alone = fit_ridge(x[rows], y[rows, t], weights[rows], PENALTIES[[t]] / total)
        np.testing.assert_allclose(fit.predicted[:, t], alone.predict(x)[0], atol=1e-8)


def test_strong_coupling_makes_two_targets_one_of_either_sign():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 8)), rng.normal(size=(60, 2))
    opposite = CoupledRidge(x, y, np.ones(60), np.ones(2), np.array([[0, -1e8], [-1e8, 0]]))
    np.testing.assert_allclose(opposite.coefficients[0, :-1], -opposite.coefficients[1, :-1], atol=1e-6)


@pytest.fixture(scope="module")
def cohort():
    return planted(1, 100, 400)


def test_the_tables_say_what_the_model_does(cohort):
    donors, coupling = influence_of_donors(cohort)
    assert list(donors.columns) == INFLUENCE and list(coupling.columns) == COUPLING
    assert len(donors) == 100 * 3 and len(coupling) == 6 and sorted(donors["rank"].unique()) == list(range(1, 101))
    assert donors.groupby("donor")["rank"].nunique().eq(1).all()
    targets = task_targets(cohort)
    model = linear_model(features_of(cohort, 3), targets, cohort.donors)
    ages = donors[donors["task"] == "age"].set_index("donor")
    expected = model.errors[:, 1] * cohort.obs["age"].std(ddof=0)
    np.testing.assert_allclose(ages.loc[cohort.donors, "error"], expected, rtol=1e-9)
    # without a label of a task a donor moves it by its other labels alone
    unlabelled = donors[(donors["task"] == "response") & (donors["n_labels"] == 0)]
    np.testing.assert_allclose(unlabelled["rms"], unlabelled["by_others"], rtol=1e-6, atol=1e-12)
    assert len(unlabelled) > 10 and (donors["largest"].abs() >= donors["rms"] * (1 - 1e-9)).all()
    assert (donors["moved"] != donors["donor"])[donors["rms"] > 0].all()


def test_tables_do_not_depend_on_the_order_of_the_samples(cohort):
    order = np.random.default_rng(3).permutation(100)
    other = replace(cohort, expression=cohort.expression[order], obs=cohort.obs.iloc[order])
    first, second = influence_of_donors(cohort)[0], influence_of_donors(other)[0]
    keys = ["donor", "task"]
    both = first.merge(second, on=keys, suffixes=("", "_other"))
    np.testing.assert_allclose(both["evidence"], both["evidence_other"], atol=1e-4)
    np.testing.assert_allclose(both["rms"], both["rms_other"], rtol=1e-3, atol=1e-9)


def test_evidence_is_that_of_two_normal_distributions(cohort):
    targets = task_targets(cohort)
    models = [linear_model(features_of(cohort, 3), targets, cohort.donors)]
    models += [linear_model(features_of(cohort, 1), [t], cohort.donors) for t in covariate_targets(cohort)]
    found = mixups(models)
    assert found.records == ("disease", "age", "response", "sex", "batch")
    # by hand for one donor: everything from scores, records and regressions without it
    scores = np.column_stack([_scores(model, t) for model in models for t in range(len(model.targets))])
    parts = [(t.name, _records(t.values)) for model in models for t in model.targets]
    design = np.column_stack([np.ones(100), *(part for _, part in parts)])
    owner = np.array([""] + [name for name, part in parts for _ in range(part.shape[1])])
    slopes = np.linalg.lstsq(design, scores, rcond=None)[0]
    left = []
    for i in range(100):
        others = np.arange(100) != i
        left.append(scores[i] - design[i] @ np.linalg.lstsq(design[others], scores[others], rcond=None)[0])
    left = np.array(left)
    covariance = left.T @ left / 100 + 1e-3 * np.diag(scores.var(axis=0))
    normal = multivariate_normal(np.zeros(scores.shape[1]), covariance)
    for name, column in (("disease", found.wrong[:, 0]), (None, found.swapped)):
        part = owner != "" if name is None else owner == name
        for i in (0, 17):
            put_in = left[i] + (design[i, part] - design[:, part]) @ slopes[part]
            expected = logsumexp(normal.logpdf(put_in)) - np.log(100) - normal.logpdf(left[i])
            assert column[i] == pytest.approx(expected, abs=1e-6)
    every = np.column_stack([found.swapped, found.wrong])
    np.testing.assert_allclose(np.exp(found.evidence), np.exp(every).mean(axis=1), rtol=1e-9)


def test_a_wrong_label_is_found_where_measurements_tell_it():
    table = count(range(6), 200, only="wrong disease", effect=6.0)
    assert table[["label", "known", "either"]].sum().tolist() == [6, 6, 5]


def test_too_few_donors_are_not_ranked():
    table = influence_of_donors(planted(1, 60, 400))[0]
    assert table[["rank", "evidence", "wrong_label"]].isna().all(axis=None) and table["suspect"].eq("no").all()
    assert table["rms"].gt(0).any()


def test_columns_of_covariates_are_levels_that_have_donors_enough(cohort):
    batch = np.array(["B1"] * 60 + ["B2"] * 30 + ["B3"] * 8 + ["B4"] * 2)
    targets = covariate_targets(replace(cohort, obs=cohort.obs.assign(batch=batch)))
    assert [(t.name, t.part) for t in targets] == [
        ("sex", "male"), ("batch", "B1"), ("batch", "B2"), ("batch", "B3"),
    ]  # fmt: skip


def test_a_cohort_without_labels_that_differ_is_refused(cohort):
    same = cohort.obs.assign(disease="case", age=50.0, response=None)
    with pytest.raises(InputError, match="100 donors, of the tasks disease, age, response 0 with labels that differ"):
        influence_of_donors(replace(cohort, obs=same))


def test_a_swapped_pair_is_ranked_first_and_a_sound_cohort_names_nobody():
    """The small form of the benchmark; 20 cohorts of 200 donors there."""
    found = count(range(4), 120, "swap")
    assert found["either"].mean() == 1 and found["both"].mean() >= 0.75
    assert count(range(4), 120, "nothing")["others"].sum() == 0


def test_one_of_several_samples_that_is_somebody_elses_is_named(cohort):
    # a young woman and an old man: whose samples are alike, swapped ones cannot be told
    old = (cohort.obs["age"] > 65) & (cohort.obs["sex"] == "male")
    young = (cohort.obs["age"] < 35) & (cohort.obs["sex"] == "female")
    about = [cohort.donors[np.flatnonzero(whose)[0]] for whose in (old, young)]
    twice = np.repeat(np.arange(100), 2)
    values = cohort.expression[twice] + np.random.default_rng(0).normal(scale=0.1, size=(200, 400)).astype(np.float32)
    wrong = [2 * i + 1 for i in np.flatnonzero(np.isin(cohort.donors, about))]
    values[wrong] = values[wrong[::-1]]
    obs = cohort.obs.iloc[twice].set_index(np.array([f"V{k}" for k in range(200)]))
    table = influence_of_donors(replace(cohort, expression=values, obs=obs))[0].drop_duplicates("donor")
    first = table.set_index("donor").loc[about]
    assert first["rank"].min() == 1 and first.loc[first["rank"].idxmin(), "sample"] in {f"V{k}" for k in wrong}
