"""L1 heads agree with scikit-learn at the same penalty, for every kind of task that it knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso, LogisticRegression
from small_training import TASKS, changed, folds_of, problem_of, small_cohort

from mtlbio.model.outputs import Outputs
from mtlbio.training import sparse_heads
from mtlbio.training.losses import task_losses
from mtlbio.training.problem import Problem
from mtlbio.training.sparse_heads import PENALTIES, fit_sparse_heads


def one_task(kind: str, n: int = 90, k: int = 12) -> tuple[Problem, np.ndarray, np.ndarray, np.ndarray]:
    """A problem with one fold, one seed and one task; every third sample validates. Also x, y and the training rows."""
    rng = np.random.default_rng(3)
    task = {t.kind: t for t in TASKS.values()}[kind]
    x = rng.standard_normal((n, k)) @ (np.eye(k) + 0.3 * rng.standard_normal((k, k)))
    signal = x[:, :3] @ [1.0, -0.8, 0.5] / 2 + 0.7 * rng.standard_normal(n)
    levels = max(len(task.classes), 2)
    y = signal if kind == "regression" else np.digitize(signal, np.linspace(-0.6, 0.6, levels - 1)).astype(float)
    if kind == "binary":
        y = (signal > 0.1).astype(float)
    trains = np.arange(n) % 3 != 0
    weight = torch.as_tensor(np.stack([trains / trains.sum(), ~trains / (~trains).sum()]), dtype=torch.float32)
    features = torch.as_tensor(x, dtype=torch.float32)[None]
    problem = Problem(
        axes=features, genes=features, dense=features, curved=features,
        targets=torch.as_tensor(y, dtype=torch.float32)[None, :, None],
        train=weight[0][None, None, :, None], validation=weight[1][None, None, :, None],
        active=torch.ones(1, 1), packing=Outputs.of({task.name: task}),
    )  # fmt: skip
    return problem, x, y, trains


@pytest.fixture
def one_penalty(monkeypatch):
    def set_to(penalty: float) -> None:
        monkeypatch.setattr(sparse_heads, "PENALTIES", [penalty])

    return set_to


@pytest.mark.parametrize("penalty", [0.2, 0.05, 0.005])
def test_regression_is_the_lasso(one_penalty, penalty):
    problem, x, y, trains = one_task("regression")
    one_penalty(penalty)
    found = fit_sparse_heads(problem, problem.axes, iterations=600)
    reference = Lasso(alpha=penalty, tol=1e-10, max_iter=100_000).fit(x[trains], y[trains])
    np.testing.assert_allclose(found.weights[0, 0, :, 0], reference.coef_, atol=1e-3)
    np.testing.assert_allclose(found.bias[0, 0, 0], reference.intercept_, atol=1e-3)
    assert ((found.weights[0, 0, :, 0] == 0).numpy() == (reference.coef_ == 0)).all()


def logistic(penalty: float, n: int) -> LogisticRegression:
    return LogisticRegression(solver="saga", l1_ratio=1.0, C=1 / (penalty * n), tol=1e-8, max_iter=100_000)


@pytest.mark.parametrize("penalty", [0.1, 0.02, 0.005])
def test_binary_is_l1_logistic_regression(one_penalty, penalty):
    problem, x, y, trains = one_task("binary")
    one_penalty(penalty)
    found = fit_sparse_heads(problem, problem.axes, iterations=600)
    reference = logistic(penalty, trains.sum()).fit(x[trains], y[trains])
    np.testing.assert_allclose(found.weights[0, 0, :, 0], reference.coef_[0], atol=2e-3)
    np.testing.assert_allclose(found.bias[0, 0], reference.intercept_, atol=1e-3)


@pytest.mark.parametrize("penalty", [0.05, 0.01])
def test_multiclass_is_l1_softmax_regression(one_penalty, penalty):
    problem, x, y, trains = one_task("multiclass")
    one_penalty(penalty)
    found = fit_sparse_heads(problem, problem.axes, iterations=800)
    reference = logistic(penalty, trains.sum()).fit(x[trains], y[trains])
    # classes are determined up to a common shift, which the L1 penalty fixes for weights but not for the bias
    np.testing.assert_allclose(found.weights[0, 0], reference.coef_.T, atol=2e-3)
    bias = found.bias[0, 0].numpy()
    np.testing.assert_allclose(bias - bias.mean(), reference.intercept_ - reference.intercept_.mean(), atol=2e-3)


@pytest.mark.parametrize("kind", ["binary", "regression", "ordinal", "multiclass"])
def test_no_gradient_is_left_at_the_solution(one_penalty, kind):
    """The optimality conditions of the L1 problem; scikit-learn has no ordinal counterpart."""
    problem, *_ = one_task(kind)
    one_penalty(0.02)
    found = fit_sparse_heads(problem, problem.axes, iterations=800)
    weights = found.weights[0, 0].clone().requires_grad_()
    bias = found.bias[0, 0].clone().requires_grad_()
    outputs = problem.axes[0] @ weights @ torch.as_tensor(problem.packing.expand) + bias
    loss = (task_losses(outputs, problem.targets[0], problem.train[0, 0], problem.packing) * problem.train[0, 0]).sum()
    slope, slope_bias = torch.autograd.grad(loss, (weights, bias))
    used = weights.detach() != 0
    assert used.any() and not used.all()
    torch.testing.assert_close(slope[used], -0.02 * weights.detach()[used].sign(), atol=2e-4, rtol=0)
    assert (slope[~used].abs() <= 0.02 + 2e-4).all()
    torch.testing.assert_close(slope_bias, torch.zeros_like(slope_bias), atol=5e-4, rtol=0)


def test_the_default_number_of_iterations_is_enough():
    problem, *_ = one_task("binary")
    quick, slow = fit_sparse_heads(problem, problem.axes), fit_sparse_heads(problem, problem.axes, iterations=1000)
    assert torch.equal(quick.penalty, slow.penalty)
    torch.testing.assert_close(quick.outputs, slow.outputs, atol=0.1, rtol=0)


def test_the_penalty_is_the_one_that_validation_samples_prefer():
    problem, *_ = one_task("regression")
    found = fit_sparse_heads(problem, problem.axes, iterations=200)
    losses = []
    for penalty in PENALTIES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sparse_heads, "PENALTIES", [penalty])
            outputs = fit_sparse_heads(problem, problem.axes, iterations=200).outputs[0, 0]
        loss = task_losses(outputs, problem.targets[0], problem.train[0, 0], problem.packing)
        losses.append(float((loss * problem.validation[0, 0]).sum()))
    assert int(found.penalty[0, 0]) == int(np.argmin(losses))
    assert min(losses) < 0.8 * losses[0]


def test_tasks_folds_and_seeds_do_not_touch_each_other():
    cohort = small_cohort()
    folds = folds_of(cohort)
    problem, _ = problem_of(cohort, folds)
    found = fit_sparse_heads(problem, problem.axes, iterations=250)
    fewer = small_cohort(tasks=("age", "subtype"))
    alone = fit_sparse_heads(problem_of(fewer, folds)[0], problem.axes, iterations=250)
    for t, u in ((1, 0), (3, 1)):
        own, other = found.outputs[..., problem.packing.outputs[t]], alone.outputs[..., [slice(0, 1), slice(1, 4)][u]]
        torch.testing.assert_close(own, other, atol=1e-2, rtol=0)
        assert torch.equal(found.penalty[:, t], alone.penalty[:, u])
    one = changed(problem, **{name: getattr(problem, name)[2:] for name in ("axes", "targets", "train", "validation")})
    torch.testing.assert_close(
        fit_sparse_heads(one, one.axes, iterations=250).outputs[0], found.outputs[2], atol=1e-4, rtol=1e-4
    )


def test_a_task_without_labels_gets_no_weights():
    cohort = small_cohort()
    problem, _ = problem_of(cohort, folds_of(cohort))
    train, validation = problem.train.clone(), problem.validation.clone()
    train[..., 1], validation[..., 1] = 0, 0
    found = fit_sparse_heads(changed(problem, train=train, validation=validation), problem.axes)
    place = problem.packing.columns[1]
    assert (found.weights[..., place] == 0).all() and torch.isfinite(found.outputs).all()


@pytest.mark.parametrize("labelled", [1, 8, 30])
def test_labels_of_a_group_apart_do_not_overshoot(labelled):
    """A score known for cases only: weights and bias pull the same way, which once sent both to infinity."""
    cohort = small_cohort()
    problem, _ = problem_of(cohort, folds_of(cohort))
    weight = torch.zeros_like(problem.train)
    for fold in range(3):
        weight[fold, :, problem.axes[fold, :, 0].argsort(descending=True)[:labelled], 1] = 1 / labelled
    train = torch.where(torch.arange(4) == 1, weight, problem.train)
    few = changed(problem, train=train, axes=problem.axes + 1.0)
    found = fit_sparse_heads(few, few.axes)
    longer = fit_sparse_heads(few, few.axes, iterations=300)
    place = problem.packing.outputs[1]
    outputs = found.outputs[..., place]
    assert torch.isfinite(found.outputs).all() and outputs.abs().max() < 20
    residual = ((longer.outputs[..., place] - problem.targets[:, None, :, 1:2]) ** 2 * weight[..., 1:2]).sum(2)
    spread = (problem.targets[:, None, :, 1:2] ** 2 * weight[..., 1:2]).sum(2)
    assert (residual <= spread + 1e-4).all()
