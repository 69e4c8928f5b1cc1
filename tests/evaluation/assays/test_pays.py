"""Does a block pay: calls, the donors that would tell, and what one block says of another."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtlbio.cohort.assays.build import with_measured_blocks
from mtlbio.cohort.cohort import Cohort
from mtlbio.evaluation.assays.baselines import fused
from mtlbio.evaluation.assays.cross_prediction import cross_prediction
from mtlbio.evaluation.assays.from_blocks import correlations
from mtlbio.evaluation.assays.pays import donors_to_tell, pays
from mtlbio.evaluation.bootstrap import Estimate
from mtlbio.labels import read_label
from mtlbio.tables import PAYS, PREDICTIONS

DISEASE = read_label({"name": "disease", "kind": "binary", "classes": ["control", "case"], "positive": "case"})


def told(arm: str, y: np.ndarray, logit: np.ndarray) -> pd.DataFrame:
    names = [f"s{i}" for i in range(len(y))]
    table = pd.DataFrame({"sample": names, "donor": names, "fold": 0, "seed": "0", "arm": arm, "task": "disease"})
    return table.assign(label="case", y_true=y.astype(float), y_pred=1 / (1 + np.exp(-logit)))[PREDICTIONS]


@pytest.mark.parametrize("said, call", [(1.5, "pays"), (0.0, "does_not")])
def test_a_block_pays_if_it_says_something(said, call):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400))
    y = a + said * b + rng.logistic(size=400) > 0
    whole, left = told("multitask", y, a + said * b), told("without_b", y, a + 0.01 * rng.normal(size=400))
    table = pays(whole, left, {"disease": DISEASE}, ["b", "c"], 200, 0, 0.02)
    assert list(table.columns) == PAYS and table["call"].tolist() == [call] and np.isnan(table["donors_to_tell"][0])
    row = table.iloc[0]
    ranks = stats.rankdata(a + said * b)
    auroc = (ranks[y].sum() - y.sum() * (y.sum() + 1) / 2) / (y.sum() * (~y).sum())
    assert row["with_block"] == pytest.approx(auroc, abs=1e-6)
    assert row["gain"] == pytest.approx(row["with_block"] - row["without_block"], abs=1e-12)
    assert row["ci_low"] <= row["gain"] <= row["ci_high"] and row["why"].endswith(
        "b pays." if call == "pays" else "as less than the margin of 0.02 is lost."
    )


def test_few_donors_cannot_tell_and_more_would():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 40))
    y = a + 0.3 * b + rng.logistic(size=40) > 0
    table = pays(told("multitask", y, a + 0.3 * b), told("without_b", y, a), {"disease": DISEASE}, ["b"], 200, 0, 0.02)
    assert table["call"].tolist() == ["cannot_tell"] and table["donors_to_tell"][0] > 40
    assert "donors with it would tell" in table["why"][0]


def test_donors_grow_with_the_square_of_what_is_missing():
    wide, narrow = (donors_to_tell(Estimate(0.06, 0.06 - w, 0.06 + w), 100, 0.02) for w in (0.4, 0.2))
    assert wide == pytest.approx(4 * narrow, rel=0.01)
    assert np.isnan(donors_to_tell(Estimate(0.02, -0.1, 0.1), 100, 0.02))


def test_late_fusion_is_the_mean_of_the_blocks_that_a_sample_has():
    y = np.array([0, 1, 1])
    first, second = (
        told("ridge_a", y, np.array([0.0, 1.0, 2.0])),
        told("ridge_b", y, np.array([3.0, -1.0, 0.5])).iloc[:2],
    )
    table = fused(pd.concat([first, second], ignore_index=True), ["ridge_a", "ridge_b"]).set_index("sample")
    assert set(table["arm"]) == {"late_fusion"} and (table["label"] == "case").all()
    expected = (first["y_pred"][:2].to_numpy() + second["y_pred"].to_numpy()) / 2
    np.testing.assert_allclose(table.loc[["s0", "s1"], "y_pred"], expected)
    assert table.loc["s2", "y_pred"] == pytest.approx(first["y_pred"][2])


def blocks_cohort(shared: float) -> tuple[Cohort, pd.DataFrame]:
    """90 samples of which 60 have both blocks, 20 features each that follow one programme."""
    rng = np.random.default_rng(2)
    z = rng.normal(size=90)
    a = z[:, None] + rng.normal(size=(90, 20))
    b = shared * z[:, None] + rng.normal(size=(90, 20))
    a[60:75], b[75:] = np.nan, np.nan
    names = [f"s{i}" for i in range(90)]
    obs = pd.DataFrame({"donor": names}, index=names)
    genes = tuple(f"{block}:g{i}" for block in "ab" for i in range(20))
    cohort = Cohort(np.hstack([a, b]), genes, obs, preprocessing={"kind": "blocks", "blocks": {"a": {}, "b": {}}})
    return cohort, pd.DataFrame({"sample": names, "donor": names, "fold": np.arange(90) % 3})


def test_what_one_block_says_of_another():
    shared, apart = (cross_prediction(*blocks_cohort(s), 100, draws=100).set_index("from") for s in (1.0, 0.0))
    # a feature is half programme, which the other block knows to 20/21: r = sqrt(1/2) * sqrt(20/21)
    assert shared.loc["a", "r"] == pytest.approx(0.69, abs=0.08) and shared.loc["b", "r"] == pytest.approx(
        0.69, abs=0.08
    )
    assert shared.loc["a", "variance"] == pytest.approx(0.69**2, abs=0.1)
    assert (shared["r_low"] <= shared["r"]).all() and (shared["r"] <= shared["r_high"]).all()
    assert (apart["r"].abs() < 0.2).all() and (shared["n_donors"] == 60).all()


def test_correlations_are_those_of_numpy():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 30, 4))
    weights = rng.integers(0, 3, size=(5, 30)).astype(float)
    found = correlations(a, b, weights)
    for d in range(5):
        rows = np.repeat(np.arange(30), weights[d].astype(int))
        expected = [np.corrcoef(a[rows, q], b[rows, q])[0, 1] for q in range(4)]
        np.testing.assert_allclose(found[d], expected, atol=1e-12)


def test_rare_patterns_count_as_the_common_one():
    have = pd.DataFrame({"a": [True] * 20, "b": [True] * 12 + [False] * 8})
    have.loc[0, "a"] = False
    obs, covariates = with_measured_blocks(pd.DataFrame(index=have.index), {}, have)
    assert obs["measured_blocks"].value_counts().to_dict() == {"a+b": 12, "a": 8}
    assert with_measured_blocks(obs[[]], {}, have | True)[1] == {} and list(covariates) == ["measured_blocks"]
