"""An added task: the trunk is said to help where it knows the programme, and never where there is nothing to know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort
from mtlbio.evaluation.added.answer import CANNOT_TELL, HELPS, answer_of, call
from mtlbio.evaluation.added.arms import Added, predict_held_out
from mtlbio.evaluation.added.common import LEAST, believed, in_common, outputs_of_kind
from mtlbio.evaluation.added.head import fit_head
from mtlbio.evaluation.predictions import collect
from mtlbio.labels import Binary, Regression
from mtlbio.metrics.ranking import auroc
from mtlbio.tables import PREDICTIONS
from mtlbio.training.frozen_head import Prior

BINARY = Binary("new", ("no", "yes"))


def planted(truth: str, labels: int, seed: int, kind: str = "regression", donors: int = 80, visits: int = 1) -> Added:
    """A cohort of three programmes among 600 genes, latents that know them with some noise, and a new label that
    follows the ``first`` one, or ``nothing``."""
    rng = np.random.default_rng([seed, 5])
    n = donors * visits
    donor = np.repeat(np.arange(donors), visits)
    activity = rng.standard_normal((donors, 3))[donor]
    loadings = rng.normal(0, 0.35, (3, 600)) * (rng.random((3, 600)) < 0.15)
    expression = activity @ loadings + rng.standard_normal((n, 600))
    latents = np.column_stack([activity + 0.3 * rng.standard_normal((n, 3)), rng.standard_normal((n, 3))])
    value = (activity[:, 0] if truth == "first" else rng.standard_normal(donors)[donor]) + 0.2 * rng.standard_normal(n)
    known = np.isin(donor, rng.choice(donors, labels, replace=False))
    obs = pd.DataFrame({"donor": [f"d{d:03d}" for d in donor]}, index=[f"s{i:03d}" for i in range(n)])
    cohort = Cohort(expression.astype(np.float32), tuple(f"g{i}" for i in range(600)), obs)
    if kind == "binary":
        text = np.where(value > np.median(value[known]), "yes", "no").astype(object)
        column = pd.Series(np.where(known, text, np.nan), obs.index, name="new")
        return Added(BINARY, column, latents, cohort, 600)
    return Added(Regression("new"), pd.Series(np.where(known, value, np.nan), obs.index), latents, cohort, 600)


def answered(added: Added):
    return answer_of(collect(predict_held_out(added), added.task), draws=1000, seed=0, margin=0.02)


@pytest.mark.parametrize("labels", [15, 20])
def test_a_programme_that_the_trunk_knows_is_learnt_from_few_labels(labels):
    found = answered(planted("first", labels, seed=1))
    assert found.answer == HELPS and found.n_donors == labels
    assert found.trunk > 0.5 and found.trunk > found.ridge + 0.3 and found.ci_low > 0.02


def test_a_label_of_nothing_is_not_helped():
    for seed in range(3):
        found = answered(planted("nothing", 20, seed))
        assert found.answer != HELPS and not found.above_chance


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_a_label_of_nothing_is_never_helped_in_planted_repeats(kind):
    found = [answered(planted("nothing", 16, seed, kind)) for seed in range(20, 40)]
    assert [a.answer for a in found].count(HELPS) == 0
    assert abs(np.mean([a.gain for a in found])) < 0.3


def test_two_classes_are_told_better_on_the_trunk():
    found = answered(planted("first", 20, seed=1, kind="binary"))
    assert found.metric == "auroc" and found.trunk > 0.85 and found.trunk > found.ridge + 0.1


@pytest.mark.parametrize("labels", [16, 20])
def test_two_classes_are_told_in_new_donors_whatever_donors_are_labelled(labels):
    found, least = [], []
    for seed in range(5):
        added, truth = planted("first", labels, seed, "binary"), planted("first", 80, seed, "binary").y
        prior, rows = Prior.of(added.latents), added.labelled
        rest = np.setdiff1d(np.arange(80), rows)

        def logits(rows, added=added, prior=prior):
            donors = added.cohort.donors[rows]
            return fit_head(BINARY, prior, added.latents[rows], added.y[rows], donors, donors).outputs(added.latents)[
                :, 0
            ]

        whole = logits(rows)
        found.append(auroc(truth[rest], whole[rest]))
        least.append(min(np.corrcoef(whole, logits(np.delete(rows, k)))[0, 1] for k in range(2)))
    assert min(found) > 0.75 and np.mean(found) > 0.85
    assert min(least) > 0.8 and np.median(least) > 0.9  # and one label less does not turn the head about


def test_both_arms_predict_the_same_samples_and_donors_stay_together():
    added = planted("first", 14, seed=3, visits=2)
    table = predict_held_out(added)
    assert list(table.columns) == PREDICTIONS and set(table["arm"]) == {"latents", "ridge"}
    assert (table.groupby(["donor", "seed"])["fold"].nunique() == 1).all()
    keys = ["sample", "fold", "seed", "y_true"]
    by_arm = [table.loc[table["arm"] == arm, keys].reset_index(drop=True) for arm in ("latents", "ridge")]
    pd.testing.assert_frame_equal(*by_arm)
    assert table.groupby(["arm", "sample"]).size().eq(5).all() and table["sample"].nunique() == 28
    pd.testing.assert_frame_equal(table, predict_held_out(added))


def test_a_held_out_label_changes_no_prediction_of_its_own():
    added = planted("first", 12, seed=4)
    first, row = predict_held_out(added), added.labelled[0]
    changed = added.column.copy()
    changed.iloc[row] += 1e-3
    second = predict_held_out(Added(added.task, changed, added.latents, added.cohort, added.n_genes))
    own = (first["sample"] == added.cohort.samples[row]).to_numpy()
    same_folds = (first["fold"] == second["fold"]).to_numpy()
    assert same_folds.all()
    np.testing.assert_array_equal(first.loc[own, "y_pred"], second.loc[own, "y_pred"])
    assert (first.loc[~own, "y_pred"] != second.loc[~own, "y_pred"]).any()


def test_an_undefined_interval_says_nothing():
    assert call(float("nan"), float("nan"), True, 0.02) == CANNOT_TELL


def test_the_scale_of_the_dimensions_changes_no_head():
    added = planted("first", 20, seed=1)
    rows, donors = added.labelled, added.cohort.donors[added.labelled]
    said = [
        fit_head(
            added.task, Prior.of(a * added.latents), a * added.latents[rows], added.y[rows], donors, donors
        ).predict(a * added.latents)
        for a in (0.1, 1.0, 10.0)
    ]
    np.testing.assert_allclose(said[0], said[1], rtol=1e-6)
    np.testing.assert_allclose(said[2], said[1], rtol=1e-6)


def test_what_many_old_tasks_have_in_common_is_where_a_head_of_few_labels_begins():
    """Thirty old tasks that follow one direction and one of their own; a new one with eight labels."""
    gains = []
    for seed in range(5):
        rng = np.random.default_rng([seed, 8])
        latents = rng.standard_normal((300, 12))
        heads = np.zeros((12, 30))
        heads[0] = 0.6
        heads[rng.integers(1, 12, 30), np.arange(30)] = 0.4
        old, value = latents @ heads, 0.6 * latents[:, 0] + 0.4 * latents[:, 5] + 0.7 * rng.standard_normal(300)
        donors, few, task = np.arange(300).astype(str), np.arange(8), Regression("new")
        prior = believed(latents, old)
        np.testing.assert_allclose(prior.centre, in_common(old) * heads.mean(axis=1), atol=1e-10)
        beyond = latents[:, 1:] @ heads[1:]  # what an old task says beyond that direction, some of it the mean's
        assert prior.signal == pytest.approx(np.median(beyond.var(axis=0) / (1 - old.var(axis=0))), rel=0.3)
        labels = latents[few], value[few], donors[few], donors[few]
        said = [fit_head(task, p, *labels).predict(latents[8:]) for p in (Prior.of(latents), prior)]
        r = [np.corrcoef(own, value[8:])[0, 1] for own in said]
        gains.append(r[1] - r[0])
    assert np.mean(gains) > 0.1 and min(gains) > -0.02


def test_few_old_tasks_and_those_against_each_other_are_no_centre():
    latents = np.random.default_rng(0).standard_normal((200, 40))
    few = believed(latents, latents[:, : LEAST - 1] + latents[:, [-1]])
    assert few.centre is None and few.signal == 1.0
    against = believed(latents, 0.5 * latents[:, [0]] * np.tile([1.0, -1.0], 10))
    np.testing.assert_allclose(against.centre, 0.0)
    assert against.signal == pytest.approx(0.25 / 0.75, rel=0.2)


def test_old_tasks_of_the_kind_are_put_on_the_scale_that_is_learnt():
    labels = pd.DataFrame({"dose": [1.0, 4.0, 9.0, np.nan], "sick": ["no", "yes", "no", "yes"], "age": [1.0, 2, 3, 4]})
    tasks = {"dose": Regression("dose", scale="sqrt"), "sick": BINARY, "age": Regression("age")}
    columns = pd.MultiIndex.from_tuples([("dose", ""), ("sick", "yes"), ("age", "")], names=["task", "label"])
    predicted = pd.DataFrame([[1.0, 0.5, 2.0], [4.0, 0.5, 3.0], [9.0, 0.5, 2.0], [16.0, 0.5, 3.0]], columns=columns)
    found = outputs_of_kind(Regression("new"), tasks, labels, predicted)
    np.testing.assert_allclose(found[:, 0], (np.array([1.0, 2, 3, 4]) - 2) / np.std([1, 2, 3]))
    np.testing.assert_allclose(found[:, 1], (np.array([2.0, 3, 2, 3]) - 2.5) / np.std([1, 2, 3, 4]))
    assert outputs_of_kind(BINARY, tasks, labels, predicted) is None
