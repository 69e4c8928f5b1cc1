"""Related donors: the tests hold their level where families are known, and nothing changes where everybody is alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from benchmarks.calibration.designs import plant_design
from benchmarks.calibration.given_axes import GivenAxes, results_of, trial_of
from benchmarks.calibration.planted import Planted, plant
from mtlbio.cohort.family import FAMILY
from mtlbio.config import Probe
from mtlbio.probing import ablation as ablation_steps
from mtlbio.probing.ablation import Removed, ablation, losses
from mtlbio.probing.association import task_design
from mtlbio.probing.audit import audit
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.inference import Contrast
from mtlbio.probing.influence import hangs_on, left_without
from mtlbio.probing.joint import joint_test
from mtlbio.probing.outcome_tests import flip_together, outcome_tests
from mtlbio.probing.relatives import RESEMBLANCE, design_effect
from mtlbio.probing.replicas import replicas
from mtlbio.probing.shares import share
from mtlbio.probing.units import Units, donor_units, label_units, sample_units

RECORDED = "families of four, recorded"
SIZES = [9, 7, 6, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1]


def related(planted: Planted, family: np.ndarray) -> Planted:
    """The planted cohort with a family per sample."""
    obs = planted.obs.assign(**{FAMILY: family})
    return replace(planted, obs=obs, cohort=replace(planted.cohort, obs=obs))


def units_in_families(sizes: list[int]) -> Units:
    """A unit per donor of families of these sizes, whose order of names is not that of the donors'."""
    family = np.repeat([f"F{k:02d}" for k in range(len(sizes))], sizes)
    donors = np.array([f"d{i:03d}" for i in np.random.default_rng(7).permutation(len(family))])
    return donor_units(donors, np.ones(len(family), dtype=bool), family)


def intercept(units: Units, *more: np.ndarray) -> Nuisance:
    return Nuisance(orthonormal(np.column_stack([np.ones(len(units)), *more])), np.zeros(len(units), dtype=int), ())


