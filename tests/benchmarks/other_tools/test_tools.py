"""Each tool's answer is translated as its users would, on cases whose answer is known."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from benchmarks.other_tools.tools.associations import (
    coded,
    components,
    correlate,
    decoupler_ranks,
    mofa_correlations,
    p_value,
    pca_tests,
)
from benchmarks.other_tools.tools.labels import nested, read_shares, read_tests
from benchmarks.other_tools.tools.variance_components import canonical_correlation, variance_partition, variance_shares


def cohort(n=200, seed=0, nested_batch=False):
    """Genes of four programmes (age, disease, batch, nothing) of falling size, and the labels; every column is balanced
    over the others, so that a component has one name."""
    rng = np.random.default_rng([seed, 5])
    disease, half = np.arange(n) % 2, np.arange(n) // 2 % 2
    batch = disease * 2 + half if nested_batch else half * 2 + np.arange(n) // 4 % 2
    sex = np.arange(n) // 8 % 2
    groups = np.column_stack([np.ones(n), disease, sex, *(batch == b for b in range(3))])
    noise = rng.standard_normal((n, 2))
    noise -= groups @ np.linalg.lstsq(groups, noise, rcond=None)[0]
    age, other = np.linalg.qr(noise)[0].T * np.sqrt(n)
    drivers = np.column_stack([age, disease * 2.0 - 1, np.array([-1.2, 0.9, -0.7, 1.0])[batch], other])
    x = 0.4 * rng.standard_normal((n, 300))
    for k, size in enumerate((120, 80, 60, 40)):
        start = (0, 120, 200, 260)[k]
        x[:, start : start + size] += drivers[:, [k]]
    obs = pd.DataFrame(
        {
            "disease": np.array(["control", "case"])[disease],
            "age": 50 + 12 * age,
            "sex": np.array(["f", "m"])[sex],
            "batch": np.array([f"B{b}" for b in batch]),
            "response": pd.Series(np.array(["no", "yes"])[np.arange(n) // 16 % 2]).where(disease == 1),
        }
    )
    return (x - x.mean(axis=0)) / x.std(axis=0), obs


WANTED = ["confounder", "biology", "technical", "unused"]


@pytest.mark.parametrize("tool", [pca_tests, decoupler_ranks])
def test_tests_name_the_programme_of_every_component(tool):
    x, obs = cohort()
    read = tool(x, obs, 0)
    assert read.components.shape == (200, 4)
    for way in ("disease first", "smallest q", "cautious"):
        assert read.verdicts[way] == WANTED, way


def test_variance_partition_names_the_programme_of_every_component():
    x, obs = cohort()
    read = variance_partition(x, obs, 0)
    assert read.verdicts["largest share >= .1"] == WANTED
    x, obs = cohort(nested_batch=True)
    said = variance_partition(x, obs, 0).verdicts["largest share >= .1"]
    assert said[0] == "confounder" and said.count("not_identifiable") == 2


def test_readings_of_the_same_adjusted_p():
    obs = pd.DataFrame({"disease": list("abab"), "batch": list("xxyy")})
    assert not nested(obs)
    q = pd.DataFrame(
        {
            "disease": [0.01, 0.04, 0.9, 0.9, 0.03],
            "response": [np.nan, 0.5, 0.5, 0.5, 0.5],
            "batch": [0.9, 0.001, 0.02, 0.9, 0.03],
            "age": [0.9, 0.9, 0.01, 0.9, 0.9],
            "sex": [0.9, 0.9, 0.9, 0.06, 0.9],
        }
    )
    read = read_tests(q, obs)
    assert read["disease first"] == ["biology", "biology", "technical", "unused", "biology"]
    assert read["smallest q"] == ["biology", "technical", "confounder", "unused", "technical"]  # a tie claims less
    assert read["cautious"] == ["biology", "mixed", "confounder", "unused", "mixed"]
    told = read_tests(q, pd.DataFrame({"disease": list("aabb"), "batch": list("xxyy")}))
    assert told["cautious"] == ["biology", "not_identifiable", "confounder", "unused", "not_identifiable"]


def test_readings_of_shares():
    shares = pd.DataFrame({"disease": [0.3, 0.0], "batch": [0.2, 0.06], "age": [0.1, 0.01], "sex": [0.0, 0.0]})
    assert read_shares(shares, False)["largest share >= .25"] == ["biology", "unused"]
    assert read_shares(shares, False)["largest share >= .05"] == ["biology", "technical"]
    assert read_shares(shares, True)["largest share >= .05"] == ["not_identifiable", "not_identifiable"]


def test_p_values_are_those_of_scipy_and_missing_values_are_left_out():
    _, obs = cohort()
    z = np.random.default_rng([3]).standard_normal(200)
    case = (obs["disease"] == "case").to_numpy()
    assert p_value(z, obs["disease"]) == pytest.approx(stats.ttest_ind(z[case], z[~case], equal_var=False).pvalue)
    groups = [z[(obs["batch"] == b).to_numpy()] for b in sorted(obs["batch"].unique())]
    assert p_value(z, obs["batch"]) == pytest.approx(stats.kruskal(*groups).pvalue)
    assert p_value(z, obs["age"]) == pytest.approx(stats.spearmanr(z, obs["age"]).pvalue)
    yes, no = (z[(obs["response"] == level).to_numpy()] for level in ("yes", "no"))
    assert p_value(z, obs["response"]) == pytest.approx(stats.ttest_ind(yes, no, equal_var=False).pvalue)


def test_mofa2_numbers_are_those_of_r():
    obs = pd.DataFrame({"disease": ["control", "case", "case"], "batch": ["B2", "B10", "B1"], "age": [40.0, 50, 60]})
    numbers = coded(obs)  # as.numeric(factor(x)): alphabetical, from 1
    assert numbers["disease"].tolist() == [2, 1, 1]
    assert numbers["batch"].tolist() == [3, 2, 1]
    assert coded(pd.DataFrame({"response": ["yes", None, "no"]}))["response"].fillna(-1).tolist() == [2, -1, 1]


def test_mofa2_rule_adjusts_pearson_over_all_pairs():
    _, obs = cohort()
    z = np.random.default_rng([4]).standard_normal((200, 3))
    q = correlate(z, obs[["age", "sex"]])
    numbers = coded(obs[["age", "sex"]])
    p = [[stats.pearsonr(own, numbers[c]).pvalue for c in ("age", "sex")] for own in z.T]
    wanted = multipletests(np.ravel(p), method="fdr_bh")[1].reshape(3, 2)
    np.testing.assert_allclose(q[["age", "sex"]].to_numpy(), wanted)


@pytest.mark.skipif(importlib.util.find_spec("mofapy2") is None, reason="mofapy2 is not installed")
def test_mofa2_finds_and_names_the_programmes():
    x, obs = cohort(n=120)
    read = mofa_correlations(x, obs, 0)
    assert 3 <= read.components.shape[1] <= 15
    found = np.abs(np.corrcoef(np.column_stack([obs["age"], obs["disease"] == "case"]).T, read.components.T)[:2, 2:])
    assert (found.max(axis=1) > 0.9).all()
    said = read.verdicts["disease first"]
    assert said[found[0].argmax()] == "confounder" and said[found[1].argmax()] == "biology"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_variance_components_equal_statsmodels(seed):
    _, obs = cohort(seed=seed)
    rng = np.random.default_rng([seed, 6])
    effect = dict(zip("0123", rng.standard_normal(4), strict=True))
    z = 0.03 * obs["age"] + obs["batch"].str[1].map(effect) + 0.9 * (obs["disease"] == "case") + (obs["sex"] == "f")
    z = (z + rng.standard_normal(200)).to_numpy()
    shares = variance_shares(z, obs[["age"]], obs[["batch", "disease", "sex"]])
    assert shares.sum() == pytest.approx(1.0)

    terms = {c: f"0 + C({c})" for c in ("batch", "disease", "sex")}
    data = obs.assign(z=z, all=1)
    fit = sm.MixedLM.from_formula("z ~ age", data, groups="all", vc_formula=terms, re_formula="0").fit(
        reml=False, method="powell"
    )
    names = fit.model.exog_vc.names
    variance = dict(zip(names, fit.vcomp, strict=True))
    variance["age"] = np.var(fit.fe_params["age"] * obs["age"])
    variance["residual"] = fit.scale
    wanted = pd.Series(variance) / sum(variance.values())
    for term in shares.index:
        assert shares[term] == pytest.approx(wanted[term], abs=0.005), term


def test_canonical_correlation_of_two_factors():
    a = pd.Series(list("aabb") * 20)
    assert canonical_correlation(a, pd.Series(list("wxyz") * 20)) == pytest.approx(1.0)
    assert canonical_correlation(a, pd.Series(list("xyxy") * 20)) == pytest.approx(0.0, abs=1e-9)


def test_as_many_components_as_parallel_analysis_counts():
    x, _ = cohort()
    z = components(x, 0)
    assert z.shape == (200, 4)
    np.testing.assert_allclose(z.T @ z / 200, np.eye(4), atol=1e-8)
