"""Every sharing scheme in the stack of networks: the same as one network by itself, and deaf to who is not there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plain_descent import descend, starts_by_name
from small_training import changed, folds_of, problem_of, small_cohort

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.choices.sharing import SHARING
from mtlbio.errors import InputError
from mtlbio.model.sharing.make import registered
from mtlbio.training.networks import BlockOptions
from mtlbio.training.problem import Problem
from mtlbio.training.replicas import Fitted, fit

EPOCHS, WIDTH, RATE = 12, 6, 0.3
SHARE = [name for name, made in registered().items() if made.shared]
APART = [name for name in SHARING if name not in SHARE]
every = pytest.mark.parametrize("name", SHARING)


@pytest.fixture(scope="module")
def cohort():
    return small_cohort()


@pytest.fixture(scope="module")
def folds(cohort):
    return folds_of(cohort)


@pytest.fixture(scope="module")
def problem(cohort, folds):
    return problem_of(cohort, folds)[0]


def fitted(
    problem: Problem, multitask: MultitaskOptions, seeds=(0, 1), epochs: int = EPOCHS, width: int = WIDTH
) -> Fitted:
    return fit(problem, problem.dense, list(seeds), BlockOptions(width, epochs, 10_000, RATE, multitask))


def close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 2e-5) -> None:
    torch.testing.assert_close(a, b, atol=tolerance, rtol=1e-3)


def without(problem: Problem, tasks: list[int]) -> Problem:
    """The problem in which some tasks have no label."""
    train, validation = problem.train.clone(), problem.validation.clone()
    train[..., tasks], validation[..., tasks] = 0, 0
    return changed(problem, train=train, validation=validation)


def outputs_of(found: Fitted, problem: Problem, task: str) -> torch.Tensor:
    """(f, a, s, n, outputs of the task)."""
    place = [t.name for t in problem.packing.tasks].index(task)
    return found.outputs[..., problem.packing.outputs[place]]


@every
def test_a_stack_is_the_same_as_plain_descent_on_each_network(problem, name):
    multitask = MultitaskOptions(sharing=name)
    found = fitted(problem, multitask)
    for f, s in ((0, 0), (2, 1)):
        _, history = descend(problem, f, s, multitask, WIDTH, EPOCHS, RATE)
        close(found.history[:, :, f, 0, s], history)


@pytest.mark.parametrize("name", SHARE)
@pytest.mark.parametrize("gradient", ["trunk", "representation"])
@pytest.mark.parametrize("balancing", ["mgda", "gradnorm"])
def test_balancers_of_gradients_read_and_weigh_what_is_shared(problem, name, balancing, gradient):
    """One that weighs the gradients on shared parameters, one that weighs whole losses."""
    multitask = MultitaskOptions(sharing=name, balancing=balancing, gradient=gradient)
    found = fitted(problem, multitask, epochs=6)
    _, history = descend(problem, 1, 0, multitask, WIDTH, 6, RATE)
    close(found.history[:, :, 1, 0, 0], history)
    plain = fitted(problem, MultitaskOptions(sharing=name), epochs=6).history
    assert (found.history - plain).abs().max() > 1e-3


@pytest.mark.parametrize("name", APART)
def test_balancers_of_losses_serve_the_others_and_those_of_gradients_are_errors(problem, name):
    multitask = MultitaskOptions(sharing=name, balancing="gls")
    multitask.check()
    found = fitted(problem, multitask)
    _, history = descend(problem, 1, 0, multitask, WIDTH, EPOCHS, RATE)
    close(found.history[:, :, 1, 0, 0], history)
    for balancing in ("pcgrad", "gradnorm"):
        with pytest.raises(InputError, match=f"{balancing} reads gradients on shared parameters, and {name} sharing"):
            MultitaskOptions(sharing=name, balancing=balancing).check()


@every
def test_a_fold_or_a_seed_alone_gets_the_numbers_of_the_stack(problem, name):
    multitask = MultitaskOptions(sharing=name)
    stacked = fitted(problem, multitask)
    one = {key: getattr(problem, key)[1:2] for key in ("dense", "targets", "train", "validation")}
    close(fitted(changed(problem, **one), multitask).block[0], stacked.block[1])
    one = changed(problem, train=problem.train[:, 1:], validation=problem.validation[:, 1:])
    close(fitted(one, multitask, seeds=[1]).history[:, :, :, :, 0], stacked.history[:, :, :, :, 1])


@every
@pytest.mark.parametrize("balancing", ["equal", "pcgrad"])
def test_an_absent_task_changes_nothing_for_the_others(problem, folds, name, balancing):
    """They get the numbers of a cohort that has never heard of it."""
    if balancing == "pcgrad" and name in APART:
        pytest.skip("an error: nothing is shared")
    multitask, others = MultitaskOptions(sharing=name, balancing=balancing), ("disease", "stage", "subtype")
    unheard = problem_of(small_cohort(tasks=others), folds)[0]
    with starts_by_name():
        absent, gone = fitted(without(problem, [1]), multitask), fitted(unheard, multitask)
    for task in others:
        close(outputs_of(absent, problem, task), outputs_of(gone, unheard, task))
    assert (outputs_of(absent, problem, "age") == 0).all()


@every
def test_order_of_the_tasks_does_not_matter(folds, name):
    names = ("disease", "age", "subtype")
    problems = [problem_of(small_cohort(tasks=order), folds)[0] for order in (names, names[::-1])]
    with starts_by_name():
        found = [fitted(problem, MultitaskOptions(sharing=name)) for problem in problems]
    for task in names:
        close(*(outputs_of(f, problem, task) for f, problem in zip(found, problems, strict=True)))


@every
def test_one_task_is_predicted_about_as_in_hard_sharing(folds, name):
    problem = problem_of(small_cohort(tasks=("age",)), folds)[0]
    found = [fitted(problem, MultitaskOptions(sharing=which), epochs=40).outputs.flatten() for which in (name, "hard")]
    assert np.corrcoef(*(v.numpy() for v in found))[0, 1] > 0.98


@pytest.mark.parametrize("name", APART)
def test_without_strength_the_tasks_are_apart(cohort, folds, name):
    problem = problem_of(cohort, folds, [np.ones(4), *np.eye(4)])[0]
    found = fitted(problem, MultitaskOptions(sharing=name, sharing_strength=0.0))
    for t, place in enumerate(problem.packing.columns):
        close(found.block[:, 0][..., place], found.block[:, t + 1][..., place])
    tied = fitted(problem, MultitaskOptions(sharing=name, sharing_strength=0.1))
    assert (tied.block[:, 0] - found.block[:, 0]).abs().max() > 1e-3


def test_without_bound_soft_trunks_are_one_and_offsets_vanish(problem):
    trunks = descend(problem, 0, 0, MultitaskOptions("soft", 1e6), WIDTH, EPOCHS, RATE)[0].own["trunks"].detach()
    assert trunks.abs().max() > 1e-2 and (trunks - trunks[:, :1]).abs().max() < 1e-5 * trunks.abs().max()
    own = descend(problem, 0, 0, MultitaskOptions("offset", 1e6), WIDTH, EPOCHS, RATE)[0].own
    assert own["trunk"].abs().max() > 1e-2 and own["offsets"].abs().max() < 1e-5 * own["trunk"].abs().max()


def test_a_cross_stitch_finds_out_which_tasks_agree(folds):
    """Disease is made a copy of age, then its opposite."""
    cohort = small_cohort(tasks=("age", "disease"))
    problem = problem_of(cohort, folds)[0]
    for sign in (1, -1):
        targets = problem.targets.clone()
        targets[..., 1] = (sign * targets[..., 0] > 0).float()
        made = descend(changed(problem, targets=targets), 2, 0, MultitaskOptions("cross_stitch"), WIDTH, 5, RATE)[0]
        stitch = made.own["stitch"].detach()
        assert (sign * stitch[[0, 1], [1, 0]] > 0.02).all() and stitch.diagonal().min() > 0.9


# absolute sum and length of maps, gates and offsets at the checkpoints, and the last validation loss of all tasks
FROZEN = {
    "hard": (153.8959, 6.6712, 11.5796),
    "soft": (53.5148, 2.6211, 14.1589),
    "offset": (118.3433, 5.1683, 12.1538),
    "cross_stitch": (189.8781, 8.1038, 11.0479),
    "mmoe": (491.9736, 12.4197, 11.3662),
    "ple": (490.7376, 12.3355, 11.267),
    "attention": (444.2746, 12.0539, 11.466),
    "trace_norm": (108.6572, 4.7865, 12.1106),
    "task_relation": (110.3578, 4.8405, 12.0763),
}


@every
def test_frozen_values(problem, name):
    found = fitted(problem, MultitaskOptions(sharing=name))
    everything = torch.cat([found.block.flatten(), found.offsets.flatten()])
    values = (everything.abs().sum(), everything.norm(), found.history[-1, 1].sum())
    assert tuple(v.item() for v in values) == pytest.approx(FROZEN[name], rel=2e-3)
