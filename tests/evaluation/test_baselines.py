from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtlbio.cohort.cohort import Cohort, write_cohort
from mtlbio.cohort.split import make_splits, train_test
from mtlbio.config import Baselines, Splits, Training
from mtlbio.errors import InputError
from mtlbio.evaluation.baselines import BaselineFold, baselines, predict_baselines
from mtlbio.evaluation.predictions import collect
from mtlbio.labels import Multiclass, Ordinal
from mtlbio.tables import PREDICTIONS, SPLITS, read_table, write_table

ARMS = ["ridge", "elasticnet", "lightgbm", "pca_linear", "covariates"]


@pytest.fixture(scope="module")
def table(planted):
    return predict_baselines(planted, make_splits(planted, Splits(folds=2)), ARMS, n_genes=100)


def test_every_arm_predicts_every_held_out_sample_of_every_task(planted, table):
    assert list(table.columns) == PREDICTIONS
    n = len(planted.samples)
    rows = table.groupby(["arm", "task"]).size().unstack()
    assert rows.loc["ridge"].to_dict() == {"disease": n, "age": n, "stage": 4 * n, "subtype": 3 * n}
    assert (rows == rows.iloc[0]).all().all()
    assert np.isfinite(table["y_pred"]).all()
    assert table.loc[table["task"] == "disease", "label"].unique().tolist() == ["sick"]
    assert table.loc[table["task"] == "age", "label"].isna().all()
    assert table.loc[(table["task"] == "disease") & (table["arm"] == "ridge"), "y_true"].isna().sum() == 6
    probabilities = table[table["task"].isin(["stage", "subtype"])].groupby(["arm", "task", "sample"])["y_pred"].sum()
    np.testing.assert_allclose(probabilities, 1, atol=1e-6)


@pytest.mark.parametrize(
    "task, floor",
    [
        ("disease", {"ridge": 0.9, "elasticnet": 0.9, "lightgbm": 0.85, "pca_linear": 0.85}),
        ("age", {"ridge": 0.7, "elasticnet": 0.75, "lightgbm": 0.5, "pca_linear": 0.5}),
        ("stage", {"ridge": 0.8, "elasticnet": 0.8, "lightgbm": 0.7, "pca_linear": 0.7}),
        ("subtype", {"ridge": 0.9, "elasticnet": 0.9, "lightgbm": 0.85, "pca_linear": 0.85}),
    ],
)
def test_planted_signal_is_found_on_held_out_donors(planted, table, task, floor):
    found = collect(table, planted.tasks[task])
    values = {arm: found.task.score(found.y, found.arms[arm]) for arm in floor}
    assert all(values[arm] > least for arm, least in floor.items()), values


def test_covariates_see_the_confounded_site_and_nothing_else(planted, table):
    disease, subtype = (collect(table, planted.tasks[name]) for name in ("disease", "subtype"))
    assert 0.65 < disease.task.score(disease.y, disease.arms["covariates"]) < 0.9
    assert 0.35 < subtype.task.score(subtype.y, subtype.arms["covariates"]) < 0.65


def test_held_out_donors_cannot_change_their_own_prediction(planted):
    splits = make_splits(planted, Splits(folds=3))
    held_out = (splits["fold"] == 0).to_numpy()
    small = replace(planted, tasks={k: planted.tasks[k] for k in ("disease", "age")})
    obs = small.obs.copy()
    obs.loc[held_out, "disease"] = np.where(obs.loc[held_out, "disease"] == "sick", "healthy", "sick")
    obs.loc[held_out, "age"] = 1000.0
    for arm in ("ridge", "pca_linear"):
        before = predict_baselines(small, splits, [arm], n_genes=50)
        after = predict_baselines(replace(small, obs=obs), splits, [arm], n_genes=50)
        fold = (before["fold"] == 0).to_numpy()
        np.testing.assert_allclose(before["y_pred"][fold], after["y_pred"][fold], rtol=1e-9)
        assert (before["y_true"][fold].fillna(-1) != after["y_true"][fold].fillna(-1)).all()


def test_genes_and_scales_come_from_the_training_donors(planted):
    splits = make_splits(planted, Splits(folds=3))
    held_out = (splits["fold"] == 0).to_numpy()
    expression = planted.expression.copy()
    # wild in the held-out donors only: whoever looked at them would take these genes, or scale them down
    expression[np.ix_(held_out, range(60, 120))] *= 100
    train, test = train_test(splits, 0)
    quiet, wild = (
        BaselineFold(replace(planted, expression=e), train, test, 40) for e in (planted.expression, expression)
    )
    np.testing.assert_array_equal(quiet.rotated[0], wild.rotated[0])
    np.testing.assert_array_equal(quiet.screened[0], wild.screened[0])
    assert np.abs(wild.screened[1]).max() > 50
    assert (wild.screened[0].shape[1], wild.screened[1].shape[0]) == (40, held_out.sum())


