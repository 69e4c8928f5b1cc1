"""SOV against values worked out by hand, and metrics as sums over chains."""

import numpy as np
import pandas as pd
import pytest

from mtlbio.evaluation.comparisons import task_comparisons, task_metrics
from mtlbio.evaluation.residues.scores import TaskChains, score_chains
from mtlbio.labels.residues import Accessibility, ResidueBinary, SecondaryStructure
from mtlbio.metrics import metric
from mtlbio.metrics.sov import overlap_sums, segments
from mtlbio.sequence.chains import Chains


def sov(observed: str, predicted: str) -> float:
    codes = [np.array(["HEC".index(s) if s in "HEC" else 0 for s in text]) for text in (observed, predicted)]
    known = np.array([s != "?" for s in observed])
    gained, total = overlap_sums(*codes, known)
    return 100 * gained / total


def test_segments_end_where_a_residue_is_not_known():
    assert segments(np.array([0, 0, 0]), np.array([True, False, True])) == [(0, 0, 1), (0, 2, 3)]
    assert segments(np.array([], dtype=int), np.array([], dtype=bool)) == []


@pytest.mark.parametrize(
    "observed, predicted, expected",
    [
        ("CHHHHHHHHHHC", "CHHHHHHHHHHC", 100.0),
        # five helices of one residue: each (1 + 0) / 10 * 10, over 5 * 10; coils 1 and 1/2 over 2; from the paper
        ("CHHHHHHHHHHC", "CHCHCHCHCHCC", 12.5),
        # helix of 10 and its first 6: (6 + min(4, 6, 5, 3)) / 10 * 10 = 9; coils: 1 and (1 + min(4, 1, 0, 2)) / 5
        ("CHHHHHHHHHHC", "CHHHHHHCCCCC", 100 * (9 + 1 + 0.2) / 12),
        # nothing in common: observed lengths are still counted
        ("HHHHH", "EEEEE", 0.0),
        # what is not known takes part in no segment: two helices of 2, each found
        ("HH?HH", "HHEHH", 100.0),
    ],
)
def test_sov_of_worked_examples(observed, predicted, expected):
    assert sov(observed, predicted) == pytest.approx(expected)


@pytest.fixture
def chains():
    """Three chains of 4, 6 and 5 residues."""
    lengths = [4, 6, 5]
    rng = np.random.default_rng(0)
    eight = rng.integers(0, 8, 15).astype(np.uint8)
    eight[3] = 255
    three = np.array([0, 0, 0, 1, 1, 2, 2, 2], dtype=np.uint8)[np.minimum(eight, 7)]
    rsa = rng.random(15).astype(np.float32)
    rsa[8] = np.nan
    obs = pd.DataFrame({"source": "own", "cluster": ["f", "g", "f"], "part": "test", "length": lengths})
    obs.index = pd.Index(["a", "b", "c"], name="chain")
    tasks = {"s": SecondaryStructure("s"), "r": Accessibility("r")}
    tasks["b"] = ResidueBinary("b")
    labels = {"s": eight, "r": rsa, "b": (rng.random(15) > 0.5).astype(np.float32)}
    return Chains(obs, np.array([0, 4, 10, 15]), np.zeros(15, np.uint8), labels, {"s": three}, tasks)


def test_metrics_are_those_of_all_residues(chains):
    rng = np.random.default_rng(1)
    shares, numbers = rng.dirichlet(np.ones(8), 15), rng.random(15)
    told = {name: shares[chains.rows(i)] for i, name in enumerate("abc")}
    found = score_chains(chains, "s", told, np.arange(3))
    exact = chains.labels["s"] != 255
    assert found.value(metric.Q8)[0] == pytest.approx((shares.argmax(1) == chains.labels["s"])[exact].mean())
    three = np.stack([shares[:, :3].sum(1), shares[:, 3:5].sum(1), shares[:, 5:].sum(1)], axis=1).argmax(1)
    assert found.value(metric.Q3)[0] == pytest.approx((three == chains.q3["s"]).mean())
    told = {name: numbers[chains.rows(i)] for i, name in enumerate("abc")}
    found = score_chains(chains, "r", told, np.arange(3))
    known = ~np.isnan(chains.labels["r"])
    y = chains.labels["r"][known].astype(float)
    assert found.value(metric.PEARSON)[0] == pytest.approx(np.corrcoef(y, numbers[known])[0, 1])
    assert found.value(metric.MAE)[0] == pytest.approx(np.abs(y - numbers[known]).mean())
    assert found.residues.tolist() == [4, 5, 5]
    constant = score_chains(
        chains, "r", {name: np.full(6, 0.3)[: chains.lengths[i]] for i, name in enumerate("abc")}, np.arange(3)
    )
    assert np.isnan(constant.value(metric.PEARSON)[0])


def test_a_chain_that_is_drawn_twice_counts_twice(chains):
    numbers = np.random.default_rng(1).random(15)
    told = {name: numbers[chains.rows(i)] for i, name in enumerate("abc")}
    drawn = score_chains(chains, "r", told, np.arange(3)).value(metric.MAE, np.array([[2.0, 1.0, 0.0]]))
    rows = np.concatenate([np.arange(4), np.arange(4), np.arange(4, 10)])
    error = np.abs(chains.labels["r"] - numbers)[rows]
    assert drawn[0] == pytest.approx(np.nanmean(error), rel=1e-6)
    from mtlbio.metrics.ranking import auroc

    found = score_chains(chains, "b", told, np.arange(3))
    assert found.value(metric.AUROC)[0] == pytest.approx(auroc(chains.labels["b"].astype(float), numbers))


def test_tables_are_made_from_chains_as_from_samples(chains):
    numbers = np.random.default_rng(1).random(15)
    noisy = numbers + np.random.default_rng(2).normal(size=15)
    arms = {
        arm: score_chains(chains, "r", {name: told[chains.rows(i)] for i, name in enumerate("abc")}, np.arange(3))
        for arm, told in {"multitask": chains.labels["r"] + 0.01 * numbers, "ridge": noisy}.items()
    }
    scores = TaskChains(chains.tasks["r"], arms)
    assert scores.labelled == (14, 2) and scores.common("multitask", "singletask") is None
    table = task_metrics(scores, 100, 0)
    assert table["metric"].tolist() == ["pearson", "mae"] * 2 and (table["n_donors"] == 2).all()
    pairs = task_comparisons(scores, 100, 0, 0.02).set_index("metric")
    value = table.set_index(["arm", "metric"])["value"]
    # lower is better: positive still favours the model
    assert pairs.at["mae", "difference"] == pytest.approx(value["ridge", "mae"] - value["multitask", "mae"])
    assert (pairs["difference"] > 0).all() and (pairs["best_baseline"] == "yes").all()
