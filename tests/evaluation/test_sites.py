"""What is lost with whole sites left out is the difference of two scores on the same samples, at every site too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.evaluation.sites import sites_left_out
from mtlbio.labels import Binary, Regression
from mtlbio.metrics.ranking import auroc
from mtlbio.metrics.values import mae
from mtlbio.tables import PREDICTIONS, SITES_LEFT_OUT

N = 120
TASKS = {"disease": Binary("disease", ("healthy", "sick")), "age": Regression("age")}
RNG = np.random.default_rng(3)
SICK = RNG.integers(0, 2, N).astype(float)
SICK[80:] = 1.0  # one class at the third site
AGE = RNG.uniform(20, 80, N)
SITE = pd.Series(np.repeat(["Basel", "Leeds", "Oslo"], 40), [f"s{i:03d}" for i in range(N)])


def predictions(noise: float, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Table of one arm, and its predictions of both tasks."""
    rng = np.random.default_rng(seed)
    sick = 1 / (1 + np.exp(-(2 * SICK - 1 + noise * rng.normal(size=N))))
    age = AGE + 10 * noise * rng.normal(size=N)
    about = {"sample": SITE.index, "donor": [f"d{i // 2}" for i in range(N)], "fold": 0, "seed": "0", "arm": "ridge"}
    one = pd.DataFrame(about | {"task": "disease", "label": "sick", "y_true": SICK, "y_pred": sick})
    two = pd.DataFrame(about | {"task": "age", "label": None, "y_true": AGE, "y_pred": age})
    return pd.concat([one, two], ignore_index=True)[PREDICTIONS], sick, age


def test_values_are_those_of_each_table_and_what_is_lost_is_their_difference():
    (donors, sick, age), (sites, sick_sites, age_sites) = predictions(1.0, 1), predictions(3.0, 2)
    found = sites_left_out(donors, sites, TASKS, SITE, 200, 0)
    assert list(found.columns) == SITES_LEFT_OUT
    whole = found[found["site"].isna()].set_index(["task", "metric"])
    row = whole.loc[("disease", "auroc")]
    assert row["by_donors"] == pytest.approx(auroc(SICK, sick)) and row["by_sites"] == pytest.approx(
        auroc(SICK, sick_sites)
    )
    assert row["lost"] == pytest.approx(auroc(SICK, sick) - auroc(SICK, sick_sites))
    assert 0 < row["lost_low"] < row["lost"] < row["lost_high"]
    row = whole.loc[("age", "mae")]  # lower is better: what is lost is still positive
    assert row["lost"] == pytest.approx(mae(AGE, age_sites) - mae(AGE, age)) and row["lost"] > 0
    assert set(whole.loc["disease"].index) == {metric.name for metric in TASKS["disease"].metrics}
    between = whole.loc[("disease", "calibration_slope")]
    assert np.isfinite(between["by_sites"]) and np.isnan(between["lost"])
    own = found[found["site"] == "Leeds"].set_index("task")
    assert own.loc["disease", "by_sites"] == pytest.approx(auroc(SICK[40:80], sick_sites[40:80]))
    assert own.loc["disease", ["n_samples", "n_donors"]].tolist() == [40, 20]
    assert own["metric"].to_dict() == {"disease": "auroc", "age": "r2"}


def test_a_site_of_one_class_has_a_row_without_a_value():
    found = sites_left_out(predictions(1.0, 1)[0], predictions(2.0, 2)[0], TASKS, SITE, 100, 0)
    row = found[(found["site"] == "Oslo") & (found["task"] == "disease")].iloc[0]
    assert row["n_samples"] == 40 and row[["by_donors", "by_sites", "lost"]].isna().all()


def test_the_same_predictions_lose_nothing_and_order_makes_no_difference():
    table = predictions(1.0, 1)[0]
    same = sites_left_out(table, table, TASKS, SITE, 100, 0)
    assert (same[["lost", "lost_low", "lost_high"]].dropna() == 0).all(axis=None)
    other = predictions(2.0, 5)[0]
    mixed = sites_left_out(table.sample(frac=1, random_state=1), other, TASKS, SITE, 100, 0)
    pd.testing.assert_frame_equal(sites_left_out(table, other, TASKS, SITE, 100, 0), mixed)


def test_the_interval_of_what_is_lost_covers_it():
    """Two arms equally good: of 120 cohorts 0 is outside in 1 to 16 (99.9 % bounds about 5 %)."""
    outside = 0
    for seed in range(120):
        rng = np.random.default_rng([seed, 8])
        y = rng.normal(size=N)
        about = {"sample": SITE.index, "donor": SITE.index, "fold": 0, "seed": "0", "arm": "ridge", "task": "age"}
        tables = [
            pd.DataFrame(about | {"label": None, "y_true": y, "y_pred": y + rng.normal(size=N)})[PREDICTIONS]
            for _ in range(2)
        ]
        found = sites_left_out(*tables, {"age": TASKS["age"]}, pd.Series("one", SITE.index), 200, 0)
        row = found[found["metric"] == "mae"].iloc[0]
        outside += not row["lost_low"] <= 0 <= row["lost_high"]
    assert 1 <= outside <= 16
