"""Effects within sites: as regression within a site gives them, alike where they are alike, in any order of samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from benchmarks.calibration.given_axes import results_of
from benchmarks.calibration.planted import plant
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import Probe
from mtlbio.labels import Binary, Multiclass, Ordinal, Regression
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.sites import COLUMNS, sites
from mtlbio.probing.trial import Trial

TASKS = {
    "disease": Binary("disease", ("healthy", "case")),
    "dose": Regression("dose"),
    "stage": Ordinal("stage", ("I", "II", "III")),
    "subtype": Multiclass("subtype", ("A", "B", "C")),
}
COVARIATES = {
    "sex": CovariateInfo("sex", "confounder", "categorical"),
    "site": CovariateInfo("site", "confounder", "categorical"),
}
OUTCOMES = ("disease", "response")  # of a planted cohort
NAMES = ("Basel", "Leeds", "Oslo", "Zadar")


def planted(seed: int, effects=(0.8, 0.8, 0.8, 0.8), sizes=(40, 40, 40, 40), cases=0.5, **options) -> Trial:
    """One dimension that the disease moves by so much (in its SD of noise) at every site; sites differ in level, spread
    and in how common the disease is."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(len(sizes)), sizes)
    n = len(site)
    rate = np.clip(cases + 0.15 * (site % 2 - 0.5), 0.02, 0.98)
    disease, sex = rng.random(n) < rate, rng.integers(0, 2, n)
    spread = np.array([1.0, 1.3, 0.8, 1.0, 1.2, 0.9])[site % 6]
    z = np.array(effects)[site] * disease + 0.5 * site + 0.3 * sex + spread * rng.normal(size=n)
    obs = pd.DataFrame(
        {
            "donor": [f"d{i:04d}" for i in range(n)],
            "disease": np.where(disease, "case", "healthy"),
            "dose": 10 + 3 * z + rng.normal(size=n),
            "stage": np.array(["I", "II", "III"])[np.clip(np.digitize(z - 0.5 * site, [0.0, 1.0]), 0, 2)],
            "subtype": np.array(["A", "B", "C"])[np.where(disease, 1 + (rng.random(n) < 0.5), 0)],
            "sex": np.where(sex == 1, "F", "M"),
            "site": np.array(NAMES + ("p", "q", "r", "s"))[site],
        },
        index=[f"s{i:04d}" for i in range(n)],
    )
    z = np.column_stack([z, rng.normal(size=n)])
    axis = np.array(["axis", "axis"])
    return Trial(z, ("z01", "z02"), axis, obs, TASKS, COVARIATES, Probe(permutations=99, **options))


def table(trial: Trial, task: str = "disease") -> pd.DataFrame:
    found = sites(trial, "site", [("z01", task)])
    assert list(found.columns) == COLUMNS
    return found.set_index("site")


def test_the_effect_of_a_site_is_that_of_a_regression_within_it():
    trial = planted(1, sizes=(30, 50, 40, 25))
    found = table(trial)
    scale = trial.z[:, 0].std(ddof=1)
    for name in NAMES:
        at = (trial.obs["site"] == name).to_numpy()
        sex = (trial.obs["sex"] == "F").to_numpy(dtype=float)
        design = np.column_stack([np.ones(at.sum()), (trial.obs["disease"] == "case")[at], sex[at]]).astype(float)
        fit = sm.OLS(trial.z[at, 0] / scale, design).fit(cov_type="HC3")
        row = found.loc[name]
        assert row["effect"] == pytest.approx(fit.params[1], abs=1e-10)
        assert row["se"] == pytest.approx(fit.bse[1], abs=1e-10)
        assert 0.6 * (at.sum() - 3) < row["df_error"] <= at.sum() - 3  # Satterthwaite
        half = stats.t.isf(0.025, row["df_error"]) * fit.bse[1]
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((fit.params[1] - half, fit.params[1] + half))


def test_without_a_site_is_the_trial_of_the_others():
    trial = planted(2)
    found = table(trial)
    others = (trial.obs["site"] != "Leeds").to_numpy()
    alone = table(replace(trial, z=trial.z[others], obs=trial.obs[others]))
    ratio = trial.z[others, 0].std(ddof=1) / trial.z[:, 0].std(ddof=1)
    expected = alone[["all_donors", "all_ci_low", "all_ci_high"]].iloc[0] * ratio
    assert found.loc["Leeds", ["without", "without_ci_low", "without_ci_high"]].tolist() == pytest.approx(
        list(expected)
    )
    assert alone["n_donors"].tolist() == [40, 40, 40]


@pytest.mark.parametrize("task", ["disease", "dose", "stage", "subtype"])
def test_order_of_samples_makes_no_difference(task):
    trial = planted(3, sizes=(40, 30, 50, 40))
    order = np.random.default_rng(5).permutation(len(trial.obs))
    mixed = replace(trial, z=trial.z[order], obs=trial.obs.iloc[order])
    pd.testing.assert_frame_equal(table(trial, task), table(mixed, task), rtol=1e-9)


