from dataclasses import replace

import numpy as np

from benchmarks.calibration.designs import plant_design
from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from mtlbio.probing.association import association, task_design
from mtlbio.probing.families import firm
from mtlbio.probing.inference import Contrast
from mtlbio.probing.leakage import conditioners, leakage, overlap
from mtlbio.probing.linked import with_links
from mtlbio.probing.trial import Trial
from mtlbio.probing.uneven import uneven_columns


def test_a_borrowed_trace_is_not_an_effect_of_its_own():
    called = own = 0
    for seed in range(8):
        trial = trial_of(plant(300, seed, leak=0.32, noise_dims=1), permutations=99)
        table = leakage(trial, association(trial))
        borrowed = table[(table["dim"] == "z04") & (table["task"] == "disease")]  # composition with 10 % interferon
        called += len(borrowed)
        own += int(borrowed["own"].sum())
        true = table[(table["dim"] == "z02") & (table["task"] == "disease")]
        assert true["own"].all() and len(true) == 1
        assert "z04" not in true["given"].iloc[0]
    assert called >= 4 and own <= 1


def test_supervised_dimensions_are_never_held_fixed():
    planted = plant(200, 1)
    base = trial_of(planted)
    noise = np.random.default_rng(0).normal(size=(200, 1))
    # a trained combination that carries the interferon axis and half of everything else
    combination = planted.z[:, [1]] + 0.5 * planted.z[:, [0]] + 0.5 * planted.z[:, [2]] + 0.2 * noise
    trial = Trial(
        np.column_stack([base.z, combination]),
        (*base.dims, "s1"),
        np.append(base.block, "supervised"),
        base.obs,
        base.tasks,
        base.covariates,
        base.options,
    )
    table = leakage(trial, association(trial)).set_index(["dim", "task"])
    assert table.loc[("z02", "disease"), "own"]
    assert not table["given"].str.contains("s1").any()


def test_conditioners_are_stronger_carriers_then_dominated_axes_never_twins():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 5))
    z[:, 3] = z[:, 0] + 0.3 * rng.normal(size=60)  # a twin of the first
    trial = trial_of(plant(60, 0, noise_dims=0))
    called = np.array([True, True, False, True, False])
    strength = np.array([5.0, 9.0, 1.0, 20.0, 1.0])
    shares = np.array([0.0, 0.0, 0.0, 0.0, 0.9])
    for d, expected in ((0, [1, 4]), (1, [3, 4])):
        stronger = np.where(called & (strength > strength[d]), strength, np.nan)
        assert conditioners(trial, [d], overlap(z[:, [d]], z), stronger, shares, 60) == expected
    stronger = np.array([np.nan, 4, 3, 2, 1])
    assert len(conditioners(trial, [0], overlap(z[:, [0]], z), stronger, np.ones(5), 45)) == 3
    np.testing.assert_allclose(overlap(z[:, [0]], z), np.square(np.corrcoef(z, rowvar=False)[0]))


def test_firm_is_what_the_family_found_and_a_single_test_confirms():
    trial = trial_of(plant(200, 5))
    found = with_links(trial, association(trial))
    table = leakage(trial, found)
    rows = found[found["question"] == "task"].rename(columns={"variable": "task"})[["dim", "task", "p", "p_familywise"]]
    rows = table.merge(rows)
    confirmed = firm(rows["p_familywise"], 0.05) & (rows["p"] <= 0.05) & (rows["p_given"] <= 0.05)
    assert rows["firm"].tolist() == confirmed.tolist() and confirmed.any() and not confirmed.all()
    assert table.loc[table["firm"], "own"].all()


def test_an_outcome_that_the_number_of_samples_tells_is_nobodys_own():
    """Linked through the other outcome, the dimension was biology for this one in 26 of 30 cohorts."""
    trial = trial_of(plant_design("cases have more visits", 120, 0)[0])
    asked = with_links(trial, association(trial))
    table = leakage(trial, asked).set_index(["dim", "task"])
    disease = table.xs("disease", level="task")
    assert len(disease) and (disease["p_given"] == 1).all() and not disease[["own", "firm"]].any(axis=None)
    assert table.loc[("z01", "response"), ["own", "firm"]].all()
    unaware = leakage(replace(trial, uneven={}), asked).set_index(["dim", "task"])
    assert unaware.loc[("z01", "disease"), ["own", "firm"]].all()
    response = table.xs("response", level="task"), unaware.xs("response", level="task")
    assert response[0].equals(response[1])


def test_p_given_is_the_largest_with_and_without_the_order_of_sampling():
    trial = trial_of(plant_design("cases were sampled later, measurements drift", 200, 1)[0])
    asked = association(trial)
    row = leakage(trial, asked).set_index(["dim", "task"]).loc[("z01", "disease")]
    rivals = [trial.dims.index(name) for name in row["given"].split(", ") if name != "nobody"]
    z, order = trial.task_units("disease").mean(trial.z[:, [0]]), uneven_columns(trial, "disease")
    p = (
        [asked.set_index(["question", "variable", "dim"]).loc[("task", "disease", "z01"), "p_wald"]]
        if not rivals
        else []
    )
    for held in (trial.z[:, rivals], order, np.column_stack([trial.z[:, rivals], order])):
        units, adjustment, columns = task_design(trial, "disease", extra=held)
        p.append(Contrast(columns, adjustment, units).wald(z).p[0])
    np.testing.assert_allclose(row["p_given_wald"], max(p))
    assert max(p) > 10 * min(p)
