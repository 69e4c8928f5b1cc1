"""Mixtures of paths, learnt on validation samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit
from small_training import TASKS

from mtlbio.training.stacking import PATHS, mix, stack_predictors

KINDS = [task.kind for task in TASKS.values()]


def paths_and_labels(kind: str, n: int = 400, informative: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of four paths of which one knows the truth and the others are noise of the same size."""
    rng = np.random.default_rng(0)
    task = {t.kind: t for t in TASKS.values()}[kind]
    outputs = {"multiclass": 3, "ordinal": 3}.get(kind, 1)
    paths = 2 * rng.standard_normal((4, n, outputs))
    if kind == "ordinal":
        paths = paths[..., :1] + np.array([2.0, 0.0, -2.0])
    truth = paths[informative]
    if kind == "regression":
        return paths, truth[:, 0] + 0.3 * rng.standard_normal(n)
    if kind == "multiclass":
        return paths, (truth + rng.gumbel(size=truth.shape)).argmax(axis=1).astype(float)
    if kind == "ordinal":
        return paths, (rng.random((n, 1)) < expit(truth)).sum(axis=1).clip(0, len(task.classes) - 1).astype(float)
    return paths, (rng.random(n) < expit(truth[:, 0])).astype(float)


def task_of(kind: str):
    return {t.kind: t for t in TASKS.values()}[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("informative", [0, 2])
def test_the_path_that_knows_gets_the_share(kind, informative):
    found = mix(task_of(kind), *paths_and_labels(kind, informative=informative))
    assert (found.shares >= 0).all()
    assert found.shares.argmax() == informative
    assert 0.6 < found.shares[informative] < 1.5
    assert np.delete(found.shares, informative).max() < 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_the_mixture_is_no_worse_than_equal_shares_on_its_own_samples(kind):
    paths, y = paths_and_labels(kind)
    found = mix(task_of(kind), paths, y)

    def loss(outputs: np.ndarray) -> float:
        return float(task_of(kind).loss(torch.as_tensor(outputs), torch.as_tensor(y), torch.ones(len(y))).mean())

    assert loss(np.einsum("p,pno->no", found.shares, paths) + found.bias) < loss(paths.mean(axis=0)) - 0.01


def test_no_labels_means_equal_shares():
    found = mix(task_of("binary"), np.zeros((4, 0, 1)), np.zeros(0))
    np.testing.assert_array_equal(found.shares, 0.25)
    np.testing.assert_array_equal(found.bias, 0)


def test_few_labels_stay_near_equal_shares():
    paths, y = paths_and_labels("binary")
    few = mix(task_of("binary"), paths[:, :6], y[:6])
    many = mix(task_of("binary"), paths, y)
    assert np.abs(few.shares - 0.25).max() < np.abs(many.shares - 0.25).max() / 2


def test_a_path_that_is_wrong_is_left_out_not_turned_round():
    paths, y = paths_and_labels("regression")
    paths[0] = -paths[2]
    assert mix(task_of("regression"), paths, y).shares[0] < 1e-6


def test_order_of_the_paths_does_not_matter():
    paths, y = paths_and_labels("multiclass")
    order = [3, 1, 0, 2]
    first, second = mix(task_of("multiclass"), paths, y), mix(task_of("multiclass"), paths[order], y)
    np.testing.assert_allclose(second.shares, first.shares[order], atol=1e-3)


def test_every_fold_and_task_is_mixed_on_its_own_validation_samples(trained):
    cohort, folds, problem, targets, paths = trained
    outputs = {name: path.outputs for name, path in paths.items()}
    stacking = stack_predictors(problem, outputs, folds, targets)
    packing = problem.packing
    assert set(stacking.mixture) == {(i, 0, t) for i in range(3) for t in range(4)}
    arrays = {name: v.numpy() if v.ndim == 4 else v[:, 0].numpy() for name, v in outputs.items()}
    for (i, _, t), found in stacking.mixture.items():
        place = packing.outputs[t]
        expected = sum(s * arrays[p][i][..., place] for p, s in zip(PATHS, found.shares, strict=True)) + found.bias
        np.testing.assert_allclose(stacking.outputs[i, 0, ..., place], expected, rtol=1e-4, atol=1e-5)
    # labels of held-out donors are not looked at
    values = targets.values.copy()
    for i, data in enumerate(folds):
        values[i, data.test] = 1 - values[i, data.test].clip(0, 1)
    again = stack_predictors(problem, outputs, folds, replace(targets, values=values))
    np.testing.assert_array_equal(again.outputs, stacking.outputs)
