"""The step end to end on a small planted cohort."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from small_training import small_cohort

from mtlbio.cohort.cohort import write_cohort
from mtlbio.cohort.prepare import prepare
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.errors import InputError
from mtlbio.evaluation.predictions import collect
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.labels import Regression
from mtlbio.model.ensemble import FINAL, load_ensemble
from mtlbio.tables import HISTORY, PREDICTIONS, SPLITS, read_table, write_table
from mtlbio.training.device import choose_device
from mtlbio.training.train import train

SMALL = {"genes": 70, "curves": 40, "seeds": 2, "epochs": 60, "patience": 20, "device": "cpu"}


def run_of(cohort, **training) -> CohortRun:
    """A run whose tasks and paths do not matter to the step: it reads the prepared cohort."""
    tasks = {name: {"kind": "regression"} for name in cohort.tasks}
    return CohortRun.model_validate(
        {"run": "small", "expression": {"path": "x.csv", "scale": "log2"}, "tasks": tasks, "training": SMALL | training}
    )


def written(cohort, folder: Path, splits: pd.DataFrame | None = None, **training) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_cohort(cohort, folder / "cohort.h5ad")
    splits = make_splits(cohort, Splits(folds=3)) if splits is None else splits
    write_table(splits, folder / "splits.tsv", SPLITS)
    train(run_of(cohort, **training), folder)
    return folder


@pytest.fixture(scope="module")
def cohort():
    return small_cohort(donors=90)


@pytest.fixture(scope="module")
def results(cohort, tmp_path_factory):
    return written(cohort, tmp_path_factory.mktemp("train") / "results")


def test_every_held_out_sample_is_predicted_by_every_arm_seed_and_task(cohort, results):
    table = read_table(results / "predictions.tsv", PREDICTIONS)
    assert list(table.columns) == PREDICTIONS
    rows = {"disease": 1, "age": 1, "stage": 4, "subtype": 3}
    count = table.groupby(["arm", "task", "seed"]).size()
    assert set(table["arm"]) == {"multitask", "singletask"} and set(table["seed"]) == {"0", "1"}
    for (_, task, _), n in count.items():
        assert n == rows[task] * len(cohort.obs)
    splits = read_table(results / "splits.tsv", SPLITS).set_index("sample")["fold"]
    assert (table["fold"].to_numpy() == splits.loc[table["sample"]].to_numpy()).all()
    assert table["y_pred"].notna().all()
    assert table.loc[table["task"] == "age", "label"].isna().all()
    assert set(table.loc[table["task"] == "disease", "label"]) == {"sick"}
    total = table[table["task"].isin(["stage", "subtype"])].groupby(["arm", "task", "seed", "sample"])["y_pred"].sum()
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_truth_is_the_label_and_missing_labels_are_missing(cohort, results):
    table = read_table(results / "predictions.tsv", PREDICTIONS)
    for name, task in cohort.tasks.items():
        predictions = collect(table, task)
        y = pd.Series(cohort.y(name), cohort.samples).loc[predictions.samples].to_numpy()
        np.testing.assert_allclose(predictions.y, y, rtol=1e-6)
        assert np.isnan(y).any()


@pytest.mark.parametrize(("task", "least"), [("disease", 0.85), ("age", 0.55), ("stage", 0.6), ("subtype", 0.75)])
def test_every_kind_of_task_is_learnt(cohort, results, task, least):
    table = read_table(results / "predictions.tsv", PREDICTIONS)
    predictions = collect(table, cohort.tasks[task])
    for arm in ("multitask", "singletask"):
        assert cohort.tasks[task].score(predictions.y, predictions.arms[arm]) > least


def test_predictions_are_those_of_the_saved_model_on_out_of_fold_latents(cohort, results):
    ensemble = load_ensemble(results / "model")
    table = read_table(results / "predictions.tsv", PREDICTIONS)
    splits = read_table(results / "splits.tsv", SPLITS)
    age = table[(table["task"] == "age") & (table["arm"] == "multitask")]
    disease = table[(table["task"] == "disease") & (table["arm"] == "multitask")]
    for fold in ensemble.folds:
        rows = np.flatnonzero(splits["fold"] == fold)
        for q, seed in enumerate(ensemble.seeds):
            for frame, name, tolerance in ((age, "age", 1e-2), (disease, "disease", 1e-4)):
                own = frame[frame["seed"] == str(seed)].set_index("sample")["y_pred"].loc[cohort.samples[rows]]
                found = ensemble.predict(name, cohort.expression[rows], fold)[q]
                np.testing.assert_allclose(found, own, atol=tolerance)
    latents = ad.read_h5ad(results / "latents.h5ad")
    for fold in ensemble.folds:
        rows = np.flatnonzero(splits["fold"] == fold)
        expected = ensemble.latents(cohort.expression[rows], fold).mean(axis=0)
        np.testing.assert_allclose(latents.X[rows], expected, atol=1e-3)
    final = ensemble.latents(cohort.expression, FINAL).mean(axis=0)
    np.testing.assert_allclose(latents.layers["final"], final, atol=1e-3)


def test_history_has_every_arm_and_falls_on_training_donors(results):
    history = read_table(results / "history.tsv", HISTORY)
    assert set(history["part"]) == {"train", "validation"} and np.isfinite(history["loss"]).all()
    trained = history[(history["arm"] == "multitask") & (history["part"] == "train")]
    mean = trained.groupby(["task", "epoch"])["loss"].mean().unstack("epoch")
    assert (mean.iloc[:, -1] < 0.8 * mean.iloc[:, 0]).all()


def test_the_same_run_gives_the_same_tables(cohort, results, tmp_path):
    again = written(cohort, tmp_path / "again")
    for name in ("predictions.tsv", "history.tsv", "model/weights.safetensors", "model/model.json"):
        assert (again / name).read_bytes() == (results / name).read_bytes(), name
    first, second = (ad.read_h5ad(folder / "latents.h5ad") for folder in (results, again))
    np.testing.assert_array_equal(first.X, second.X)
    np.testing.assert_array_equal(first.varm["loadings"], second.varm["loadings"])


def test_another_seed_gives_other_replicas_and_a_single_arm_can_be_left_out(cohort, results, tmp_path):
    other = written(cohort, tmp_path / "other", seed=7, single_task=False)
    table = read_table(other / "predictions.tsv", PREDICTIONS)
    assert set(table["seed"]) == {"7", "8"} and set(table["arm"]) == {"multitask"}
    before = collect(read_table(results / "predictions.tsv", PREDICTIONS), cohort.tasks["age"]).arms["multitask"]
    after = collect(table, Regression("age")).arms["multitask"]
    correlation = np.corrcoef(before, after)[0, 1]
    assert 0.9 < correlation < 1 - 1e-6


def test_order_of_the_samples_does_not_matter(cohort, results, tmp_path):
    order = np.random.default_rng(2).permutation(len(cohort.obs))
    turned = type(cohort)(cohort.expression[order], cohort.genes, cohort.obs.iloc[order], cohort.tasks)
    other = written(turned, tmp_path / "turned", single_task=False)
    columns = ["arm", "task", "seed", "sample", "label"]
    first, second = (
        read_table(folder / "predictions.tsv", PREDICTIONS).query("arm == 'multitask'").fillna({"label": ""})
        for folder in (results, other)
    )
    merged = first.merge(second, on=columns, suffixes=("", "_turned"))
    assert len(merged) == len(second)
    age = merged["task"] == "age"
    np.testing.assert_allclose(merged.loc[age, "y_pred_turned"], merged.loc[age, "y_pred"], atol=0.5)
    np.testing.assert_allclose(merged.loc[~age, "y_pred_turned"], merged.loc[~age, "y_pred"], atol=0.02)


def test_held_out_visits_of_a_donor_do_not_train(tmp_path):
    """leave_out: a donor's visits lie in several folds, and none of them trains the fold of another."""
    cohort = small_cohort()
    fold = np.arange(len(cohort.obs)) % 2
    splits = pd.DataFrame({"sample": cohort.samples, "donor": cohort.donors, "fold": fold})
    shared = set(cohort.donors[fold == 0]) & set(cohort.donors[fold == 1])
    assert len(shared) > 5
    results = written(cohort, tmp_path / "first", splits, single_task=False)
    table = read_table(results / "predictions.tsv", PREDICTIONS)
    assert (table.groupby(["task", "seed", "label"], dropna=False)["sample"].nunique() == len(cohort.obs)).all()
    # other labels and other expression of the shared donors in fold 1 leave the predictions of fold 0 alone
    rows = np.flatnonzero(np.isin(cohort.donors, list(shared)) & (fold == 1))
    expression, obs = cohort.expression.copy(), cohort.obs.copy()
    expression[rows] += 3
    obs.iloc[rows, obs.columns.get_loc("age")] = 200.0
    other = type(cohort)(expression, cohort.genes, obs, cohort.tasks)
    table_other = read_table(
        written(other, tmp_path / "second", splits, single_task=False) / "predictions.tsv", PREDICTIONS
    )
    own, changed = (t[t["fold"] == 0]["y_pred"].to_numpy() for t in (table, table_other))
    np.testing.assert_allclose(changed, own, atol=1e-4)