def test_an_effect_at_one_site_only_is_found_to_differ_and_to_be_carried_by_it():
    """1.6 SD at one of four sites of 40, none at the others: 80 % power or more, and that site carries it."""
    runs = [table(planted(seed, effects=(0.0, 1.6, 0.0, 0.0))) for seed in range(60)]
    assert sum(found["heterogeneity"].iloc[0] == "differ" for found in runs) >= 48
    shown = [found for found in runs if found["all_ci_low"].iloc[0] > 0]
    assert len(shown) >= 30
    assert np.mean([found.loc["Leeds", "carries"] for found in shown]) > 0.8
    assert np.mean([found.loc["Leeds", "call"] == "same" for found in shown]) > 0.95
    assert np.mean([found["i2"].iloc[0] for found in runs]) > 0.6


@pytest.mark.parametrize("sizes, cases", [((40, 40, 40, 40), 0.5), ((100, 20, 24, 30), 0.3)])
def test_equal_effects_are_found_to_differ_at_the_level(sizes, cases):
    """p of the heterogeneity is uniform: at most so many of 120 cohorts are below .05 (99.9 % binomial bounds)."""
    p = np.array([table(planted(seed, sizes=sizes, cases=cases))["p_heterogeneity"].iloc[0] for seed in range(120)])
    assert stats.binom.ppf(0.0005, 120, 0.05) <= (p < 0.05).sum() <= stats.binom.ppf(0.9995, 120, 0.05)


def test_a_site_with_few_of_a_class_is_named_and_not_tested():
    trial = planted(6)
    at = np.flatnonzero(((trial.obs["site"] == "Oslo") & (trial.obs["disease"] == "case")).to_numpy())
    keep = np.setdiff1d(np.arange(len(trial.obs)), at[4:])
    row = table(replace(trial, z=trial.z[keep], obs=trial.obs.iloc[keep])).loc["Oslo"]
    assert (row["call"], row["n_rarest"], row["sites"]) == ("too_few", 4, 3)
    assert np.isnan(row[["effect", "se", "weight"]].astype(float)).all()
    assert np.isfinite(row["without"])


def test_several_classes_are_compared_one_by_one_on_the_scale_of_all_donors():
    trial = planted(7, sizes=(60, 60, 60, 60))
    found = sites(trial, "site", [("z01", "subtype"), ("z02", "dose")])
    assert found.drop_duplicates(["dim", "task", "class"])[["dim", "task", "class"]].to_numpy().tolist() == [
        ["z01", "subtype", "B"], ["z01", "subtype", "C"], ["z02", "dose", None]
    ]  # fmt: skip
    at = (trial.obs["site"] == "Leeds").to_numpy()
    sex = (trial.obs["sex"] == "F").to_numpy(dtype=float)
    design = [np.ones(at.sum()), *((trial.obs["subtype"] == c)[at] for c in "BC"), sex[at]]
    fit = sm.OLS(trial.z[at, 0] / trial.z[:, 0].std(ddof=1), np.column_stack(design).astype(float)).fit()
    rows = found[(found["task"] == "subtype") & (found["site"] == "Leeds")]
    assert rows["effect"].tolist() == pytest.approx(fit.params[1:3].tolist())
    dose = trial.obs["dose"].to_numpy()
    slope = sm.OLS(trial.z[at, 1], np.column_stack([np.ones(at.sum()), dose[at], sex[at]])).fit().params[1]
    row = found[(found["task"] == "dose") & (found["site"] == "Leeds")].iloc[0]
    assert row["effect"] == pytest.approx(slope * dose.std() / trial.z[:, 1].std(ddof=1))


def test_a_donor_of_several_sites_counts_once():
    trial = planted(8)
    obs = trial.obs.assign(donor=np.where(trial.obs["donor"] == "d0000", "d0001", trial.obs["donor"]))
    obs.loc["s0000", ["site", "disease"]] = ["Zadar", obs.loc["s0001", "disease"]]
    found = table(replace(trial, obs=obs))
    assert found["n_donors"].to_dict() == {"Basel": 39, "Leeds": 40, "Oslo": 40, "Zadar": 40}
    alone = table(replace(trial, z=trial.z[1:], obs=obs.iloc[1:]))
    pd.testing.assert_frame_equal(found, alone)


def test_every_biology_is_asked_and_no_verdict_depends_on_it():
    planted, options = plant(160, 3, batches=2), Probe(permutations=99, bootstrap=100)
    plain = examine_cohort(planted.cohort, *results_of(planted), options)
    asked = examine_cohort(planted.cohort, *results_of(planted), options.model_copy(update={"sites": "batch"}))
    assert "sites" not in plain
    pd.testing.assert_frame_equal(plain["verdicts"], asked["verdicts"])
    verdicts = plain["verdicts"].set_index("dim")
    biology = [
        (dim, task) for dim in verdicts.index for task in OUTCOMES if verdicts.at[dim, f"verdict_{task}"] == "biology"
    ]
    assert len(biology) >= 1
    rows = asked["sites"]
    assert list(dict.fromkeys(zip(rows["dim"], rows["task"], strict=True))) == biology
    # what all donors say together is the trial's own effect
    first = rows.drop_duplicates(["dim", "task"])
    own = [verdicts.at[dim, f"effect_{task}"] for dim, task in biology]
    assert first["all_donors"].tolist() == pytest.approx(own)
