"""Families of donors: read, checked before any work, and in one fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_cohort import SmallCohort

from mtlbio.cohort.cohort import Cohort, CovariateInfo, read_cohort, write_cohort
from mtlbio.cohort.family import FAMILY, ORDER, clusters_of
from mtlbio.cohort.prepare import build_cohort, check, prepare
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.split import inner_folds, make_splits, train_test
from mtlbio.cohort.twins import check_twins
from mtlbio.config import Splits, Training
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.labels import Binary, Regression
from mtlbio.labels.classes import categories
from mtlbio.tables import SPLITS, read_table
from mtlbio.training.problem import inner_of


def families(small: SmallCohort, size: int = 2) -> None:
    """Neighbours in the list of donors are one family; the key is set."""
    donor = small.metadata["donor_id"].astype(int) - 1
    small.metadata["household"] = [f"H{d // size}" for d in donor]
    small.set("metadata.family", "household")


def cohort(donors: int = 90, seed: int = 0) -> Cohort:
    """Families of one to six donors with one to three visits, a disease that runs in families, age, and three sites
    of which some relatives live at different ones."""
    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(donors), rng.integers(1, 7, donors))[:donors]
    rows = np.repeat(np.arange(donors), rng.integers(1, 4, donors))
    sick = rng.normal(size=donors)[family] + 0.5 * rng.normal(size=donors) > 0
    site = np.where(rng.random(donors) < 0.9, rng.integers(0, 4, donors)[family], rng.integers(0, 4, donors))
    obs = pd.DataFrame(
        {
            "donor": [f"{d:03d}" for d in rows],
            FAMILY: [f"F{f}" for f in family[rows]],
            "disease": categories(pd.Series(np.where(sick, "case", "control")[rows])),
            "age": rng.uniform(20, 80, donors)[rows],
            "site": categories(pd.Series(np.array(["A", "B", "C", "D"])[site[rows]])),
        }
    )
    obs.index = [f"S{i}" for i in range(len(rows))]
    tasks = {"disease": Binary("disease", ("control", "case")), "age": Regression("age")}
    covariates = {"site": CovariateInfo("site", "technical", "categorical")}
    return Cohort(np.zeros((len(rows), 2), np.float32), ("a", "b"), obs, tasks, covariates)


def assert_whole(families: np.ndarray, fold: np.ndarray) -> None:
    """No family is in two folds."""
    assert (pd.Series(fold).groupby(np.asarray(families)).nunique() == 1).all()


def test_families_come_with_the_cohort_and_its_splits(tmp_path):
    small = SmallCohort(tmp_path)
    families(small)
    prepare(read_run(small.write()), tmp_path / "results")
    prepared = read_cohort(tmp_path / "results/cohort.h5ad")
    expected = [f"H{(int(donor) - 1) // 2}" for donor in prepared.donors]
    assert prepared.families.tolist() == expected == prepared.clusters.tolist()
    splits = read_table(tmp_path / "results/splits.tsv", SPLITS)
    assert splits["family"].tolist() == expected
    assert_whole(expected, splits["fold"])


def test_without_the_key_there_are_none(tmp_path):
    small = SmallCohort(tmp_path)
    small.metadata["family"] = "one"
    small.metadata["family"] = small.metadata["family"].where(small.metadata.index > 5, "other")
    small.set("covariates.family", {"role": "confounder"})  # a covariate may have that name
    made, _ = build_cohort(read_run(small.write()))
    assert made.families is None and made.clusters.tolist() == made.donors.tolist()
    assert list(make_splits(made, Splits()).columns) == SPLITS


def test_a_donor_without_a_family_is_one_alone_and_is_listed(tmp_path):
    small = SmallCohort(tmp_path)
    families(small)
    first = small.metadata.index[small.metadata["donor_id"].isin(["003", "007"])]
    small.metadata.loc[first, "household"] = np.nan
    small.metadata.loc[small.metadata.index[0], "household"] = np.nan  # the donor's other visit knows it
    made, qc = build_cohort(read_run(small.write()))
    listed = qc.table()
    listed = listed[listed["reason"] == "family missing"]
    assert listed["item"].tolist() == ["003", "007"] and set(listed["detail"]) == {"a family of its own"}
    of = dict(zip(made.donors, made.families, strict=True))
    assert of["001"] == of["002"] == "H0"
    assert sum(f == of["003"] for f in of.values()) == sum(f == of["007"] for f in of.values()) == 1
    write_cohort(made, tmp_path / "cohort.h5ad")
    assert read_cohort(tmp_path / "cohort.h5ad").families.tolist() == made.families.tolist()


def test_a_word_for_no_family_is_none(tmp_path):
    """27 donors of family "unknown" were the largest family of a cohort."""
    small = SmallCohort(tmp_path)
    families(small)
    words = {"003": "unknown", "004": "0", "005": "-", "006": " None", "007": ".", "008": "Unknown"}
    for donor, word in words.items():
        small.metadata.loc[small.metadata["donor_id"] == donor, "household"] = word
    made, qc = build_cohort(read_run(small.write()))
    listed = qc.table()
    listed = listed[listed["reason"] == "family missing"].set_index("item")["detail"]
    said = {donor: f"a family of its own: {word.strip()!r} names none" for donor, word in words.items()}
    assert listed.to_dict() == said
    of = dict(zip(made.donors, made.families, strict=True))
    assert len({of[donor] for donor in words}) == 6 and of["001"] == of["002"] == "H0"
    small.metadata["household"] = "unknown"
    with pytest.raises(InputError, match="column 'household' is empty for every sample"):
        build_cohort(read_run(small.write()))


def spoilt(small: SmallCohort, what: str) -> None:
    """A cohort with families, and what is wrong with them."""
    families(small)
    column = small.metadata["household"]
    if what == "no column":
        small.set("metadata.family", "houshold")
    elif what == "two families":
        small.metadata.loc[1, "household"] = "H9"
    elif what == "one family":
        small.metadata["household"] = "H"
    elif what == "empty":
        small.metadata["household"] = np.nan
    elif what == "few families":
        small.metadata["household"] = np.where(column == "H0", "H0", np.where(column == "H1", "H1", "H2"))
    elif what == "few with a class":
        of_controls = small.metadata["disease"] == "control"
        donor = small.metadata["donor_id"].astype(int)
        small.metadata["household"] = np.where(of_controls, "C" + (donor % 4).astype(str), "D" + donor.astype(str))
    elif what == "the donor":
        small.set("metadata.family", "donor_id")
    elif what == "a label":
        small.set("metadata.family", "disease")
    elif what == "order of samples":
        small.set("metadata.order", "sample_id")
    elif what in ("today", "now"):
        small.metadata["taken"] = what
        small.set("metadata.order", "taken")
    elif what == "no date":
        small.metadata["taken"] = "spring"
        small.set("metadata.order", "taken")


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("no column", "metadata.family: no column 'houshold'; did you mean 'household'"),
        ("two families", "metadata.family: column 'household': donor(s) 001 in two families (H0, H9 for 001)"),
        ("one family", "metadata.family: column 'household': all 24 donors are one family; expected several"),
        ("empty", "metadata.family: column 'household' is empty for every sample"),
        ("few families", "metadata.family: column 'household': 5 folds (splits.folds) need as many families; found 3"),
        ("few with a class", "4 families with class 'control' of tasks.disease, fewer than the 5 folds"),
        ("the donor", "metadata.family: column 'donor_id' is the identifier of samples or donors, not a family"),
        ("a label", "metadata.family: column 'disease' is the label of tasks.disease, not a family"),
        ("order of samples", "metadata.order: column 'sample_id' is the identifier of samples or donors, not an order"),
        ("today", "metadata.order: column 'taken': found 'today'; expected numbers, or dates as YYYY-MM-DD"),
        ("now", "metadata.order: column 'taken': found 'now'; expected numbers, or dates as YYYY-MM-DD"),
        ("no date", "metadata.order: column 'taken': found 'spring'; expected numbers, or dates as YYYY-MM-DD"),
    ],
)
def test_what_is_wrong_is_one_line_before_any_work(tmp_path, what, line):
    small = SmallCohort(tmp_path)
    spoilt(small, what)
    path = small.write()
    with pytest.raises(InputError) as error:
        check(read_run(path))
    assert line in str(error.value) and "\n" not in str(error.value)


def test_an_order_is_a_date_or_a_number(tmp_path):
    small = SmallCohort(tmp_path)
    days = np.arange(len(small.metadata))
    small.metadata["taken"] = (pd.Timestamp("2021-03-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d")
    small.metadata.loc[4, "taken"] = np.nan
    small.metadata["number"] = days[::-1] * 1.5
    for column in ("taken", "number"):
        small.set("metadata.order", column)
        order = build_cohort(read_run(small.write()))[0].obs[ORDER]
        place = {s: 2 * int(s[1:4]) + int(s[5]) for s in order.index}
        expected = pd.Series(place)[order.index] * (1.0 if column == "taken" else -1.5)
        known = order.notna()
        assert (~known).sum() == (1 if column == "taken" else 0)
        np.testing.assert_allclose((order - expected)[known].std(), 0, atol=1e-6)


@pytest.mark.parametrize("folds", [2, 5])
def test_no_family_is_split_over_folds_and_labels_are_even(folds):
    made = cohort()
    splits = make_splits(made, Splits(folds=folds))
    assert_whole(made.families, splits["fold"])
    for fold in range(folds):
        train, test = train_test(splits, fold)
        assert not set(made.families[train]) & set(made.families[test])
        assert len(train) + len(test) == len(made.obs)
    cases = pd.Series(made.y("disease")).groupby(splits["fold"].to_numpy()).agg(["sum", "size"])
    assert cases["size"].max() < 1.6 * cases["size"].min() and cases["sum"].max() < 1.6 * cases["sum"].min()
    shuffled = replace(made, obs=made.obs.sample(frac=1, random_state=1))
    again = make_splits(shuffled, Splits(folds=folds)).set_index("sample").loc[made.samples]
    np.testing.assert_array_equal(again["fold"], splits["fold"])


@pytest.mark.parametrize("folds", [None, 2])
def test_relatives_of_a_held_out_site_train_nothing(folds):
    made = cohort()
    splits = make_splits(made, Splits(kind="leave_out", by="site", folds=folds))
    split = 0
    for fold in splits["fold"].unique():
        train, test = train_test(splits, fold)
        assert not set(made.families[train]) & set(made.families[test])
        split += len(made.obs) - len(train) - len(test)
    assert split > 0  # relatives at other sites, who are left out


@pytest.mark.parametrize("by", [None, "site"])
def test_inner_folds_keep_families_whole(by):
    made, options = cohort(), Training(seeds=2, validate_by=by)
    train, _ = train_test(make_splits(made, Splits()), 0)
    inner = inner_of(made, train, options)
    assert_whole(made.families[train], inner[train])
    assert len(np.unique(inner[train])) > 1 and (np.delete(inner, train) == -1).all()
    assert_whole(made.families, inner_folds(made.clusters, made.y("age"), 5, 0))


def test_relatives_may_be_alike():
    """Identical twins of a recorded family are two donors who are one cluster, not one who is there twice."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 200))
    values[1] = values[0] + 0.05 * rng.normal(size=200)
    obs = pd.DataFrame({"donor": [f"d{i}" for i in range(30)]}, index=[f"s{i}" for i in range(30)])
    with pytest.raises(InputError, match="d0"):
        check_twins(values, obs, False, QcList(), "file")
    related = obs.assign(**{FAMILY: ["F", "F", *(f"G{i}" for i in range(28))]})
    check_twins(values, related, False, QcList(), "file")
    assert clusters_of(related)[0] == "F"
