"""What a permutation of the outcomes keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.family import FAMILY
from mtlbio.errors import InputError
from mtlbio.labels import Binary, Regression
from mtlbio.probing.relabel import Relabelling, relabelled

TASKS = {
    "disease": Binary("disease", ("no", "yes")),
    "response": Binary("response", ("no", "yes")),
    "age": Regression("age"),
}
COVARIATES = {
    "age": CovariateInfo("age", "confounder", "continuous"),
    "batch": CovariateInfo("batch", "technical", "categorical"),
}


def cohort_of(visits: list[int], seed: int = 0) -> Cohort:
    """Donors with a disease and, if diseased and asked, a response; donor d has ``visits[d]`` samples."""
    rng = np.random.default_rng(seed)
    n, donor = len(visits), np.repeat(np.arange(len(visits)), visits)
    disease, answer = rng.integers(0, 2, n), rng.integers(0, 2, n)
    words = np.array(["no", "yes"], dtype=object)
    asked = (disease == 1) & (rng.random(n) < 0.7)
    obs = pd.DataFrame(
        {
            "donor": [f"d{i:02d}" for i in donor],
            "disease": pd.Categorical(words[disease][donor], categories=["no", "yes"]),
            "response": pd.Categorical(np.where(asked, words[answer], None)[donor], categories=["no", "yes"]),
            "age": rng.uniform(20, 80, n)[donor],
            "batch": np.array(["B1", "B2", "B3"])[rng.integers(0, 3, n)][donor],
        },
        index=[f"s{i:03d}" for i in range(len(donor))],
    )
    order = rng.permutation(len(obs))  # a donor's samples need not stand together
    return Cohort(np.zeros((len(obs), 1), np.float32), ("g",), obs.iloc[order], dict(TASKS), dict(COVARIATES))


def paired(donors: int = 8, each: int = 1) -> Cohort:
    """Every donor with and without the drug, ``each`` samples of either; a grade that changes from visit to visit."""
    donor, state = np.repeat(np.arange(donors), 2 * each), np.tile(np.repeat(["no", "yes"], each), donors)
    obs = pd.DataFrame(
        {"donor": [f"d{i}" for i in donor], "disease": state}, index=[f"s{i}" for i in range(len(donor))]
    )
    obs["response"] = np.where(donor < donors // 2, "no", "yes")
    tasks = {name: TASKS[name] for name in ("disease",)}
    return Cohort(np.zeros((len(obs), 1), np.float32), ("g",), obs, tasks, {})


def drawn(cohort: Cohort, seed: int) -> tuple[Relabelling, np.ndarray, Cohort]:
    relabelling = Relabelling.of(cohort)
    source = relabelling.draw(np.random.default_rng(seed))
    return relabelling, source, relabelled(cohort, relabelling.outcomes, source)


def table(cohort: Cohort) -> pd.DataFrame:
    """One row per donor: its labels and its batch."""
    return cohort.obs.astype(object).where(cohort.obs.notna(), "missing").groupby("donor").first()


@pytest.mark.parametrize("seed", range(5))
def test_whole_sets_of_labels_move_between_donors_of_a_batch(seed):
    cohort = cohort_of([1] * 60)
    relabelling, source, other = drawn(cohort, seed)
    assert relabelling.outcomes == ("disease", "response") and relabelling.between and not relabelling.within
    assert sorted(source) == list(range(60)) and (source != np.arange(60)).sum() > 40
    before, after = table(cohort), table(other)
    joint = ["batch", "disease", "response"]
    pd.testing.assert_series_equal(before.value_counts(joint).sort_index(), after.value_counts(joint).sort_index())
    assert (before["disease"] != after["disease"]).any()
    for kept in ("donor", "age", "batch"):
        assert (cohort.obs[kept] == other.obs[kept]).all()
    assert other.obs.index.equals(cohort.obs.index) and other.obs["disease"].dtype == cohort.obs["disease"].dtype


def test_donors_stay_whole_whatever_their_number_of_visits():
    cohort = cohort_of([1, 2, 3, 5] * 12)
    _, _, other = drawn(cohort, 1)
    labels = other.obs.astype(object).where(other.obs.notna(), "missing")
    assert (labels.groupby("donor")[["disease", "response"]].nunique() == 1).all().all()
    joint = ["batch", "disease", "response"]
    counted = [table(c).value_counts(joint).sort_index() for c in (cohort, other)]
    pd.testing.assert_series_equal(*counted)


def test_labels_of_visits_move_in_their_order():
    """A donor's three visits give first, middle and last; one visit gives the middle one."""
    cohort = cohort_of([3] * 20 + [1] * 20)
    obs = cohort.obs.copy()
    obs["response"] = obs.groupby("donor").cumcount().map({0: "no", 1: "yes", 2: None})
    cohort = replace(cohort, obs=obs)
    relabelling, source, _ = drawn(cohort, 3)
    assert relabelling.between and not relabelling.within
    visit = obs.groupby("donor").cumcount().to_numpy()
    size = obs.groupby("donor")["donor"].transform("size").to_numpy()
    alike = size == size[source]
    assert (visit[source][alike] == visit[alike]).all()
    assert (visit[source][(size == 1) & ~alike] == 1).all()


