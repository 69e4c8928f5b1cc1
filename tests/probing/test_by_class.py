"""A batch that moves one class alone is told from a batch that moves everybody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from mtlbio.probing.by_class import COLUMNS, by_class
from mtlbio.probing.collect_evidence import unequal


def uneven_trial(seed: int, donors: int = 160, both: float = 0.0):
    """z01 is moved by the batch in patients, and in controls ``both`` as much."""
    planted = plant(donors, seed, batches=2)
    trial = trial_of(planted)
    patient = planted.obs["disease"].to_numpy() == trial.tasks["disease"].classes[1]
    sign = np.where(planted.obs["batch"] == planted.obs["batch"].iloc[0], 1.0, -1.0)
    z = planted.z.copy()
    z[:, 0] = 1.5 * sign * np.where(patient, 1.0, both) + np.random.default_rng([seed, 1]).normal(size=len(z))
    return replace(trial, z=z)


def rows(trial, dim: str = "z01"):
    found = by_class(trial)
    assert list(found.columns) == COLUMNS
    return found[(found["dim"] == dim) & (found["task"] == "disease")].iloc[0]


def test_a_batch_that_moves_patients_alone_is_uneven():
    row = rows(uneven_trial(3))
    assert row["called"] and row["p"] < 1e-6 and row["share"] < 0.1
    assert row["least_class"] == trial_classes()[0]
    fields = unequal(by_class(uneven_trial(3)))[("z01", "batch")]
    assert fields == {"uneven": True, "least_class": trial_classes()[0], "least_share": row["share"]}


def trial_classes() -> tuple[str, ...]:
    return uneven_trial(3).tasks["disease"].classes


def test_a_batch_that_moves_everybody_alike_is_called_uneven_at_the_level():
    """p is uniform: with 120 cohorts a level of 5 % stays within its binomial bounds, and the share is that of all."""
    found = [rows(uneven_trial(seed, both=1.0)) for seed in range(120)]
    assert 1 <= sum(row["p"] <= 0.05 for row in found) <= 13  # 99 %: 1 to 13 of 120
    assert np.mean([row["share"] for row in found]) == pytest.approx(1.5**2 / (1.5**2 + 1), abs=0.08)


def test_disease_and_batch_that_are_the_same_have_no_row():
    planted = plant(80, 1, batch_disease=1.0)
    found = by_class(trial_of(planted))
    assert "disease" not in set(found["task"])


def test_a_class_of_few_donors_is_not_examined():
    trial = uneven_trial(5)
    patients = np.flatnonzero(trial.obs["disease"] == trial.tasks["disease"].classes[1])
    keep = np.ones(len(trial.obs), dtype=bool)
    keep[patients[9:]] = False
    small = replace(trial, z=trial.z[keep], obs=trial.obs[keep])
    assert "disease" not in set(by_class(small)["task"])
