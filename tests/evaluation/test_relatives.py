"""Relatives in the evaluation: drawn again as a whole, and in one fold wherever a setting is chosen."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, CovariateInfo, schema_json
from mtlbio.cohort.family import FAMILY
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.evaluation import baselines as baseline_arms
from mtlbio.evaluation import reprobe as readings
from mtlbio.evaluation.affinity import score_subsets
from mtlbio.evaluation.baselines import predict_baselines
from mtlbio.evaluation.evaluate import evaluate_tables
from mtlbio.evaluation.learning_curve import curve_row
from mtlbio.evaluation.reprobe import question, scored
from mtlbio.labels import Binary, Regression
from mtlbio.tables import PREDICTIONS

PEOPLE, SIZE = 50, 3
RNG = np.random.default_rng([71])
AGE = RNG.normal(50, 10, PEOPLE)
CASE = RNG.integers(0, 2, PEOPLE).astype(float)
TASKS = {"age": Regression("age"), "disease": Binary("disease", ("no", "yes"))}
NAMES = np.array([f"p{i:02d}" for i in range(PEOPLE)])


def predictions(size: int) -> tuple[pd.DataFrame, pd.Series]:
    """Predictions of two networks for families of ``size`` donors who are copies of each other, and the families."""
    rng, parts = np.random.default_rng(5), []
    for arm, noise in (("multitask", 6.0), ("singletask", 9.0)):
        of = {"age": AGE + rng.normal(0, noise, PEOPLE), "disease": 0.3 * CASE + 0.7 * rng.random(PEOPLE)}
        for task, truth in (("age", AGE), ("disease", CASE)):
            rows = pd.DataFrame({"sample": np.repeat(NAMES, size), "y_true": np.repeat(truth, size)})
            rows["sample"] += [f".{k}" for k in range(size)] * PEOPLE
            rows = rows.assign(arm=arm, task=task, fold=0, seed="0", y_pred=np.repeat(of[task], size))
            parts.append(rows.assign(donor=rows["sample"], label=None if task == "age" else "yes"))
    table = pd.concat(parts, ignore_index=True)
    samples = table["sample"].unique()
    return table[PREDICTIONS], pd.Series([name.split(".")[0] for name in samples], samples)


def test_intervals_of_metrics_and_gains_are_those_of_families():
    """Three copies of everybody say what one of them says, where they are known to be one family."""
    once, alone = predictions(1)
    many, families = predictions(SIZE)
    single = evaluate_tables(once, TASKS, 200, 0, 0.02, families=alone)
    whole = evaluate_tables(many, TASKS, 200, 0, 0.02, families=families)
    strangers = evaluate_tables(many, TASKS, 200, 0, 0.02)
    counts = ["n_samples", "n_donors", "why"]
    for before, after in zip(single, whole, strict=True):
        pd.testing.assert_frame_equal(
            before.drop(columns=counts, errors="ignore"), after[before.columns.difference(counts, sort=False)]
        )
    assert (whole[0]["n_donors"] == SIZE * PEOPLE).all()
    width = [(table[0]["ci_high"] - table[0]["ci_low"]).to_numpy() for table in (whole, strangers)]
    assert (width[1] < 0.75 * width[0]).all()


def test_intervals_of_subsets_and_curves_are_those_of_families():
    rng = np.random.default_rng(6)
    predicted = {(("age",), "age"): AGE + rng.normal(0, 9, PEOPLE)}
    predicted[("age", "more"), "age"] = AGE + rng.normal(0, 5, PEOPLE)
    tasks, copies, donors = {"age": TASKS["age"]}, np.repeat(NAMES, SIZE), np.arange(SIZE * PEOPLE).astype(str)
    once = score_subsets(tasks, {"age": AGE}, NAMES, predicted, 200, 0)
    repeated = {key: np.repeat(values, SIZE) for key, values in predicted.items()}
    many = score_subsets(tasks, {"age": np.repeat(AGE, SIZE)}, donors, repeated, 200, 0, copies)
    assert many.rarest["age"] == PEOPLE and many.donors["age"] == SIZE * PEOPLE
    for key, values in once.drawn.items():
        np.testing.assert_allclose(many.drawn[key], values)
    pair = tuple(predicted.values())[::-1]
    again = [tuple(np.repeat(values, SIZE) for values in pair)]
    curve = curve_row(TASKS["age"], AGE, NAMES, 20, [pair], 200, 0)
    of_families = curve_row(TASKS["age"], np.repeat(AGE, SIZE), donors, 20, again, 200, 0, copies)
    for end in ("ci_low", "ci_high"):
        np.testing.assert_allclose(of_families[end], curve[end])


def obs_of(donors: int = 120) -> pd.DataFrame:
    """Families of three, whose members share a batch and a disease."""
    rng, family = np.random.default_rng(7), np.arange(donors) // 3
    table = {"donor": [f"d{i:03d}" for i in range(donors)], FAMILY: [f"F{f:02d}" for f in family], "fold": family % 5}
    table["batch"] = np.array(["A", "B"], dtype=object)[rng.integers(0, 2, family.max() + 1)[family]]
    table["disease"] = np.array(["no", "yes"], dtype=object)[rng.integers(0, 2, donors)]
    return pd.DataFrame(table, index=[f"s{i:03d}" for i in range(donors)])


@pytest.fixture
def inner(monkeypatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """Clusters and folds of every call of ``inner_folds`` in the evaluation."""
    seen, make = [], baseline_arms.inner_folds

    def recorded(clusters, y, n, seed):
        fold = make(clusters, y, n, seed)
        seen.append((np.asarray(clusters), fold))
        return fold

    for room in (baseline_arms, readings):
        monkeypatch.setattr(room, "inner_folds", recorded)
    return seen


def assert_families(seen: list[tuple[np.ndarray, np.ndarray]], least: int) -> None:
    assert len(seen) >= least
    for clusters, fold in seen:
        assert all(name.startswith("F") for name in clusters)
        assert (pd.Series(fold).groupby(clusters).nunique() == 1).all()


def test_baselines_choose_their_penalties_on_whole_families(inner):
    obs = obs_of().drop(columns="fold")
    expression = np.random.default_rng(8).normal(size=(len(obs), 20)).astype(np.float32)
    obs["age"] = expression[:, 0] * 10 + 50.0
    info = {"batch": CovariateInfo("batch", "technical", "categorical")}
    cohort = Cohort(expression, tuple(f"g{k}" for k in range(20)), obs, TASKS, info)
    predict_baselines(cohort, make_splits(cohort, Splits(folds=3)), ["ridge"], 20)
    assert_families(inner, 6)


def test_a_batch_is_read_on_families_that_were_held_out(inner):
    obs, info = obs_of(), CovariateInfo("batch", "technical", "categorical")
    tasks = {"disease": TASKS["disease"]}
    schema = schema_json(Cohort(np.empty((len(obs), 0)), (), obs, tasks, {"batch": info}))
    var = pd.DataFrame({"block": ["axis"] * 4}, index=[f"z{d}" for d in range(4)])
    z = np.random.default_rng(9).normal(size=(40, 4))[np.arange(120) // 3].astype(np.float32)
    table = readings.reprobe(ad.AnnData(z, obs, var, {"mtlbio": schema}), 50, 0)
    assert_families(inner, 4)
    # members of a family look the same and share their batch: who is not held out with them is recognised
    assert (table["readable"] == "no").all()
    asked = question(obs, info)
    copies = scored(asked, np.repeat(np.random.default_rng(1).random(40), 3), 100, 0)[1]
    alone = scored(replace(asked, clusters=asked.donors), np.repeat(np.random.default_rng(1).random(40), 3), 100, 0)[1]
    assert copies.std() > 1.4 * alone.std()
