"""What a task takes from the predictions of the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit
from small_training import TASKS, changed

from mtlbio.model.ensemble import load_ensemble, save_ensemble
from mtlbio.model.outputs import Outputs
from mtlbio.training.cross_task_stacking import cross_task_weights, with_cross_task_stacks
from mtlbio.training.fold_in import fold_in
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.predictors import Predictors
from mtlbio.training.stacking import stack_predictors

KINDS = {task.kind: task for task in TASKS.values()}


def labels_that_follow(kind: str, from_others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels (n,) of a task that is 1.5 times the first column of what is taken."""
    cause = 1.5 * from_others[:, 0]
    if kind == "regression":
        return cause + rng.standard_normal(len(cause))
    if kind == "ordinal":
        return (rng.random((len(cause), 1)) < expit(cause[:, None] + [1.5, 0, -1.5])).sum(1).astype(float)
    if kind == "multiclass":
        return (np.outer(cause, [1, 0, -1]) + rng.gumbel(size=(len(cause), 3))).argmax(1).astype(float)
    return (rng.random(len(cause)) < expit(cause)).astype(float)


def found_on(kind: str, n: int, informative: bool = True):
    rng = np.random.default_rng([3, n])
    task, packing = KINDS[kind], Outputs.of({kind: KINDS[kind]})
    from_others, own = rng.standard_normal((n, 2)), 0.3 * rng.standard_normal((n, packing.n_outputs))
    y = labels_that_follow(kind, from_others if informative else rng.standard_normal((n, 2)), rng)
    return cross_task_weights(task, packing.expand, own, from_others, y)


@pytest.mark.parametrize("kind", KINDS)
def test_what_helps_is_borrowed_and_what_does_not_is_left(kind):
    own, weights, bias = found_on(kind, 600)
    assert weights.shape == (2, 3 if kind == "multiclass" else 1)
    assert 0.9 < weights[0, 0] < 1.8
    assert np.abs(weights[1]).max() < 0.25
    if kind == "multiclass":
        assert weights[0, 2] < -0.9
    assert np.abs(found_on(kind, 600, informative=False)[1]).max() < 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_few_labels_borrow_little_and_none_nothing(kind):
    few, many = (np.mean([np.abs(found_on(kind, n)[1][0, 0]) for n in sizes]) for sizes in ((5, 6, 7), (500, 600)))
    assert few < 0.75 * many
    own, weights, bias = found_on(kind, 0)
    assert own == 1 and (weights == 0).all() and (bias == 0).all()


@pytest.fixture(scope="module")
def lending(trained):
    """The small cohort with an arm of all tasks, one of the first two, and one of the first alone; age and stage have
    been left with labels for every third sample, and so borrow from disease and subtype."""
    cohort, folds, problem, targets, paths = trained
    few = targets.labelled.copy()
    few[np.arange(len(few)) % 3 > 0, 1:3] = False
    targets = replace(targets, labelled=few)
    arms = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])
    outputs = {
        name: path.outputs if path.outputs.ndim == 4 else path.outputs.expand(-1, 3, -1, -1, -1)
        for name, path in paths.items()
    }
    problem = changed(problem, active=arms)
    return problem, stack_predictors(problem, outputs, folds, targets), targets


def test_tasks_with_few_labels_borrow_from_active_ones_with_many(trained, lending):
    folds = trained[1]
    problem, stacking, targets = lending
    found = with_cross_task_stacks(problem, stacking, folds, targets)
    packing = problem.packing
    disease, age, stage, subtype = packing.outputs
    assert set(found.cross_task) == {(i, j) for i in range(3) for j in (0, 1)}
    np.testing.assert_array_equal(found.outputs[:, 2], stacking.outputs[:, 2])
    for place in (disease, subtype):
        np.testing.assert_array_equal(found.outputs[..., place], stacking.outputs[..., place])
    for (i, j), loan in found.cross_task.items():
        lenders = [0] if j == 1 else [0, 3, 4, 5]
        borrowers = [1] if j == 1 else [1, 2]
        may = np.zeros((6, 6), bool)
        may[np.ix_(lenders, borrowers)] = True
        assert ((loan.weights != 0) == may).all()
        own = stacking.outputs[i, j].astype(float)
        for c, place in ((1, age), (2, stage)):
            values = np.stack([own[..., 0], *np.moveaxis(own[..., subtype], -1, 0)], axis=-1)
            from_others = ((values - loan.mean[[0, 3, 4, 5]]) / loan.scale[[0, 3, 4, 5]]) @ loan.weights[
                [0, 3, 4, 5], c
            ]
            expected = own[..., place] * loan.factor[place] + from_others[..., None] + loan.bias[place]
            np.testing.assert_allclose(found.outputs[i, j, ..., place], expected, atol=1e-5)


def test_tasks_with_as_many_labels_as_the_others_stay_what_they_are(trained, lending):
    _, folds, _, targets, _ = trained
    found = with_cross_task_stacks(lending[0], lending[1], folds, targets)
    np.testing.assert_array_equal(found.outputs, lending[1].outputs)


def test_labels_of_held_out_donors_are_not_looked_at(trained, lending):
    folds = trained[1]
    problem, stacking, targets = lending
    values = targets.values.copy()
    for i, data in enumerate(folds):
        values[i, data.test] = 1 - values[i, data.test].clip(0, 1)
    found, again = (
        with_cross_task_stacks(problem, stacking, folds, t) for t in (targets, replace(targets, values=values))
    )
    np.testing.assert_array_equal(again.outputs, found.outputs)


def test_the_trained_model_predicts_what_was_borrowed(trained, lending, tmp_path):
    cohort, folds, _, _, paths = trained
    problem, stacking, targets = lending
    found = with_cross_task_stacks(problem, stacking, folds, targets)
    heads = {name: paths[name] for name in ("axes", "genes")}
    blocks = {name: paths[name] for name in ("dense", "curved")}
    ensemble = fold_in(cohort, Refit(folds, targets, Predictors(heads, blocks), found), [0, 1]).ensemble
    save_ensemble(ensemble, tmp_path / "model", {})
    back = load_ensemble(tmp_path / "model")
    assert np.abs(found.outputs[:, 0] - stacking.outputs[:, 0]).max() > 0.05
    for i, data in enumerate(folds):
        for t, task in enumerate(problem.packing.tasks):
            trained_for = found.outputs[i, 0][..., problem.packing.outputs[t]].astype(float)
            expected = task.to_prediction(trained_for, targets.mean[i, t], targets.scale[i, t])
            for model, atol in ((ensemble, 1e-5), (back, 1e-3)):
                predicted = model.predict(task.name, cohort.expression, data.fold)
                np.testing.assert_allclose(predicted / targets.scale[i, t], expected / targets.scale[i, t], atol=atol)
