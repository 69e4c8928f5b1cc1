"""Verdicts that hang on one donor: closed form against refits, and the trial held again without it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from benchmarks.calibration.given_axes import GivenAxes, trial_of
from benchmarks.calibration.planted import plant
from mtlbio.config import Probe
from mtlbio.probing.ablation import ablation
from mtlbio.probing.association import association, task_design
from mtlbio.probing.audit import audited
from mtlbio.probing.examine import Held, Procedure
from mtlbio.probing.influence import retested
from mtlbio.probing.retrial import Retrial
from mtlbio.probing.trial import Trial
from mtlbio.probing.turned import by_dim, candidates, hanging_effects, turned_verdicts
from mtlbio.tables import HANGING, TURNED


@pytest.mark.parametrize("visits", [1, 3])
@pytest.mark.parametrize("task", ["disease", "age"])
def test_p_without_a_donor_is_that_of_the_regression_of_the_others(visits, task):
    trial = trial_of(plant(40, 1, visits=visits))
    p, without, names = retested(trial, task)
    units, given, columns = task_design(trial, task)
    z, design = units.mean(trial.z), np.column_stack([columns, given.basis])
    assert without.shape == (40, z.shape[1]) and len(names) == 40 and len(units) == 40
    for g in (0, 7, 39):
        rest = units.cluster != g
        for d in (0, 1, 5):
            fit = sm.OLS(z[rest, d], design[rest]).fit(cov_type="HC3", use_t=True)
            assert without[g, d] == pytest.approx(fit.pvalues[0], rel=1e-6)
    whole = association(trial).query("question == 'task' and variable == @task")["p_wald"].to_numpy()
    np.testing.assert_allclose(p, whole, rtol=1e-9)


def test_paired_donors_are_taken_out_with_all_their_states():
    trial = trial_of(plant(30, 3))
    obs = pd.concat([trial.obs, trial.obs]).reset_index(drop=True)
    obs["disease"] = ["healthy"] * 30 + ["case"] * 30
    later = trial.z + np.random.default_rng(0).normal(size=trial.z.shape)
    paired = replace(trial, obs=obs, z=np.concatenate([trial.z, later]))
    p, without, names = retested(paired, "disease")
    for donor in (0, 11):
        keep = obs["donor"].to_numpy() != names[donor]
        alone = retested(replace(paired, obs=obs[keep], z=paired.z[keep]), "disease")[0]
        np.testing.assert_allclose(without[donor], alone, rtol=1e-6)
    assert paired.task_units("disease").within and np.isfinite(p).all()


@pytest.fixture(scope="module")
def one_donor():
    """A trial whose z07 follows disease just too little to be firm, and whom of the donors it fits least."""
    planted = plant(80, 2)
    given = trial_of(planted)
    case = (given.obs["disease"] == "case").to_numpy()
    z, noise = given.z.copy(), np.random.default_rng(5).normal(size=80)
    z[:, 6] = noise + 1.0 * case
    trial = Trial(z, given.dims, given.block, given.obs, given.tasks, given.covariates, Probe(permutations=199))
    examinee = GivenAxes(planted, np.arange(80) % 5)
    held = Held([], ablation(audited(trial)[0], examinee, {}), pd.DataFrame(), {})
    procedure = Procedure(lambda trial: held.named, blocks=True, classes=True)
    return Retrial(trial, np.full(z.shape[1], 0.95), held, procedure), "d0044"


def test_the_trial_without_a_donor_is_that_of_a_cohort_without_it(one_donor):
    retrial, donor = one_donor
    keep = retrial.trial.donors != donor
    alone = replace(retrial.trial, z=retrial.trial.z[keep], obs=retrial.trial.obs[keep])
    expected = association(audited(alone)[0])
    found = retrial.judged(donor).effects
    pd.testing.assert_series_equal(found["p_wald"], expected["p_wald"])
    assert found["n_donors"].max() == 79


def test_hanging_effects_are_sorted_by_how_far_p_moves(one_donor):
    trial = audited(one_donor[0].trial)[0]
    table = hanging_effects(trial)
    assert list(table.columns[: len(HANGING)]) == HANGING
    assert table.groupby(["dim", "task"])["moved"].apply(lambda moved: moved.is_monotonic_decreasing).all()
    moved = np.abs(np.log(table["p_without"] / table["p"]))
    np.testing.assert_allclose(table["moved"], moved, rtol=1e-9)
    level = [(table[c] <= 0.05) | (table[c] <= 0.05 / len(trial.dims)) for c in ("p", "p_without")]
    assert (table.loc[level[0] != level[1], "crosses"] == "yes").all()
    chosen = candidates(table, 3)
    assert len(chosen) == 3
    crossing = set(table.loc[table["crosses"] == "yes", "donor"])
    assert all(name in crossing for name, _ in chosen) or len(crossing) < 3


def test_a_verdict_that_hangs_on_a_donor_is_named(one_donor):
    retrial, donor = one_donor
    whole = by_dim(retrial.judged())
    hanging = hanging_effects(audited(retrial.trial)[0])
    of_dim = hanging[(hanging["dim"] == "z07") & (hanging["task"] == "disease")].iloc[0]
    assert of_dim["donor"] == donor and of_dim["left"] > 1.05 and of_dim["p_without"] < of_dim["p"]
    table = turned_verdicts(retrial, whole, [(donor, donor), ("d0001", "d0001")])
    assert list(table.columns) == TURNED and table["donor"].tolist() == [donor]
    row = table.iloc[0]
    assert (row["dim"], row["verdict"], row["verdict_without"], row["again"]) == (
        "z07", "underpowered", "biology", "yes",
    )  # fmt: skip
    keep = retrial.trial.donors != donor
    alone = replace(retrial.trial, z=retrial.trial.z[keep], obs=retrial.trial.obs[keep])
    expected = association(audited(alone)[0]).query("question == 'task' and variable == 'disease' and dim == 'z07'")
    assert row["task"] == "disease" and row["p_without"] == pytest.approx(expected["p"].iloc[0])
    assert row["effect_without"] == pytest.approx(expected["effect"].iloc[0]) and row["q"] > row["q_without"]
