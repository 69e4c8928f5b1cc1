from dataclasses import replace

import numpy as np
import pytest

from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from mtlbio.probing.association import task_design
from mtlbio.probing.influence import hangs_on, left_without


@pytest.mark.parametrize("visits", [1, 3])
@pytest.mark.parametrize("task", ["disease", "age"])
def test_what_is_left_without_a_donor_is_that_of_a_fit_without_it(visits, task):
    trial = trial_of(plant(40, 1, visits=visits))
    units, given, columns = task_design(trial, task)
    share, names = left_without(trial, task)
    z, design = units.mean(trial.z), np.column_stack([columns, given.basis])
    whole = np.linalg.lstsq(design, z, rcond=None)[0][0]
    for g in (0, 7, 39):
        rest = units.cluster != g
        without = np.linalg.lstsq(design[rest], z[rest], rcond=None)[0][0]
        np.testing.assert_allclose(share[g], without / whole, rtol=1e-6)
    assert len(names) == units.donors


def test_a_donor_that_makes_an_effect_is_named():
    trial = trial_of(plant(80, 2))
    z, case = trial.z.copy(), int(np.flatnonzero(trial.obs["disease"] == "case")[3])
    z[:, 6] = np.random.default_rng(0).normal(size=len(z)) * 0.1
    z[case, 6] = 8.0
    named = hangs_on(replace(trial, z=z), "disease")
    assert named[6] == (trial.donors[case],)
    assert named[1] == ()  # interferon, which half of the donors carry


def test_a_task_without_a_test_hangs_on_nobody():
    trial = trial_of(plant(40, 0))
    trial = replace(trial, obs=trial.obs.assign(response=None))
    assert left_without(trial, "response") is None and hangs_on(trial, "response") == [()] * len(trial.dims)
