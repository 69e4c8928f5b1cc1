"""A planted cohort with times to death from the YAML to the page, beside a disease and an age."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtlbio import cli
from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.evaluation.predictions import collect, read_predictions
from mtlbio.kinds import STEPS
from mtlbio.labels.cox import fit_cox
from mtlbio.model.ensemble import load_ensemble
from mtlbio.tables import COMPARISONS, METRICS, PREDICTIONS, VERDICTS, read_table

RUN = """\
run: small
expression: {path: expression.parquet, scale: log2}
metadata: {path: metadata.csv}
tasks:
  os: {kind: survival, time: os_months, event: os_status, positive: dead, horizons: [6, 24], unit: months}
  disease: {kind: binary, positive: case}
  age: {kind: regression}
covariates: {batch: {role: technical, kind: categorical}}
splits: {folds: 2}
training: {genes: 120, seeds: 2, epochs: 30, block: 2}
baselines: {arms: [ridge, lightgbm, covariates]}
evaluate: {bootstrap: 100}
probe: {permutations: 99, bootstrap: 100}
"""


def planted(folder: Path) -> np.ndarray:
    """A cohort in which the interferon programme kills; the log hazards."""
    made = simulate("clear", seed=1, donors=140, genes=300)
    activity = made.truth["interferon"].to_numpy()
    hazard, rng = (activity - activity.mean()) / activity.std(), np.random.default_rng(3)
    dies, leaves = rng.exponential(20 * np.exp(-hazard)), rng.uniform(2, 60, len(hazard))
    metadata = made.metadata.assign(
        os_months=np.minimum(dies, leaves).round(1).clip(0.1), os_status=np.where(dies <= leaves, "dead", "alive")
    )
    metadata.loc[metadata.index[::20], "os_months"] = np.nan
    write_simulation(folder, made)
    metadata.to_csv(folder / "metadata.csv", index=False)
    (folder / "run.yaml").write_text(RUN)
    return hazard


def call(*words: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mtlbio", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return ended.value.code or 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Results of all six steps, and the log hazards that were planted."""
    folder = tmp_path_factory.mktemp("times")
    hazard = planted(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for step in STEPS:
            assert call(step, "run.yaml", "--results", "results") == 0, step
    return folder / "results", hazard


def test_every_arm_foretells_the_planted_hazard(finished):
    results, hazard = finished
    cohort = read_cohort(results / "cohort.h5ad")
    task = cohort.tasks["os"]
    predictions = collect(read_predictions(results), task)
    truth = pd.Series(hazard, index=cohort.samples)[predictions.samples].to_numpy()
    y = pd.Series(cohort.y("os"), index=cohort.samples)[predictions.samples].to_numpy()
    np.testing.assert_array_equal(predictions.y, y)
    assert np.isnan(y).sum() == 7
    best = task.score(y, truth)
    for arm in ("multitask", "singletask", "ridge", "lightgbm"):
        predicted = predictions.arms[arm]
        assert task.score(y, predicted) > best - 0.08, arm
        assert np.corrcoef(predicted[:, 0], truth)[0, 1] > 0.6, arm
        risk = predicted[:, 2:]
        assert (risk > 0).all() and (risk < 1).all() and (risk[:, 0] < risk[:, 1]).all(), arm
    assert task.score(y, predictions.arms["covariates"]) < 0.62  # the batch kills nobody
    table = read_table(results / "metrics.tsv", METRICS).query("task == 'os'").set_index(["arm", "metric"])
    row = table.loc["multitask", "c_index"]
    assert row["value"] == pytest.approx(task.score(y, predictions.arms["multitask"]), abs=1e-4)
    assert row["ci_low"] < row["value"] < row["ci_high"] and row["n_samples"] == 133
    for arm in ("multitask", "ridge"):
        known = table.loc[arm]["value"]
        assert 0.8 < known["observed_to_expected_at_24"] < 1.25, arm
        assert known["integrated_brier"] < 0.25 and known["auroc_at_6"] > 0.65, arm


def test_the_saved_model_predicts_what_the_table_holds(finished):
    """The baseline hazard that was found after training is part of the model of every fold."""
    results = finished[0]
    ensemble, cohort = load_ensemble(results / "model"), read_cohort(results / "cohort.h5ad")
    table = read_table(results / "predictions.tsv", PREDICTIONS).query("task == 'os' and arm == 'multitask'")
    for fold, rows in table.groupby("fold"):
        wide = rows.pivot(index=["seed", "sample"], columns="label", values="y_pred")
        samples = wide.loc[wide.index[0][0]].index
        place = pd.Index(cohort.samples).get_indexer(samples)
        found = ensemble.predict("os", cohort.expression[place], int(fold))
        for seed, of_seed in zip(ensemble.seeds, found, strict=True):
            own = wide.loc[str(seed)].loc[samples, list(cohort.tasks["os"].row_labels)]
            np.testing.assert_allclose(of_seed, own, atol=2e-3)


def test_no_task_is_worse_than_alone(finished):
    table = read_table(finished[0] / "comparisons.tsv", COMPARISONS)
    alone = table[table["arm_b"] == "singletask"].set_index("task")
    assert set(alone.index) == {"os", "disease", "age"} and alone.loc["os", "metric"] == "c_index"
    assert (alone["difference"] > -0.03).all() and (alone["call"] != "worse").all()


def test_absent_labels_touch_no_other_task(finished):
    """What is kept of a donor without a time is a prediction for it all the same."""
    rows = read_table(finished[0] / "predictions.tsv", PREDICTIONS).query("task == 'os' and arm == 'multitask'")
    assert rows.groupby("sample")["y_true"].apply(lambda y: y.isna().all()).sum() == 7
    assert rows["y_pred"].notna().all() and rows["sample"].nunique() == 140


def test_a_dimension_is_put_on_trial_for_the_times(finished):
    verdicts = read_table(finished[0] / "verdicts.tsv", VERDICTS)
    assert verdicts["q_os"].min() < 0.01
    assert (finished[0] / "report.html").read_text(encoding="utf-8").count("os") > 0


def test_new_samples_get_an_absolute_risk(finished, monkeypatch):
    results, hazard = finished
    monkeypatch.chdir(results.parent)
    new = pd.read_parquet("expression.parquet")
    new.sample(frac=0.5, random_state=0).to_parquet("new.parquet")
    assert call("predict", "results", "new.parquet") == 0
    table = pd.read_csv(next(results.glob("predict/*/predictions.tsv")), sep="\t").query("task == 'os'")
    wide = table.pivot(index="sample", columns="label", values="y_pred")
    assert list(wide) == ["event", "risk by 24 months", "risk by 6 months", "time"] and table["y_true"].isna().all()
    assert (wide["risk by 6 months"] < wide["risk by 24 months"]).all() and len(wide) == 70
    truth = pd.Series(hazard, index=new.index)[wide.index]
    assert np.corrcoef(wide["time"], truth)[0, 1] > 0.7
    # of all donors the mean risk is that which Kaplan and Meier find
    task, cohort = read_cohort(results / "cohort.h5ad").tasks["os"], read_cohort(results / "cohort.h5ad")
    y = cohort.y("os")
    time, event, *_ = task.times(y[~np.isnan(y)])
    null = fit_cox(np.empty((len(time), 0)), time, event).baseline()[0]
    marginal = 1 - np.exp(-null[1][np.searchsorted(null[0], 24, side="right") - 1])
    assert wide["risk by 24 months"].mean() == pytest.approx(marginal, abs=0.12)