def test_the_same_seed_gives_the_same_table(planted):
    splits = make_splits(planted, Splits(folds=3))
    small = replace(planted, tasks={"disease": planted.tasks["disease"]})
    arms = ["ridge", "lightgbm", "covariates"]
    one, two = (predict_baselines(small, splits.iloc[::step], arms, n_genes=60, seed=5) for step in (1, -1))
    pd.testing.assert_frame_equal(one, two)


def test_a_class_without_training_donors_gets_the_smoothed_prevalence():
    rng = np.random.default_rng([3])
    obs = pd.DataFrame(
        {"donor": [f"d{i}" for i in range(12)], "cell": ["x", "y", "z", *["x", "y"] * 4, "x"]},
        index=[f"s{i}" for i in range(12)],
    )
    cohort = Cohort(
        rng.normal(size=(12, 6)).astype(np.float32),
        tuple("abcdef"),
        obs,
        {"cell": Multiclass("cell", ("x", "y", "z"))},
    )
    splits = pd.DataFrame({"sample": obs.index, "donor": obs["donor"].to_numpy(), "fold": [0] * 3 + [1] * 9})
    table = predict_baselines(cohort, splits, ["ridge", "pca_linear"], n_genes=6)
    # nine donors train fold 0, none of them of class z
    unseen = table[(table["fold"] == 0) & (table["label"] == "z")]
    np.testing.assert_allclose(unseen["y_pred"], 0.5 / 10.5)
    assert np.isfinite(table["y_pred"]).all()
    one_class = replace(cohort, obs=obs.assign(cell=["x"] * 11 + ["y"]))
    table = predict_baselines(one_class, splits.assign(fold=[0] * 11 + [1]), ["ridge"], n_genes=6)
    alone = table[table["fold"] == 1].set_index("label")["y_pred"]
    assert alone.to_dict() == pytest.approx({"x": 11.5 / 12.5, "y": 0.5 / 12.5, "z": 0.5 / 12.5})


def test_a_task_without_a_label_to_learn_from_is_named(planted):
    splits = make_splits(planted, Splits(folds=3))
    obs = planted.obs.copy()
    obs.loc[(splits["fold"] != 0).to_numpy(), "age"] = np.nan
    cohort = replace(planted, obs=obs, tasks={"age": planted.tasks["age"]})
    with pytest.raises(InputError, match="task age: no labelled sample among the training donors"):
        predict_baselines(cohort, splits, ["ridge"], n_genes=20)


def test_splits_of_another_cohort_are_refused(planted):
    splits = make_splits(planted, Splits(folds=3))
    with pytest.raises(InputError, match="name different samples"):
        predict_baselines(planted, splits.iloc[1:], ["ridge"], n_genes=20)


def test_level_probabilities_are_a_normal_cut_between_levels():
    found = Ordinal("stage", ("I", "II", "III")).from_value(np.array([0.0, 1.3]), 0.8)
    cuts = stats.norm.cdf([(0.5 - 1.3) / 0.8, (1.5 - 1.3) / 0.8])
    np.testing.assert_allclose(found[1], [cuts[0], cuts[1] - cuts[0], 1 - cuts[1]])
    np.testing.assert_allclose(found.sum(axis=1), 1)


class FakeRun:
    baselines = Baselines(arms=["ridge"], seed=1)
    training = Training(genes=30)
    splits = Splits(folds=3)


def test_the_step_writes_its_table(planted, tmp_path):
    small = replace(planted, tasks={"disease": planted.tasks["disease"]})
    write_cohort(small, tmp_path / "cohort.h5ad")
    splits = make_splits(small, Splits(folds=3))
    write_table(splits, tmp_path / "splits.tsv", SPLITS)
    baselines(FakeRun, tmp_path)
    written = read_table(tmp_path / "baselines" / "predictions.tsv", PREDICTIONS)
    expected = predict_baselines(small, splits, ["ridge"], n_genes=30, seed=1)
    np.testing.assert_allclose(written["y_pred"], expected["y_pred"], rtol=1e-8)
    assert written["y_true"].isna().sum() == 6