def in_families(units: Units, columns: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """(units, columns) normal values with an intraclass correlation."""
    common = rng.normal(size=(units.clusters, columns))[units.cluster]
    return np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.normal(size=(len(units), columns))


def test_units_are_donors_and_families_are_their_clusters():
    donors, family = np.array(["c", "a", "a", "b", "d"]), np.array(["G", "H", "H", "G", "F"])
    units = donor_units(donors, np.ones(5, bool), family)
    assert (units.donors, units.clusters, units.clustered, units.families) == (4, 3, True, True)
    np.testing.assert_array_equal(units.mean(np.array([3.0, 1.0, 2.0, 5.0, 7.0])), [7.0, 5.0, 3.0, 1.5])  # d; b, c; a
    np.testing.assert_array_equal(units.cluster, [0, 1, 1, 2])
    np.testing.assert_array_equal(units.summed(np.arange(4.0)), [0, 3, 3])
    visits = sample_units(donors, np.ones(5, bool), family)
    np.testing.assert_array_equal(visits.cluster, [0, 1, 1, 2, 2])
    np.testing.assert_array_equal(visits.owner, [0, 1, 2, 3, 3])


def test_paired_donors_are_compared_with_themselves_not_with_relatives():
    donors = np.repeat([f"d{i}" for i in range(8)], 2)
    units = label_units(donors, np.tile([0.0, 1.0], 8), False, np.ones(16, bool), np.repeat(["F", "G"], 8))
    assert units.within and units.clusters == 2 and units.donors == 8
    assert np.allclose(units.centre(np.arange(32.0).reshape(16, 2)).reshape(8, 2, 2).sum(axis=1), 0)


@pytest.mark.parametrize("k", [1, 2])
def test_scores_are_summed_by_family_as_in_statsmodels(k):
    """Without the correction for leverage the covariance is the sandwich of ``cov_type="cluster"``."""
    rng, units = np.random.default_rng(1), units_in_families(SIZES)
    tested, other = in_families(units, k, 0.6, rng), in_families(units, 2, 0.3, rng)
    z = in_families(units, 3, 0.6, rng)
    contrast = Contrast(tested, intercept(units, other), units)
    contrast.w, contrast.factor = contrast.a, 1.0
    wald = contrast.wald(z)
    for d in range(3):
        fit = sm.OLS(z[:, d], np.column_stack([tested, np.ones(len(z)), other])).fit(
            cov_type="cluster", cov_kwds={"groups": units.cluster, "use_correction": False}
        )
        np.testing.assert_allclose(wald.coefficients[:, d], fit.params[:k], rtol=1e-9)
        np.testing.assert_allclose(wald.se[:, d], fit.bse[:k], rtol=1e-9)


def test_the_covariance_is_the_jackknife_over_families():
    rng, units = np.random.default_rng(2), units_in_families(SIZES)
    y, z = in_families(units, 1, 0.6, rng), in_families(units, 1, 0.6, rng)[:, 0]
    wald = Contrast(y, intercept(units), units).wald(z[:, None])
    design, g = np.column_stack([np.ones(len(z)), y]), units.clusters
    left_out = [np.linalg.lstsq(design[units.cluster != f], z[units.cluster != f], rcond=None)[0][1] for f in range(g)]
    whole = np.linalg.lstsq(design, z, rcond=None)[0][1]
    np.testing.assert_allclose(wald.se[0, 0] ** 2, (g - 1) / g * np.square(np.array(left_out) - whole).sum(), rtol=1e-8)


def test_degrees_of_freedom_are_those_of_satterthwaite():
    """By the definition, with the matrix of the quadratic form written out."""
    rng, units = np.random.default_rng(3), units_in_families(SIZES)
    y, other = in_families(units, 1, 0.6, rng), in_families(units, 2, 0.3, rng)
    contrast = Contrast(y, intercept(units, other), units)
    left = np.eye(len(units)) - contrast.full @ contrast.full.T
    own = (units.cluster[:, None] == np.arange(units.clusters)) * contrast.w
    form = own.T @ left @ own
    np.testing.assert_allclose(contrast.df_error, np.trace(form) ** 2 / np.trace(form @ form), rtol=1e-9)
    assert contrast.df_error < units.clusters - 1


def factor_of_families(sizes: list[int], levels: int, seed: int) -> tuple[Contrast, np.ndarray]:
    """A factor that all of a family share, in donors of whom three covariates that run in families are known."""
    rng, units = np.random.default_rng([seed, levels]), units_in_families(sizes)
    order = np.argsort(np.argsort(in_families(units, 1, 0.999, rng)[:, 0]))
    columns = np.eye(levels)[order * levels // len(units)][:, 1:]
    return Contrast(columns, intercept(units, in_families(units, 3, 0.3, rng)), units), in_families(units, 20, 0.6, rng)


def test_a_factor_of_many_levels_is_held_against_what_differs_between_families():
    """F by its definition, and its degrees of freedom, with every matrix written out."""
    contrast, z = factor_of_families([4] * 12, 8, 0)
    units, full = contrast.units, contrast.full
    left, scores, place = np.eye(len(units)) - full @ full.T, [], []
    for g in range(units.clusters):
        rows = units.cluster == g
        weights = np.zeros((len(units), 7))
        weights[rows] = np.linalg.pinv(left[np.ix_(rows, rows)], rcond=1e-8, hermitian=True) @ contrast.u[rows]
        place.append(weights)
        scores.append(weights.T @ left @ z)
    spread = 11 / 12 * np.square(scores).sum(axis=(0, 1))
    expected = np.square(contrast.u.T @ z).sum(axis=0) / spread
    np.testing.assert_allclose(contrast.wald(z).f, expected, rtol=1e-9)
    form = np.hstack(place).T @ left @ np.hstack(place)
    np.testing.assert_allclose(contrast.df_error, np.trace(form) ** 2 / np.trace(form @ form), rtol=1e-9)
    residual = contrast.residual_of_nuisance(z)[:, 0]
    signs = np.random.default_rng(1).choice([-1.0, 1.0], size=(12, 5))
    flipped = contrast.statistic(residual[:, None] * signs[units.cluster])
    np.testing.assert_allclose(contrast.flipped(residual, signs), flipped, rtol=1e-9)


@pytest.mark.parametrize(("sizes", "levels"), [([8] * 10, 8), ([4] * 12, 10), ([4] * 20, 7)])
def test_a_factor_of_many_levels_that_runs_in_few_families_holds_its_level(sizes, levels):
    """Of the classical F 48 to 81 % of null tests were below .05, of its flips 8 to 34 %."""
    both = []
    for seed in range(40):
        contrast, z = factor_of_families(sizes, levels, seed)
        both.append(np.maximum(contrast.wald(z).p, contrast.randomisation(z, 199, seed)) <= 0.05)
    assert np.mean(both) <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / np.size(both))


def test_a_factor_needs_three_families_more_than_columns():
    assert factor_of_families([8] * 10, 8, 0)[0].estimable
    contrast, z = factor_of_families([8] * 10, 9, 0)
    assert not contrast.estimable and np.isnan(contrast.randomisation(z, 99, 0)).all()


def test_a_label_of_whole_equal_families_is_tested_on_their_means():
    """Two groups of ten families of four: the degrees of freedom of a t test on twenty means, p close to its own."""
    units = units_in_families([4] * 20)
    y = (units.cluster % 2).astype(float)[:, None]
    z = in_families(units, 30, 0.6, np.random.default_rng(4))
    contrast = Contrast(y, intercept(units), units)
    np.testing.assert_allclose(contrast.df_error, 18, rtol=1e-6)
    means = units.summed(z) / 4
    expected = stats.ttest_ind(means[1::2], means[::2])
    # CV3 is the jackknife: n / (n - 1) of the variance that the t test takes, n = 10 families a group
    np.testing.assert_allclose(contrast.wald(z).t, expected.statistic * np.sqrt(0.9 * 20 / 19), rtol=1e-6)


@pytest.mark.parametrize("sizes", [[4] * 30, SIZES])
def test_families_hold_the_level_that_donors_do_not(sizes):
    """120 null questions of 20 dimensions that run in families, as half of the label does (p < .05).

    Dimensions of one draw share their label, so draws are what is counted: rejections of a draw have mean 1.
    """
    rng, units = np.random.default_rng(5), units_in_families(sizes)
    alone = replace(units, cluster=np.arange(len(units)), donor=None)
    rejected = {"donors": [], "families": []}
    for _ in range(120):
        y = (in_families(units, 1, 0.6, rng) > 0).astype(float)
        z, other = in_families(units, 20, 0.6, rng), in_families(units, 2, 0.3, rng)
        for name, those in (("donors", alone), ("families", units)):
            contrast = Contrast(y, intercept(those, other), those)
            p = np.maximum(contrast.wald(z).p, contrast.randomisation(z, 99, 0))
            rejected[name].append((p <= 0.05).mean())
    mean = {name: np.mean(values) for name, values in rejected.items()}
    error = {name: np.std(values) / np.sqrt(120) for name, values in rejected.items()}
    assert mean["families"] < 0.05 + 2 * error["families"]
    assert mean["donors"] > 0.10 + 2 * error["donors"]


@pytest.mark.parametrize("k", [1, 3, 7])
def test_signs_of_whole_families_are_flipped(k):
    """Also where so many columns are tested that the classical F is: relatives are no strangers to exchange."""
    rng, units = np.random.default_rng(6), units_in_families(SIZES)
    z = in_families(units, 2, 0.6, rng)
    contrast = Contrast(in_families(units, k, 0.6, rng), intercept(units), units)
    residual = contrast.residual_of_nuisance(z)
    seen: list[np.ndarray] = []

    def statistic(v: np.ndarray) -> np.ndarray:
        seen.append(v)
        return contrast.statistic(v.reshape(len(v), -1)).reshape(v.shape[1:])

    contrast.exchanged(residual, statistic, 40, np.random.default_rng(0), residual.size)
    signs = seen[0][:, :, 0] / residual[:, [0]]
    np.testing.assert_allclose(np.abs(signs), 1)
    by_family = np.array([signs[units.cluster == f].std(axis=0) for f in range(units.clusters)])
    assert np.allclose(by_family, 0) and len(np.unique(signs.round(), axis=1).T) == 40
    drawn = np.random.default_rng(1).choice([-1.0, 1.0], size=(units.clusters, 30))
    expected = contrast.statistic(drawn[units.cluster] * residual[:, [1]])
    np.testing.assert_allclose(contrast.flipped(residual[:, 1], drawn), expected, rtol=1e-9)


def test_the_joint_test_of_families_holds_its_level():
    """60 null planes, robust and (seven columns) by Pillai's trace: at most nine of sixty below .05 (P < .01)."""
    rng, units = np.random.default_rng(8), units_in_families([4] * 30)
    for columns in (1, 7):
        p = []
        for seed in range(60):
            tested = in_families(units, columns, 0.9, rng)
            p.append(joint_test(tested, intercept(units), units, in_families(units, 2, 0.6, rng), 99, seed).p)
        assert (np.array(p) <= 0.05).sum() <= stats.binom.isf(0.01, 60, 0.05)


def test_relatives_have_one_sign_in_the_trial_and_flip_with_their_small_level():
    planted, _ = plant_design(RECORDED, 60, 0)
    trial = trial_of(planted)
    for test in outcome_tests(trial):
        assert len(test.signs) == test.units.clusters == len(np.unique(trial.family[test.units.mask]))
    people = np.unique(trial.clusters)
    pairs = np.searchsorted(people, trial.family) // 2  # a plate for every two families
    paired = replace(trial, obs=trial.obs.assign(batch=[f"B{k:02d}" for k in pairs]))
    np.testing.assert_array_equal(flip_together(paired, people), np.arange(len(people)) // 2 * 2)


def test_what_is_left_without_a_family_is_that_of_a_fit_without_it():
    trial = trial_of(plant_design(RECORDED, 60, 1)[0])
    units, given, columns = task_design(trial, "disease")
    influence, names = left_without(trial, "disease")
    z, design = units.mean(trial.z), np.column_stack([columns, given.basis])
    whole = np.linalg.lstsq(design, z, rcond=None)[0][0]
    for g in (0, 7, 14):
        rest = units.cluster != g
        without = np.linalg.lstsq(design[rest], z[rest], rcond=None)[0][0]
        np.testing.assert_allclose(influence[g], without / whole, rtol=1e-6)
    assert names[7] == "family F007" and len(names) == 15


def test_a_family_that_makes_an_effect_is_named():
    planted = plant_design(RECORDED, 80, 2)[0]
    trial, z = trial_of(planted), planted.z.copy()
    family = trial.family == trial.family[int(np.flatnonzero(trial.obs["disease"] == "case")[0])]
    z[:, 6] = np.random.default_rng(0).normal(size=len(z)) * 0.1
    z[family & (trial.obs["disease"] == "case").to_numpy(), 6] = 4.0
    assert hangs_on(replace(trial, z=z), "disease")[6] == (f"family {trial.family[family][0]}",)


def test_a_share_of_what_families_have_in_common_is_none_of_a_covariate():
    """What a number that runs in families says of unrelated dimensions is nothing on average: .02 too much before."""
    rng, units = np.random.default_rng(9), units_in_families([4] * 30)
    alone, found = replace(units, cluster=np.arange(len(units)), donor=None), {"donors": [], "families": []}
    for _ in range(150):
        column, z = in_families(units, 1, 0.95, rng), in_families(units, 20, 0.8, rng)
        for name, those in (("donors", alone), ("families", units)):
            found[name].append(share(z, column, False, intercept(those), those, clip=False).mean())
    assert np.mean(found["donors"]) > 0.015
    assert abs(np.mean(found["families"])) < 3 * np.std(found["families"]) / np.sqrt(150) + 0.003


def test_a_removal_is_judged_on_families():
    """Relatives who are copies of each other say no more than one of them."""
    rng = np.random.default_rng(10)
    y, task = rng.integers(0, 2, 60).astype(float), plant(40, 0).cohort.tasks["disease"]
    full, without = y + rng.normal(size=60), rng.normal(size=(3, 60))
    family = np.array([f"F{i:02d}" for i in range(60)])
    options = Probe(bootstrap=200)
    once = losses(task, y, family, Removed(full, without), options)
    many = Removed(np.repeat(full, 4), np.repeat(without, 4, axis=1))
    donors = np.arange(240).astype(str)
    again = losses(task, np.repeat(y, 4), donors, many, options, 1, np.repeat(family, 4))
    pd.testing.assert_frame_equal(once.drop(columns="donors_needed"), again.drop(columns="donors_needed"))
    np.testing.assert_allclose(again["donors_needed"], 4 * once["donors_needed"], atol=4)
    strangers = losses(task, np.repeat(y, 4), donors, many, options)
    assert (strangers["ci_high"] - strangers["ci_low"] < 0.7 * (once["ci_high"] - once["ci_low"])).all()


def test_no_family_trains_the_heads_that_are_tested_on_it(monkeypatch):
    planted, _ = plant_design(RECORDED, 60, 3)
    trial, seen = trial_of(planted), []
    fold = np.arange(60) % 5  # relatives lie in several folds, as where sites are left out

    def refitted(z_train, y_train, clusters, z_test, task, sets):
        seen.append(set(clusters))
        return np.zeros(len(z_test)), np.zeros((len(sets), len(z_test)))

    monkeypatch.setattr(ablation_steps, "refitted", refitted)
    ablation(trial, GivenAxes(planted, fold))
    assert len(seen) == 15
    held_out = [set(trial.family[fold == f]) for f in range(5) for _ in trial.tasks]
    assert all(not train & test for train, test in zip(seen, held_out, strict=True))
    fold = np.unique(trial.family, return_inverse=True)[1] % 5
    compared = replicas(GivenAxes(planted, fold), trial.clusters, trial.block == "axis")
    for train, test in zip(compared.train, compared.test, strict=True):
        assert not set(trial.family[train]) & set(trial.family[test])


def test_the_audit_says_what_relatives_cost():
    """The design effect by its formula, and a label that all of a family share costs most."""
    trial = trial_of(plant_design(RECORDED, 120, 4)[0])
    rows = audit(trial)
    rows = rows[rows["task"] == "disease"].set_index("kind")
    row = rows.loc["family"]
    units, given, columns = task_design(trial, "disease")
    left = given.residual(columns)[:, 0]
    together = sum(left[units.cluster == f].sum() ** 2 for f in range(30)) / np.square(left).sum()
    np.testing.assert_allclose(row["value"], 1 + RESEMBLANCE * (together - 1))
    np.testing.assert_allclose(row["n_effective"], 120 / row["value"])
    assert "120 donors are of 30 families, the largest of 4 donors" in row["why"]
    pair = rows.loc["task"].iloc[0]
    np.testing.assert_allclose(pair["n_effective"], 120 / pair["vif_all"] / row["value"], rtol=0.05)
    shared = (units.cluster % 2).astype(float)[:, None]
    np.testing.assert_allclose(design_effect(shared, intercept(units), units), 1 + 3 * RESEMBLANCE)
    apart = (np.arange(120) % 2).astype(float)[:, None]
    assert design_effect(apart, intercept(units), units) == 1.0


@pytest.mark.parametrize("design", ["before and after in one donor", "matched pairs", "cases have more visits"])
def test_where_everybody_is_alone_nothing_changes(design):
    """Every number of every table of the trial; the audit says besides that there are families."""
    planted, _ = plant_design(design, 40, 0)
    options = Probe(permutations=99, bootstrap=100)
    plain = examine_cohort(planted.cohort, *results_of(planted), options)
    alone = related(planted, planted.obs["donor"].to_numpy())
    tables = examine_cohort(alone.cohort, *results_of(alone), options)
    told = tables["audit"][tables["audit"]["kind"] != "family"]
    pd.testing.assert_frame_equal(told, plain["audit"], check_dtype=False)
    for name in plain.keys() - {"audit"}:
        pd.testing.assert_frame_equal(tables[name], plain[name], check_exact=True)