def test_planted_programmes_are_axes_out_of_fold(tmp_path):
    simulation = simulate("clear", seed=1, donors=150, genes=600)
    run = read_run(write_simulation(tmp_path / "cohort", simulation))
    run = run.model_copy(update={"training": Training(**SMALL | {"genes": 600, "single_task": False})})
    prepare(run, tmp_path / "results")
    train(run, tmp_path / "results")
    latents = ad.read_h5ad(tmp_path / "results/latents.h5ad")
    axes = latents.X[:, (latents.var["block"] == "axis").to_numpy()]
    truth = simulation.truth.loc[latents.obs_names]
    for programme in ("age", "interferon", "composition", "batch"):
        r2 = [np.corrcoef(truth[programme], axis)[0, 1] ** 2 for axis in axes.T]
        assert max(r2) > 0.88, programme
        assert sorted(r2)[-2] < 0.3, programme
    table = read_table(tmp_path / "results/predictions.tsv", PREDICTIONS)
    age = collect(table, Regression("age"))
    assert 1 - ((age.y - age.arms["multitask"]) ** 2).sum() / ((age.y - age.y.mean()) ** 2).sum() > 0.7


def test_device(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    with pytest.raises(InputError, match="torch sees no GPU here; valid: auto, cpu"):
        choose_device("cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert (choose_device("auto"), choose_device("cuda"), choose_device("cpu")) == ("cuda", "cuda", "cpu")


def test_a_folder_without_a_cohort_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="run `mtlbio prepare` first"):
        train(run_of(small_cohort(donors=20)), tmp_path)


def test_a_cohort_without_any_axis_is_trained_on_its_genes(tmp_path):
    """No axis survives the penalty: the other paths predict, and the tables stay whole."""
    cohort = small_cohort(tasks=("disease", "age"))
    results = written(cohort, tmp_path / "results", sparsity=1000.0, single_task=False)
    latents = ad.read_h5ad(results / "latents.h5ad")
    assert latents.var["block"].astype(str).tolist() == ["supervised"] * 2
    assert np.isfinite(latents.X).all() and latents.uns["effective_rank"] == 0
    age = collect(read_table(results / "predictions.tsv", PREDICTIONS), cohort.tasks["age"])
    assert cohort.tasks["age"].score(age.y, age.arms["multitask"]) > 0.4
