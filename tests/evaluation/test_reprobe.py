"""A fresh classifier on the representation: finds what is there, and says chance where nothing is."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, CovariateInfo, schema_json
from mtlbio.evaluation.reprobe import LEAST_DONORS, MOST_LEVELS, SHARED, predicted, question, reprobe, scored, widened
from mtlbio.labels import Binary
from mtlbio.metrics.ranking import auroc
from mtlbio.tables import REPROBE

BATCH = CovariateInfo("batch", "technical", "categorical")
DATE = CovariateInfo("date", "technical", "continuous")
SITE = CovariateInfo("site", "confounder", "categorical")


def latents(seed=0, donors=100, visits=1, levels=2, axis=0.0, supervised=0.0, together=0.5, date=0.0):
    """Ten dimensions; ``axis`` and ``supervised`` shift one of each by the batch, ``together`` is P(batch = disease),
    and the last supervised dimension follows the disease."""
    rng = np.random.default_rng([seed, 31])
    rows = np.repeat(np.arange(donors), visits)
    batch, disease = rng.integers(0, levels, donors), rng.integers(0, 2, donors)
    if together != 0.5:
        batch = np.where(rng.random(donors) < together, disease, 1 - disease)
    dates = rng.normal(size=donors)
    z = 0.7 * rng.normal(size=(donors, 10))[rows] + 0.7 * rng.normal(size=(len(rows), 10))
    z[:, 0] += axis * batch[rows] + date * dates[rows]
    z[:, 8] += supervised * batch[rows]
    z[:, 9] += 2 * disease[rows]
    obs = pd.DataFrame(
        {
            "donor": [f"d{i:03d}" for i in rows],
            "fold": rows % 5,
            "disease": np.array(["healthy", "sick"], dtype=object)[disease[rows]],
            "batch": np.array([f"B{k}" for k in range(levels)], dtype=object)[batch[rows]],
            "date": dates[rows],
            "site": np.array(["north", "south"], dtype=object)[rng.integers(0, 2, donors)[rows]],
        },
        index=[f"s{i:04d}" for i in range(len(rows))],
    )
    tasks = {"disease": Binary("disease", ("healthy", "sick"))}
    schema = schema_json(Cohort(np.empty((len(obs), 0)), (), obs, tasks, {c.name: c for c in (BATCH, DATE, SITE)}))
    var = pd.DataFrame({"block": ["axis"] * 8 + ["supervised"] * 2}, index=[f"z{d:02d}" for d in range(1, 11)])
    return ad.AnnData(z.astype(np.float32), obs, var, {"mtlbio": schema})


def values(table, covariate="batch", column="value"):
    rows = table[table["covariate"] == covariate]
    return rows.set_index(["representation", "classifier"])[column]


@pytest.mark.parametrize("levels", [2, 4])
def test_a_planted_batch_is_found_where_it_is(levels):
    table = reprobe(latents(donors=160, levels=levels, axis=5.0), 200, 0)
    assert list(table.columns) == REPROBE and set(table["covariate"]) == {"batch", "date"}
    found = values(table)
    for where in ("axes", "both"):
        for classifier in ("linear", "boosted"):
            assert found[where, classifier] > 0.98
            assert values(table, column="over_low")[where, classifier] > 0.3
    assert values(table, column="readable")["supervised"].eq("no").all()
    assert (values(table, column="chance") == 0.5).all()
    assert "reads it from the axes; " in values(table, column="why")["axes", "linear"]
    assert set(table["metric"]) == {"auroc" if levels == 2 else "macro_auroc", "r2"}


def test_a_middle_level_on_a_line_is_found_by_both_classifiers():
    made = latents(donors=160, levels=3, axis=5.0)
    asked = question(made.obs, BATCH)
    for classifier in ("linear", "boosted"):
        pred = predicted(asked, lambda a, b: (made.X[asked.rows][a], made.X[asked.rows][b]), classifier, 0)
        assert auroc((asked.y == 1).astype(float), pred[:, 1]) > 0.95


def test_a_curve_is_read_by_trees_and_a_date_by_r2():
    made = latents(donors=200, date=3.0)
    x = made.X.copy()
    x[:, 1] = np.abs(x[:, 1]) * np.where(made.obs["batch"] == "B0", 0.2, 3) * np.sign(x[:, 1])
    made.X = x
    table = reprobe(made, 200, 0)
    assert values(table)["axes", "boosted"] > 0.75 > 0.65 > values(table)["axes", "linear"]
    assert values(table, "date")["axes", "linear"] > 0.85
    assert (values(table, "date", "metric") == "r2").all() and (values(table, "date", "chance") == 0).all()


def test_a_batch_that_goes_with_the_disease_is_no_more_than_the_labels_tell():
    skewed = {"donors": 200, "together": 0.85}
    table = reprobe(latents(**skewed), 300, 0)
    assert values(table, column="readable")["supervised", "linear"] == "yes"
    assert values(table)["labels", "linear"] == pytest.approx(0.85, abs=0.06)
    assert values(table, column="over_low")["supervised", "linear"] < 0
    beyond = reprobe(latents(**skewed, supervised=3.0), 300, 0)
    assert values(beyond, column="over_low")["supervised", "linear"] > 0


def test_noise_is_chance():
    """100 cohorts without a batch effect: the interval of a classifier, 97.5 % each, seldom lies above chance."""
    above, held, value = [], [], []
    for seed in range(100):
        made = latents(seed, donors=60)
        asked = question(made.obs, BATCH)
        z = made.X[asked.rows][:, 8:]
        pred = predicted(asked, lambda a, b, z=z: (z[a], z[b]), "linear", seed)
        score, drawn = scored(asked, pred, 300, seed)
        low, high = widened(score, drawn, 0.975)
        above.append(low > 0.5)
        held.append(low <= 0.5 <= high)
        value.append(score)
    assert np.mean(above) <= 0.04 and np.mean(held) >= 0.94
    assert np.mean(value) == pytest.approx(0.5, abs=0.05)
    assert SHARED == pytest.approx(1.5)


def test_a_donor_with_ten_samples_counts_once():
    made = latents(donors=80, axis=1.0)
    ten = made.obs_names.repeat(np.where(np.arange(80) < 20, 10, 1))
    obs = made.obs.loc[ten].set_axis([f"s{i:04d}" for i in range(len(ten))])
    many = ad.AnnData(made[ten].X, obs, made.var)
    once, often = question(made.obs, BATCH), question(many.obs, BATCH)
    pred = np.random.default_rng(0).random(80)
    wide = pred[pd.Index(made.obs["donor"]).get_indexer(often.donors)]
    value, drawn = scored(once, pred, 100, 3)
    value_often, drawn_often = scored(often, wide, 100, 3)
    assert value_often == pytest.approx(value)
    np.testing.assert_allclose(drawn_often, drawn)
    # the folds and the fit: equal samples of a donor are that donor
    a, b = (
        predicted(q, lambda i, j, z=z.X[q.rows]: (z[i], z[j]), "linear", 0) for q, z in ((once, made), (often, many))
    )
    first = np.unique(often.donors, return_index=True)[1]
    assert len(first) == 80
    np.testing.assert_allclose(b[first], a, atol=1e-3)


def test_neither_the_order_of_samples_nor_a_second_run_changes_anything():
    made = latents(donors=60, visits=2, axis=1.0)
    shuffled = made[np.random.default_rng(1).permutation(made.n_obs)].copy()
    first = reprobe(made, 100, 0)
    pd.testing.assert_frame_equal(first, reprobe(shuffled, 100, 0))
    pd.testing.assert_frame_equal(first, reprobe(made, 100, 0))


def test_the_covariate_of_an_adversary_is_read_whatever_its_role():
    made = latents(donors=60)
    assert set(reprobe(made, 100, 0)["covariate"]) == {"batch", "date"}
    table = reprobe(made, 100, 0, "site")
    assert set(table.loc[table["adversary"] == "yes", "covariate"]) == {"site"}
    assert set(table["covariate"]) == {"batch", "date", "site"}


def test_what_cannot_be_asked_is_said():
    made = latents(donors=100)
    rare = made.obs.assign(batch=np.where(np.arange(100) < LEAST_DONORS - 1, "B9", made.obs["batch"]))
    asked = question(rare, BATCH)
    assert asked.task.classes == ("B0", "B1") and len(asked.y) == 100 - LEAST_DONORS + 1
    assert asked.left_out.startswith("read are the 2 largest of 3 levels")
    chips = made.obs.assign(batch=[f"c{i // 6:02d}" for i in range(100)])
    assert len(question(chips, BATCH).task.classes) == MOST_LEVELS
    alone = made.obs.assign(batch=[f"c{i // 2:02d}" for i in range(100)])
    assert "fewer than two of its 50 levels have 5 donors" in question(alone, BATCH)
    whole = made.obs.assign(fold=(made.obs["batch"] == "B1").astype(int))
    assert "held out as a whole" in question(whole, BATCH)
    assert "8 donors with a value" in question(made.obs.assign(date=np.where(np.arange(100) < 8, 1.0, np.nan)), DATE)
    missing = question(made.obs.assign(batch=made.obs["batch"].where(np.arange(100) > 9)), BATCH)
    assert len(missing.y) == 90 and missing.left_out == "10 samples without a value left out"
    made.obs = whole
    row = reprobe(made, 100, 0).iloc[0]
    assert np.isnan(row["value"]) and "held out as a whole" in row["why"]


def test_a_task_is_never_its_own_label():
    made = latents(donors=60)
    tasks = {"batch": Binary("batch", ("B0", "B1"))}
    cohort = Cohort(np.empty((60, 0)), (), made.obs, tasks, {"batch": replace(BATCH)})
    made.uns["mtlbio"] = schema_json(cohort)
    assert "labels" not in set(reprobe(made, 100, 0)["representation"])
