from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, CovariateInfo, schema_json
from mtlbio.config import Evaluate, Splits, Training
from mtlbio.errors import InputError
from mtlbio.evaluation.evaluate import evaluate, evaluate_tables
from mtlbio.evaluation.predictions import collect
from mtlbio.labels import Binary, Multiclass, Regression
from mtlbio.metrics.ranking import auroc, macro_auroc
from mtlbio.metrics.values import r2
from mtlbio.tables import COMPARISONS, METRICS, PREDICTIONS, REPROBE, read_table, write_table

N = 60
RNG = np.random.default_rng([61])
DISEASE = RNG.integers(0, 2, N).astype(float)
DISEASE[:5] = np.nan
AGE = RNG.uniform(20, 80, N)
SUBTYPE = RNG.integers(0, 3, N)


def rows(arm, task, label, y_true, y_pred, seed="0"):
    sample = [f"s{i}" for i in range(N)]
    donor = [f"d{i // 2}" for i in range(N)]
    return pd.DataFrame(
        {"sample": sample, "donor": donor, "fold": 0, "seed": seed, "arm": arm, "task": task, "label": label}
    ).assign(y_true=y_true, y_pred=y_pred)[PREDICTIONS]


def prediction_table(arm, seeds):
    rng = np.random.default_rng([len(arm)])
    frames = []
    for seed in seeds:
        frames.append(rows(arm, "disease", "sick", DISEASE, rng.random(N) * 0.5 + 0.4 * np.nan_to_num(DISEASE), seed))
        frames.append(rows(arm, "age", None, AGE, AGE + rng.normal(0, 10, N), seed))
        p = rng.dirichlet(np.ones(3), N)
        for k, label in enumerate("ABC"):
            frames.append(rows(arm, "subtype", label, (SUBTYPE == k).astype(float), p[:, k], seed))
    return pd.concat(frames, ignore_index=True)


LABELS = {
    "disease": Binary("disease", ("healthy", "sick")),
    "age": Regression("age"),
    "subtype": Multiclass("subtype", ("A", "B", "C")),
}


class FakeRun:
    kind, features, tasks = "cohort", None, dict.fromkeys(LABELS)
    evaluate = Evaluate(bootstrap=100)
    training, splits = Training(), Splits()


def test_seeds_are_averaged_before_anything_is_scored():
    table = prediction_table("multitask", ["0", "1", "2"])
    mean = table.groupby(["task", "label", "sample"], dropna=False, sort=False)["y_pred"].mean()
    metrics, _, _ = evaluate_tables(table, {name: LABELS[name] for name in ("disease", "age")}, 100, 0, 0.02)
    value = metrics.set_index(["task", "metric"])["value"]
    labelled = ~np.isnan(DISEASE)
    assert value["disease", "auroc"] == pytest.approx(auroc(DISEASE[labelled], mean["disease"].to_numpy()[labelled]))
    assert value["age", "r2"] == pytest.approx(r2(AGE, mean["age"].to_numpy()))


def test_classes_come_back_in_the_order_of_the_label():
    table = prediction_table("ridge", ["0"])
    found = collect(table.iloc[::-1], LABELS["subtype"])
    order = found.samples.argsort()
    found = replace(found, y=found.y[order], arms={"ridge": found.arms["ridge"][order]})
    names = np.argsort([f"s{i}" for i in range(N)])
    np.testing.assert_array_equal(found.y, SUBTYPE[names])
    p = table[table["task"] == "subtype"]["y_pred"].to_numpy().reshape(3, N).T
    np.testing.assert_allclose(found.arms["ridge"], p[names])
    metrics, _, _ = evaluate_tables(table, {"subtype": LABELS["subtype"]}, 100, 0, 0.02)
    assert metrics["value"].iloc[0] == pytest.approx(macro_auroc(SUBTYPE, p))