@pytest.mark.parametrize("each", [1, 3])
def test_paired_states_are_exchanged_within_the_donor(each):
    cohort = paired(each=each)
    donors, flips = cohort.donors, []
    for seed in range(40):
        relabelling, source, other = drawn(cohort, seed)
        assert relabelling.within and not relabelling.between
        assert (donors[source] == donors).all()
        changed = (other.obs["disease"] != cohort.obs["disease"]).to_numpy()
        flipped = pd.Series(changed).groupby(donors).agg(["all", "any"])
        assert (flipped["all"] == flipped["any"]).all()  # all samples of a state go together
        flips.append(flipped["any"].to_numpy())
    share = np.mean(flips, axis=0)
    assert (share > 0.2).all() and (share < 0.8).all()


def test_a_paired_outcome_beside_one_of_the_donor():
    cohort = paired(40)
    cohort = replace(cohort, tasks={name: TASKS[name] for name in ("disease", "response")})
    relabelling, _, other = drawn(cohort, 0)
    assert relabelling.within and relabelling.between
    assert (other.obs.groupby("donor")["disease"].nunique() == 2).all()
    assert (other.obs.groupby("donor")["response"].nunique() == 1).all()
    assert (other.obs["response"] != cohort.obs["response"]).any()
    assert (other.obs["response"] == "no").sum() == (cohort.obs["response"] == "no").sum()


def test_a_cohort_without_an_outcome_is_one_clear_line():
    cohort = replace(cohort_of([1] * 10), tasks={"age": TASKS["age"]})
    with pytest.raises(InputError, match=r"probe\.null_refits: every task is a covariate too"):
        Relabelling.of(cohort)


def in_families(cohort: Cohort, size: int) -> Cohort:
    """Neighbours by name are one family."""
    place = np.unique(cohort.donors, return_inverse=True)[1]
    return replace(cohort, obs=cohort.obs.assign(**{FAMILY: [f"F{p // size:02d}" for p in place]}))


def test_the_labels_of_a_family_go_to_another_family_as_a_whole():
    cohort = in_families(cohort_of([1] * 60), 4)
    cohort = replace(cohort, obs=cohort.obs.assign(batch="B1"))
    relabelling, source, _ = drawn(cohort, 2)
    giver = pd.DataFrame({"taker": cohort.families, "giver": cohort.families[source]}).drop_duplicates()
    assert len(giver) == 15 and giver["giver"].nunique() == 15 and (giver["taker"] != giver["giver"]).sum() > 8
    assert sorted(source) == list(range(60))


def test_families_of_other_sizes_give_every_donor_one_set_of_labels():
    cohort = in_families(cohort_of([1, 2, 3, 1, 2, 1] * 8), 3)
    rest = cohort.obs[FAMILY].where(cohort.obs["donor"] < "d30", "F99")  # a family of eighteen
    cohort = replace(cohort, obs=cohort.obs.assign(**{FAMILY: rest, "batch": "B1"}))
    _, source, other = drawn(cohort, 1)
    givers = pd.Series(cohort.families[source]).groupby(cohort.families).nunique()
    assert (givers == 1).all()
    assert (pd.Series(cohort.donors[source]).groupby(cohort.donors).nunique() == 1).all()
    assert (other.obs.astype(str).groupby("donor")["disease"].nunique() == 1).all()


def test_relatives_exchange_their_states_alike():
    cohort, flips = in_families(paired(12), 3), []
    for seed in range(30):
        _, source, other = drawn(cohort, seed)
        assert (cohort.donors[source] == cohort.donors).all()
        changed = pd.Series((other.obs["disease"] != cohort.obs["disease"]).to_numpy())
        assert (changed.groupby(cohort.families).nunique() == 1).all()
        flips.append(changed.groupby(cohort.families).any().to_numpy())
    share = np.mean(flips, axis=0)
    assert (share > 0.2).all() and (share < 0.8).all() and len(np.unique(flips, axis=0)) > 8
