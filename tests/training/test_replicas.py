"""Many networks in one stack: nobody notices the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_training import OPTIONS, changed, folds_of, problem_of, small_cohort

from benchmarks.speed.shared_encoder import SharedEncoder
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.scheme import Sharing
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.networks import BlockOptions
from mtlbio.training.problem import Problem
from mtlbio.training.replicas import fit

EPOCHS = 25


@pytest.fixture(scope="module")
def cohort():
    return small_cohort()


@pytest.fixture(scope="module")
def folds(cohort):
    return folds_of(cohort)


def fitted(problem: Problem, seeds=(0, 1), epochs: int = EPOCHS, patience: int = 10_000, rate: float = 0.3):
    return fit(problem, problem.dense, list(seeds), BlockOptions(OPTIONS.block, epochs, patience, rate))


def with_train(problem: Problem, tasks: list[int], share: float = 0.0) -> Problem:
    """The problem in which some tasks have no label."""
    train, validation = problem.train.clone(), problem.validation.clone()
    train[..., tasks], validation[..., tasks] = share, share
    return changed(problem, train=train, validation=validation)


def close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 2e-5) -> None:
    torch.testing.assert_close(a, b, atol=tolerance, rtol=1e-4)


def test_a_stack_is_the_same_as_plain_gradient_descent_on_each_network(cohort, folds):
    problem, _ = problem_of(cohort, folds)
    stacked = fitted(problem)
    packing = Outputs.of(cohort.tasks)
    shortened = pace(problem.dense, problem.train)
    for f, s in ((0, 0), (1, 1), (2, 0)):
        network = SharedEncoder(problem.dense.shape[2], OPTIONS.block, packing, seed=s)
        for epoch in range(EPOCHS + 1):
            loss = task_losses(network(problem.dense[f]), problem.targets[f], problem.train[f, s], packing)
            own = torch.stack([(loss * problem.train[f, s]).sum(0), (loss * problem.validation[f, s]).sum(0)])
            close(stacked.history[epoch, :, f, 0, s], own.detach())
            own_steps = (loss * problem.train[f, s] * shortened[f, s]).sum()
            slopes = torch.autograd.grad(own_steps, list(network.parameters()))
            with torch.no_grad():
                for value, slope in zip(network.parameters(), slopes, strict=True):
                    value -= 0.3 * slope


def test_a_fold_or_a_seed_alone_gets_the_numbers_it_got_in_the_stack(cohort, folds):
    problem, _ = problem_of(cohort, folds)
    stacked = fitted(problem)
    one_fold = changed(
        problem,
        **{name: getattr(problem, name)[1:2] for name in ("dense", "targets", "train", "validation")},
    )
    alone = fitted(one_fold)
    close(alone.block[0], stacked.block[1])
    close(alone.outputs[0], stacked.outputs[1])
    assert torch.equal(alone.best_epoch[0], stacked.best_epoch[1])
    one_seed = changed(problem, train=problem.train[:, 1:], validation=problem.validation[:, 1:])
    close(fitted(one_seed, seeds=[1]).history[:, :, :, :, 0], stacked.history[:, :, :, :, 1])


def test_arms_do_not_touch_each_other_and_a_single_task_arm_is_a_cohort_with_one_task(cohort, folds):
    problem, _ = problem_of(cohort, folds, [np.ones(4), *np.eye(4)])
    arms = fitted(problem)
    together, _ = problem_of(cohort, folds)
    close(fitted(together).block[:, 0], arms.block[:, 0])
    packing = Outputs.of(cohort.tasks)
    for t in range(4):
        alone = fitted(with_train(together, [u for u in range(4) if u != t]))
        close(alone.block[:, 0][..., packing.columns[t]], arms.block[:, t + 1][..., packing.columns[t]])


def test_a_task_without_any_label_changes_nothing_for_the_others(cohort, folds):
    """The others step, also in the shared trunk, as in a cohort that has never heard of the task."""
    problem, _ = problem_of(cohort, folds)
    absent = identity_start(with_train(problem, [1]))
    without, _ = problem_of(small_cohort(tasks=("disease", "stage", "subtype")), folds)
    for own, other in zip([absent[0], *absent[2:]], identity_start(without), strict=True):
        close(own, other)
    assert (absent[1] == 0).all()
    # nor does it matter which number stands where its labels are missing
    nonsense = problem.targets.clone()
    nonsense[..., 1] = 5.0
    assert torch.equal(fitted(with_train(changed(problem, targets=nonsense), [1])).block[..., 0],
                       fitted(with_train(problem, [1])).block[..., 0])  # fmt: skip


def test_parameters_do_not_move_without_labels(cohort, folds):
    problem, _ = problem_of(cohort, folds)
    none = fitted(with_train(problem, [0, 1, 2, 3]))
    assert (none.block == 0).all() and (none.bias == 0).all() and (none.outputs == 0).all()


def test_unlabelled_samples_are_not_seen(cohort, folds):
    problem, targets = problem_of(cohort, folds)
    unseen = ~torch.as_tensor(targets.labelled)
    garbled = torch.where(unseen[None], torch.full_like(problem.targets, 1.0), problem.targets)
    assert torch.equal(fitted(changed(problem, targets=garbled)).block, fitted(problem).block)
    # samples of the held-out donors have no weight either
    held_out = torch.zeros(3, problem.dense.shape[1], 1)
    for f in range(2):
        held_out[f, folds[f].test] = 1
    others_labels = changed(problem, targets=torch.where(held_out > 0, 1.0, problem.targets))
    assert torch.equal(fitted(others_labels).block, fitted(problem).block)


def test_order_of_the_tasks_does_not_matter():
    names = ("disease", "age", "stage")
    first, second = small_cohort(tasks=names), small_cohort(tasks=names[::-1])
    folds = folds_of(first)
    blocks = [identity_start(problem_of(made, folds)[0]) for made in (first, second)]
    for t, name in enumerate(names):
        torch.testing.assert_close(blocks[0][t], blocks[1][len(names) - 1 - t], atol=1e-5, rtol=1e-4, msg=name)


def identity_start(problem: Problem) -> list[torch.Tensor]:
    """Blocks of every task where the heads start without their random part, which is drawn column by column."""
    packing = problem.packing
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sharing, "starting_heads", lambda self, generator: torch.eye(self.width))
        found = fit(problem, problem.dense, [0, 1], BlockOptions(packing.n_columns, EPOCHS, 10_000, 0.3))
    return [found.block[..., place] for place in packing.columns]


def test_a_stopped_task_keeps_its_best_checkpoint_and_the_others_go_on(cohort, folds):
    problem, _ = problem_of(cohort, folds)
    # age gets labels that the genes know nothing about: its validation loss rises soon
    noise = torch.as_tensor(np.random.default_rng(0).standard_normal(problem.targets.shape[1]), dtype=torch.float32)
    targets = problem.targets.clone()
    targets[..., 1] = noise
    problem = changed(problem, targets=targets)
    short, long = fitted(problem, epochs=120, patience=10), fitted(problem, epochs=120, patience=10_000)
    best = short.best_epoch[:, 0]
    assert (best[:, 1] < 30).all()
    assert (best[:, 0] > best[:, 1]).all()
    # pooled validation loss at the checkpoint is the lowest from epoch 5 on
    pooled = long.history[:, 1].sum(3)[:, :, 0]  # (epochs, f, t)
    lowest = pooled[5:].argmin(0) + 5
    assert torch.equal(long.best_epoch[:, 0], lowest)
    # the checkpoint of the stopped task is what stood there at its epoch
    again = fitted(problem, epochs=int(best[0, 1]), patience=10_000)
    column = problem.packing.columns[1]
    if best[0, 1] == again.best_epoch[0, 0, 1]:
        close(again.block[0, :, :, :, column], short.block[0, :, :, :, column])


def test_the_seed_fixes_everything(cohort, folds):
    problem, _ = problem_of(cohort, folds)
    torch.manual_seed(0)
    first = fitted(problem)
    torch.manual_seed(1)
    second = fitted(problem)
    assert torch.equal(first.block, second.block) and torch.equal(first.history, second.history)
    assert not torch.equal(fitted(problem, seeds=[5, 6]).block, first.block)


def test_early_stopped_descent_is_ridge_regression_at_some_penalty():
    cohort = small_cohort(tasks=("age",))
    folds = folds_of(cohort)
    problem, _ = problem_of(cohort, folds)
    found = fit(problem, problem.dense, [0, 1], BlockOptions(1, 60, 10_000, 0.3))
    x = problem.dense[2].numpy().astype(float)
    weight = problem.train[2, 0, :, 0].numpy().astype(float)
    y = problem.targets[2, :, 0].numpy().astype(float)
    centre = weight @ x
    gram = (x - centre).T @ ((x - centre) * weight[:, None])
    cross = (x - centre).T @ (weight * (y - weight @ y))
    correlation = []
    for penalty in np.logspace(-3, 0, 13):
        predicted = x @ np.linalg.solve(gram + penalty * np.eye(x.shape[1]), cross)
        correlation.append(np.corrcoef(predicted, found.outputs[2, 0, 0, :, 0].numpy())[0, 1])
    assert max(correlation) > 0.99