def write_latents(path):
    """Two dimensions of noise, and a chip that follows the first."""
    z = np.random.default_rng([62]).normal(size=(N, 2))
    donors, folds = [f"d{i // 2}" for i in range(N)], np.arange(N) // 2 % 3
    obs = pd.DataFrame({"donor": donors, "fold": folds}, index=[f"s{i}" for i in range(N)])
    obs["disease"] = pd.Series(np.where(DISEASE == 1, "sick", "healthy"), obs.index).where(~np.isnan(DISEASE))
    obs["age"], obs["subtype"] = AGE, np.array(list("ABC"))[SUBTYPE]
    obs["chip"] = np.where(z[:, 0] > 0, "c1", "c2")
    schema = schema_json(Cohort(z, (), obs, LABELS, {"chip": CovariateInfo("chip", "technical", "categorical")}))
    var = pd.DataFrame({"block": ["axis", "supervised"]}, index=["z01", "z02"])
    ad.AnnData(z, obs, var, {"mtlbio": schema}).write_h5ad(path)


def test_the_step_writes_its_tables_and_repeats_exactly(tmp_path):
    write_table(prediction_table("multitask", ["0", "1"]), tmp_path / "predictions.tsv", PREDICTIONS)
    write_table(prediction_table("ridge", ["0"]), tmp_path / "baselines" / "predictions.tsv", PREDICTIONS)
    with pytest.raises(InputError, match="latents.h5ad: no such file"):
        evaluate(FakeRun, tmp_path)
    write_latents(tmp_path / "latents.h5ad")
    evaluate(FakeRun, tmp_path)
    reprobe = read_table(tmp_path / "reprobe.tsv", REPROBE).set_index(["representation", "classifier"])
    assert reprobe.loc[("axes", "linear"), "value"] > 0.95 and reprobe.loc[("supervised", "linear"), "readable"] == "no"
    metrics, comparisons = (
        read_table(tmp_path / f, c) for f, c in (("metrics.tsv", METRICS), ("comparisons.tsv", COMPARISONS))
    )
    assert set(zip(metrics["arm"], metrics["task"], strict=True)) == {
        (arm, task) for arm in ("multitask", "ridge") for task in FakeRun.tasks
    }
    assert comparisons[["arm_a", "arm_b", "task", "metric", "best_baseline"]].to_numpy().tolist() == [
        ["multitask", "ridge", "disease", "auroc", "yes"],
        ["multitask", "ridge", "age", "r2", "yes"],
        ["multitask", "ridge", "subtype", "macro_auroc", "yes"],
    ]
    assert metrics.loc[metrics["task"] == "disease", "n_samples"].unique().tolist() == [55]
    before = (tmp_path / "metrics.tsv").read_bytes(), (tmp_path / "comparisons.tsv").read_bytes()
    evaluate(FakeRun, tmp_path)
    assert before == ((tmp_path / "metrics.tsv").read_bytes(), (tmp_path / "comparisons.tsv").read_bytes())


def test_an_auxiliary_label_is_not_evaluated(tmp_path):
    """Nobody predicts it, and a run that had one stopped here."""

    class Furnished(FakeRun):
        tasks = FakeRun.tasks | {"icu": None}

    write_table(prediction_table("multitask", ["0", "1"]), tmp_path / "predictions.tsv", PREDICTIONS)
    write_table(prediction_table("ridge", ["0"]), tmp_path / "baselines" / "predictions.tsv", PREDICTIONS)
    write_latents(tmp_path / "latents.h5ad")
    evaluate(Furnished, tmp_path)
    assert set(read_table(tmp_path / "metrics.tsv", METRICS)["task"]) == set(FakeRun.tasks)


def test_arms_that_disagree_about_the_truth_are_refused():
    other = rows("ridge", "age", None, AGE + 1, AGE)
    with pytest.raises(InputError, match="arms disagree about the truth of task age"):
        collect(pd.concat([prediction_table("multitask", ["0"]), other]), LABELS["age"])


def test_a_task_without_predictions_is_named():
    with pytest.raises(InputError, match="no prediction of task response"):
        collect(prediction_table("multitask", ["0"]), Binary("response", ("no", "yes")))
