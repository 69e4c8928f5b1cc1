"""Folds of donors: grouped, even, and the same whatever the order of the file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.split import inner_folds, make_splits, train_test
from mtlbio.config import Splits
from mtlbio.errors import InputError
from mtlbio.labels import Binary, Regression
from mtlbio.labels.classes import categories


def cohort(donors: int = 83, seed: int = 0) -> Cohort:
    """Donors with one to four visits, an unbalanced disease, a rare response that is mostly missing, and age."""
    rng = np.random.default_rng(seed)
    visits = rng.integers(1, 5, donors)
    rows = np.repeat(np.arange(donors), visits)
    disease = np.where(rng.random(donors) < 0.25, "healthy", "SLE")[rows]
    response = rng.choice(["yes", "no", None], len(rows), p=[0.12, 0.08, 0.8])
    obs = pd.DataFrame(
        {
            "donor": [f"{d:03d}" for d in rows],
            "disease": categories(pd.Series(disease)),
            "response": categories(pd.Series(response)),
            "age": rng.uniform(6, 80, donors)[rows],
            "site": categories(pd.Series(np.array(["A", "B", "C"])[rng.integers(0, 3, len(rows))])),
        }
    )
    obs.index = [f"S{i}" for i in range(len(rows))]
    tasks = {
        "disease": Binary("disease", ("healthy", "SLE")),
        "response": Binary("response", ("no", "yes")),
        "age": Regression("age"),
    }
    covariates = {"site": CovariateInfo("site", "technical", "categorical")}
    return Cohort(np.zeros((len(rows), 2), np.float32), ("a", "b"), obs, tasks, covariates)


def donors_per_fold(made: Cohort, splits: pd.DataFrame, task: str, label: str) -> np.ndarray:
    donors = made.obs.assign(fold=splits["fold"].to_numpy())
    return donors[donors[task] == label].groupby("fold")["donor"].nunique().reindex(range(5), fill_value=0).to_numpy()


@pytest.mark.parametrize("seed", range(5))
def test_no_donor_is_in_two_folds(seed):
    splits = make_splits(cohort(seed=seed), Splits(seed=seed))
    assert (splits.groupby("donor")["fold"].nunique() == 1).all()
    assert set(splits["fold"]) == set(range(5))


@pytest.mark.parametrize("seed", range(8))
def test_every_class_is_within_one_donor_of_even(seed):
    made = cohort(seed=seed)
    splits = make_splits(made, Splits(seed=seed))
    sizes = splits.drop_duplicates("donor")["fold"].value_counts()
    assert sizes.max() - sizes.min() <= 1
    for task in ("disease", "response"):
        for label in made.tasks[task].classes:
            count = donors_per_fold(made, splits, task, label)
            assert np.abs(count - count.sum() / 5).max() <= 1, (task, label, count)


def test_regression_is_even_over_folds():
    made = cohort(200)
    splits = make_splits(made, Splits())
    means = made.obs.groupby(splits["fold"].to_numpy())["age"].mean()
    assert means.max() - means.min() < 6  # of a standard deviation of 21


def test_order_of_the_samples_does_not_matter():
    made = cohort()
    order = np.random.default_rng(1).permutation(len(made.samples))
    turned = Cohort(made.expression[order], made.genes, made.obs.iloc[order], made.tasks, made.covariates)
    first = make_splits(made, Splits()).set_index("sample")["fold"]
    second = make_splits(turned, Splits()).set_index("sample")["fold"]
    pd.testing.assert_series_equal(first, second.loc[first.index])


def test_the_seed_decides():
    made = cohort()
    same = [make_splits(made, Splits(seed=s))["fold"].to_numpy() for s in (0, 0, 1)]
    np.testing.assert_array_equal(same[0], same[1])
    assert (same[0] != same[2]).any()


def test_columns_of_the_table():
    splits = make_splits(cohort(), Splits())
    assert list(splits.columns) == ["sample", "donor", "fold"]
    assert splits["donor"].iloc[0] == "000"


def test_more_folds_than_donors_is_refused():
    with pytest.raises(InputError, match="5 folds need as many donors; found 4"):
        make_splits(cohort(4), Splits())


def test_leave_out_and_its_training_rows():
    made = cohort()
    splits = make_splits(made, Splits(kind="leave_out", by="site"))
    assert splits["fold"].tolist() == [["A", "B", "C"].index(s) for s in made.obs["site"]]
    for fold in range(3):
        train, test = train_test(splits, fold)
        assert (made.obs["site"].to_numpy()[test] == "ABC"[fold]).all()
        assert not set(made.donors[train]) & set(made.donors[test])
        # only visits of held-out donors at other sites are in neither
        neither = np.setdiff1d(np.arange(len(splits)), np.r_[train, test])
        assert set(made.donors[neither]) <= set(made.donors[test])


def chips(levels: int = 40, seed: int = 1) -> Cohort:
    """One sample per donor on chips of one to twelve samples, some of a single class."""
    rng = np.random.default_rng(seed)
    chip = np.repeat(np.arange(levels), rng.integers(1, 13, levels))
    disease = np.where(rng.random(len(chip)) < rng.choice([0.0, 0.5, 1.0], levels)[chip], "case", "control")
    obs = pd.DataFrame(
        {
            "donor": [f"d{i:03d}" for i in range(len(chip))],
            "disease": categories(pd.Series(disease)),
            "age": rng.uniform(20, 80, len(chip)),
            "chip": categories(pd.Series([f"c{c:02d}" for c in chip])),
        }
    )
    obs.index = [f"S{i}" for i in range(len(chip))]
    tasks = {"disease": Binary("disease", ("control", "case")), "age": Regression("age")}
    covariates = {"chip": CovariateInfo("chip", "technical", "categorical")}
    return Cohort(np.zeros((len(chip), 2), np.float32), ("a", "b"), obs, tasks, covariates)


@pytest.mark.parametrize("seed", range(4))
def test_many_levels_share_a_few_even_folds(seed):
    made = chips(seed=seed)
    options = Splits(kind="leave_out", by="chip", folds=5, seed=seed)
    splits = make_splits(made, options)
    assert set(splits["fold"]) == set(range(5))
    folds = splits.assign(chip=made.obs["chip"].to_numpy(), case=(made.obs["disease"] == "case").to_numpy())
    assert (folds.groupby("chip")["fold"].nunique() == 1).all()
    cases = folds.groupby("fold")["case"].agg(["sum", "size"])
    # even within what a chip of twelve allows
    assert cases["size"].max() - cases["size"].min() <= 12
    assert cases["sum"].max() - cases["sum"].min() <= 12
    shuffled = np.random.default_rng(seed).permutation(len(splits))
    again = make_splits(
        Cohort(made.expression, made.genes, made.obs.iloc[shuffled], made.tasks, made.covariates), options
    )
    assert again["fold"].tolist() == splits["fold"].to_numpy()[shuffled].tolist()


def test_folds_of_levels_that_cannot_be_made():
    made = chips(levels=4)
    with pytest.raises(InputError, match="6 folds need as many levels of chip; found 4"):
        make_splits(made, Splits(kind="leave_out", by="chip", folds=6))
    made.obs["disease"] = categories(pd.Series(np.where(made.obs["chip"] == "c01", "case", "control"))).to_numpy()
    with pytest.raises(InputError, match="expected every class outside each fold"):
        make_splits(made, Splits(kind="leave_out", by="chip", folds=2))


def test_train_and_test_partition_the_samples_of_donor_folds():
    splits = make_splits(cohort(), Splits())
    for fold in range(5):
        train, test = train_test(splits, fold)
        assert sorted([*train, *test]) == list(range(len(splits)))
        assert not set(splits["donor"][train]) & set(splits["donor"][test])


def test_inner_folds_are_grouped_even_and_independent_of_order():
    made = cohort()
    y = made.y("disease")
    folds = inner_folds(made.donors, y, 4, seed=3)
    table = pd.DataFrame({"donor": made.donors, "fold": folds, "y": y})
    assert (table.groupby("donor")["fold"].nunique() == 1).all()
    count = table[table["y"] == 0].groupby("fold")["donor"].nunique()
    assert count.max() - count.min() <= 1
    order = np.random.default_rng(0).permutation(len(y))
    np.testing.assert_array_equal(inner_folds(made.donors[order], y[order], 4, seed=3), folds[order])


@pytest.mark.parametrize("y", [None, "age", "missing"])
def test_inner_folds_without_classes(y):
    made = cohort()
    values = {None: None, "age": made.y("age"), "missing": np.full(len(made.samples), np.nan)}[y]
    folds = inner_folds(made.donors, values, 5, seed=0)
    sizes = pd.DataFrame({"d": made.donors, "f": folds}).drop_duplicates("d")["f"].value_counts()
    assert sizes.max() - sizes.min() <= 1
    assert set(folds) == set(range(5))


def test_inner_folds_never_exceed_the_donors():
    assert sorted(inner_folds(np.array(["a", "a", "b"]), None, 5, seed=0).tolist()) in ([0, 0, 1], [0, 1, 1])


def test_inner_folds_are_even_for_several_tasks_at_once():
    made = cohort(120)
    labels = np.stack([made.y(name) for name in made.tasks], axis=1)
    assert labels.shape == (len(made.samples), 3) and np.isnan(labels).any()
    folds = inner_folds(made.donors, labels, 5, seed=3)
    table = pd.DataFrame({"donor": made.donors, "fold": folds, "disease": labels[:, 0], "response": labels[:, 1]})
    assert (table.groupby("donor")["fold"].nunique() == 1).all()
    for name in ("disease", "response"):
        for code in (0.0, 1.0):
            own = table[table[name] == code].groupby("fold")["donor"].nunique().reindex(range(5), fill_value=0)
            assert np.abs(own - own.sum() / 5).max() <= 1.5, (name, code, own.tolist())
    age = pd.Series(labels[:, 2]).groupby(folds).mean()
    assert age.max() - age.min() < 9
    order = np.random.default_rng(0).permutation(len(labels))
    np.testing.assert_array_equal(inner_folds(made.donors[order], labels[order], 5, seed=3), folds[order])


def test_inner_folds_of_one_task_do_not_depend_on_its_shape():
    made = cohort()
    y = made.y("disease")
    np.testing.assert_array_equal(inner_folds(made.donors, y, 4, 0), inner_folds(made.donors, y[:, None], 4, 0))
