"""Cosines, angles and overlaps of the tasks' gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from small_training import OPTIONS, folds_of, problem_of, small_cohort

from mtlbio.tables import CONFLICT
from mtlbio.training.conflict import conflict_table, principal_angle
from mtlbio.training.networks import BlockOptions
from mtlbio.training.replicas import fit
from mtlbio.training.task_weights import Gradients

RNG = np.random.default_rng(0)


def made(shared: np.ndarray, maps: np.ndarray, owner) -> Gradients:
    """Gradients of one arm from (epochs, networks, ...) arrays: networks are seeds of one fold."""
    return Gradients(
        torch.as_tensor(shared)[:, None, None],
        torch.as_tensor(maps)[:, None, None],
        torch.tensor(owner),
    )


def test_angles_are_those_of_scipy():
    columns = RNG.normal(size=(6, 40, 5))
    columns[3, :, 3] = columns[3, :, 0]  # a common direction
    found = principal_angle(
        torch.as_tensor(columns.swapaxes(1, 2) @ columns), torch.tensor([1, 1, 1, 0, 0]) > 0,
        torch.tensor([0, 0, 0, 1, 1]) > 0,
    )  # fmt: skip
    wanted = [np.rad2deg(subspace_angles(c[:, :3], c[:, 3:])).min() for c in columns]
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert found[3] < 1e-4


def test_the_table_says_who_pulls_against_whom():
    trunk = RNG.normal(size=(4, 3, 2, 30))  # epochs, networks, tasks
    trunk[..., 1, :] = -0.5 * trunk[..., 0, :]
    trunk[3, 2, 1] = 0  # task b has stopped in one network
    shared = trunk @ trunk.swapaxes(-1, -2)
    labelled = np.array([[1, 1]] * 10 + [[1, 0]] * 80 + [[0, 1]] * 30) > 0
    table = conflict_table(made(shared, shared, [0, 1]), ["a", "b"], labelled, every=3)
    assert list(table.columns) == CONFLICT and table["epoch"].tolist() == [0, 3]
    assert table["networks"].tolist() == [3, 2]
    np.testing.assert_allclose(table[["cosine", "cosine_low", "cosine_high"]], -1, atol=1e-6)
    assert (table["conflicting"] == 1).all() and (table["angle"] < 0.01).all()
    np.testing.assert_allclose(table["norm_b"] / table["norm_a"], 0.5, atol=0.3)
    assert (table[["donors_a", "donors_b"]].to_numpy() == [90, 40]).all()
    assert table["overlap"].tolist() == [0.25, 0.25] and not table["reliable"].any()


def test_equal_labels_agree_and_opposite_ones_conflict():
    """Two tasks with the same labels have the same gradients from the start on; with swapped classes opposite ones."""
    cohort = small_cohort(tasks=("disease", "age"))
    problem, targets = problem_of(cohort, folds_of(cohort))
    found = fit(problem, problem.dense, [0, 1], BlockOptions(OPTIONS.block, 10, 10_000, 0.3))
    table = conflict_table(found.gradients, ["disease", "age"], targets.labelled, every=1)
    assert len(table) == 10 and table["networks"].max() == 6
    assert table["cosine"].between(-1, 1).all() and table["angle"].between(0, 90).all()
    # the cosine of rank-one gradients is the product of the cosines of maps and heads
    assert (np.abs(table["cosine"]) <= np.cos(np.deg2rad(table["angle"])) + 0.2).all()


def test_one_task_has_no_conflict():
    cohort = small_cohort(tasks=("disease",))
    problem, targets = problem_of(cohort, folds_of(cohort))
    found = fit(problem, problem.dense, [0, 1], BlockOptions(OPTIONS.block, 3, 10_000, 0.3))
    assert found.gradients is None
    assert conflict_table(None, ["disease"], targets.labelled).empty


@pytest.mark.parametrize("every", [1, 5])
def test_conflicting_counts_every_step_between_rows(every):
    signs = np.array([1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1.0])
    shared = np.ones((11, 1, 2, 2))
    shared[:, 0, 0, 1] = shared[:, 0, 1, 0] = signs
    table = conflict_table(made(shared, shared, [0, 1]), ["a", "b"], np.ones((5, 2)) > 0, every)
    wanted = (signs < 0).astype(float).tolist() if every == 1 else [0.0, 4 / 5, 1 / 5]
    np.testing.assert_allclose(table["conflicting"], wanted, atol=1e-6)
