import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.given_axes import results_of, trial_of
from benchmarks.calibration.planted import plant
from mtlbio.probing.enrichment import (
    best_set,
    enrichment,
    loading_scores,
    naming_units,
    partial_correlations,
    set_scores,
)
from mtlbio.probing.inference import exchanges, tail_probability


@pytest.fixture(scope="module")
def tables():
    planted = plant(120, 1)
    latents, _ = results_of(planted)
    sets = {**planted.sets, "TINY": list(planted.cohort.genes[:4]), "ABSENT": ["X1", "X2", "X3", "X4", "X5"]}
    return planted, enrichment(trial_of(planted), planted.cohort, latents.varm["loadings"], latents.uns["genes"], sets)


def test_the_set_names_its_dimension_and_no_other(tables):
    planted, table = tables
    named = {dim: best_set(rows) for dim, rows in table.groupby("dim")}
    assert named["z02"] == "INTERFERON_SET"
    assert [d for d, s in named.items() if s == "INTERFERON_SET"] == ["z02"]
    for dim, name in named.items():  # a random set names an axis only where it holds a fifth of the axis' genes
        if name is not None:
            role = planted.roles[int(dim[1:]) - 1].upper()
            assert sum(gene.startswith(role) for gene in planted.sets[name]) >= 4
    row = table[(table["dim"] == "z02") & (table["set"] == "INTERFERON_SET")].iloc[0]
    assert row["correlation"] > 0.9 and row["q"] < 1e-6 and row["genes"] == 20


def test_sets_of_fewer_than_five_genes_are_skipped(tables):
    assert not set(tables[1]["set"]) & {"TINY", "ABSENT"}


def test_a_set_of_unrelated_correlated_genes_does_not_name_a_dimension(tables):
    """A set whose genes are strongly correlated with each other, but not with the dimension, over donors."""
    planted, _ = tables
    latents, _ = results_of(planted)
    noise = [g for g in planted.cohort.genes if g.startswith("NOISE5_")]
    loadings = latents.varm["loadings"].copy()
    loadings[3, [planted.cohort.genes.index(g) for g in noise]] = 0.6  # ulm alone would name the composition axis by it
    table = enrichment(trial_of(planted), planted.cohort, loadings, latents.uns["genes"], {"CLIQUE": noise})
    row = table[table["dim"] == "z04"].iloc[0]
    assert row["q_ulm"] < 1e-3
    assert not row["names"]


def test_ulm_is_the_t_of_membership():
    rng = np.random.default_rng(0)
    genes = np.array([f"g{i}" for i in range(50)])
    loadings = rng.normal(size=(2, 50))
    scores, _ = loading_scores(loadings, genes, ("a", "b"), {"S": list(genes[:10]), "ALL": list(genes)})
    member = (np.arange(50) < 10).astype(float)
    r = np.corrcoef(member, loadings[1])[0, 1]
    np.testing.assert_allclose(scores.loc["b", "S"], r * np.sqrt(48 / (1 - r**2)), rtol=1e-5)
    assert list(scores.columns) == ["S"]


def test_set_score_is_the_mean_z(tables):
    planted, _ = tables
    score = set_scores(planted.cohort, {"S": planted.sets["INTERFERON_SET"]})[:, 0]
    columns = [planted.cohort.genes.index(g) for g in planted.sets["INTERFERON_SET"]]
    x = planted.cohort.expression[:, columns].astype(float)
    np.testing.assert_allclose(score, ((x - x.mean(0)) / x.std(0)).mean(axis=1), atol=1e-5)


def test_redundant_sets_are_told_apart_by_the_donors():
    rows = pd.DataFrame(
        {
            "set": ["ALPHA", "GAMMA", "OTHER"],
            "ulm": [10.0, 9.0, 4.0],
            "correlation": [0.8, 0.9, 0.95],
            "names": [True, True, True],
        }
    )
    assert best_set(rows) == "GAMMA"
    assert best_set(rows.assign(names=False)) is None


def test_p_of_a_set_is_that_of_one_exchange_at_a_time():
    planted = plant(donors=50, batches=4)
    trial = trial_of(planted, permutations=99)
    units = naming_units(trial)
    given = trial.adjustment(units)
    scores, z = units.mean(set_scores(planted.cohort, planted.sets)), units.mean(trial.z)
    r, _, p = partial_correlations(scores, z, given, units, trial)
    freedom = len(units) - given.rank - 1
    rng = np.random.default_rng([trial.options.seed, 4, len(units)])

    def left(values):
        return values - given.basis @ (given.basis.T @ values)

    def f(drawn):
        found = np.array([[np.corrcoef(a, b)[0, 1] for b in left(drawn).T] for a in left(scores).T])
        return np.square(found) * freedom / (1 - np.square(found))

    null = np.array([f(left(z)[exchanges(given.strata, 1, rng)[0]]) for _ in range(99)])
    expected = tail_probability(f(z).ravel(), null.reshape(99, -1), 1, freedom).reshape(p.shape)
    np.testing.assert_allclose(np.square(r) * freedom / (1 - np.square(r)), f(z), rtol=1e-9)
    np.testing.assert_allclose(p, expected, rtol=1e-9, atol=1e-12)


def test_many_sets_in_blocks_give_the_same_p(tables, monkeypatch):
    planted, table = tables
    latents, _ = results_of(planted)
    monkeypatch.setattr("mtlbio.probing.enrichment._NUMBERS", 1)
    again = enrichment(trial_of(planted), planted.cohort, latents.varm["loadings"], latents.uns["genes"], planted.sets)
    np.testing.assert_allclose(again["p_permutation"], table["p_permutation"], rtol=1e-9)


def test_a_dimension_that_weighs_all_genes_alike_has_no_score():
    """Its t values are no numbers, and decoupler refuses all of them for it."""
    rng = np.random.default_rng(0)
    genes = np.array([f"G{i}" for i in range(40)])
    loadings = np.stack([rng.normal(size=40), np.full(40, 0.3), np.zeros(40)])
    scores, q = loading_scores(loadings, genes, ("z1", "z2", "z3"), {"a": list(genes[:8]), "b": list(genes[8:20])})
    assert (scores.loc[["z2", "z3"]] == 0).all(axis=None) and (scores.loc["z1"] != 0).all()
    assert q.notna().all(axis=None)
