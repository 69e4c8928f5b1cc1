"""Preferences in the stack: the plain sum where they are equal, the gradients they ask for, and the worst of units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_training import OPTIONS, folds_of, problem_of, small_cohort

from mtlbio.training.balancing.step import Step
from mtlbio.training.networks import BlockOptions, Networks
from mtlbio.training.preferences import Preferences, in_tail
from mtlbio.training.replicas import fit

BLOCK = BlockOptions(OPTIONS.block, 25, 10_000, 0.3)
WEIGHTS = np.array([[1.0, 1.0, 1.0, 1.0], [4.0, 0.0, 0.0, 0.0], [0.5, 1.5, 0.3, 1.7]])


@pytest.fixture(scope="module")
def cohort():
    return small_cohort()


@pytest.fixture(scope="module")
def problem(cohort):
    return problem_of(cohort, folds_of(cohort), [np.ones(4)] * len(WEIGHTS))[0]


def preferred(problem, weights=WEIGHTS, tails=None, **more):
    arms = problem.active[:1].repeat(len(weights), 1)
    preferences = Preferences(weights, tails or ("",) * len(weights), **more)
    return replace(problem, active=arms, preferences=preferences)


def test_equal_weights_are_the_plain_sum_and_arms_do_not_touch(problem):
    plain = fit(replace(problem, active=problem.active[:1]), problem.dense, [0, 1], BLOCK)
    many = fit(preferred(problem), problem.dense, [0, 1], BLOCK)
    assert torch.allclose(many.outputs[:, :1], plain.outputs, atol=2e-5)
    alone = fit(preferred(problem, WEIGHTS[2:]), problem.dense, [0, 1], BLOCK)
    assert torch.allclose(many.outputs[:, 2:], alone.outputs, atol=2e-5)
    assert (many.outputs[:, 1] - many.outputs[:, 0]).abs().max() > 0.05


def test_a_step_is_the_weighted_sum_of_the_tasks_gradients_in_the_trunk_only(problem):
    def moved(weights):
        networks = Networks(preferred(problem, weights), problem.dense, [0, 1], BLOCK)
        # a start with heads and a trunk that have gradients both
        start = {name: value + 0.01 for name, value in networks.stack.parameters.items()}
        networks.stack.parameters = dict(start)
        loss = networks.losses()
        networks.step(0, loss, loss.sum(3).detach(), torch.ones(3, len(weights), 4, dtype=torch.bool))
        return {
            name: (start[name] - value).unflatten(0, (3, -1, 2)) for name, value in networks.stack.parameters.items()
        }

    corners, mixed = moved(4 * np.eye(4)), moved(WEIGHTS[2:])
    share = torch.as_tensor(WEIGHTS[2] / 4, dtype=torch.float32)
    expected = torch.einsum("t,ft...->f...", share, corners["trunk"])
    assert torch.allclose(mixed["trunk"][:, 0], expected, atol=1e-6) and expected.abs().max() > 1e-3
    assert torch.allclose(mixed["heads"][:, 0], corners["heads"][:, 0], atol=1e-7)


def test_the_worst_units_are_filled_from_the_worst_on():
    losses = torch.tensor([[1.0], [3.0], [2.0], [9.0], [7.0]])
    train = torch.tensor([[0.25], [0.25], [0.25], [0.25], [0.0]])  # the last sample does not train
    alone = in_tail(losses, train, torch.arange(5), 0.5).ravel()
    assert alone.tolist() == [0.0, 2.0, 0.0, 2.0, 0.0]
    partly = in_tail(losses, train, torch.arange(5), 0.4).ravel()
    assert partly.tolist() == pytest.approx([0, 1 / 0.6, 0.4 / 0.6, 1 / 0.6, 0], abs=1e-6)
    # as units of two samples, the pair with the worse mean
    assert in_tail(losses, train, torch.tensor([0, 1, 1, 0, 2]), 0.5).ravel()[:4].tolist() == [2.0, 0.0, 0.0, 2.0]
    spread = in_tail(torch.rand(7, 30, 2), torch.full((30, 2), 1 / 30), torch.arange(30) // 3, 0.8)
    assert torch.allclose(spread.mean(1), torch.ones(7, 2), atol=1e-5)


def test_serving_the_worst_donors_lowers_the_tail_of_the_training_losses(cohort, problem):
    donors = np.unique(cohort.donors, return_inverse=True)[1]
    both = preferred(problem, np.ones((2, 4)), ("", "donors"), level=0.7, units={"donors": donors})
    networks = Networks(both, problem.dense, [0, 1], replace(BLOCK, width=10))
    going = torch.ones(3, 2, 4, dtype=torch.bool)
    for epoch in range(150):
        loss = networks.losses()
        networks.step(epoch, loss, loss.detach().sum(3), going)
    loss, train = networks.losses().detach(), problem.train[:, None]
    share = in_tail(loss, train.expand_as(loss), torch.as_tensor(donors), 0.7)
    tail, mean = ((share * loss * train).sum(3).mean((0, 2)), (loss * train).sum(3).mean((0, 2)))
    assert (tail[1] < tail[0]).all() and (mean[1] > mean[0]).all()


def test_the_tail_over_tasks_steps_down_the_worst_task_alone(problem):
    preferences = Preferences(np.ones((2, 4)), ("", "tasks"), 0.9)
    balancer = preferences.balancer(np.arange(2), 1, 1, tuple("abcd"), torch.device("cpu"))
    everything = torch.ones(2, 4, dtype=torch.bool)
    losses = torch.tensor([[1.0, 1.0, 2.0, 1.0]]).repeat(2, 1)
    for left in (torch.tensor([1.0, 1.0, 1.0, 1.0]), torch.tensor([0.5, 0.9, 0.6, 0.7])):
        step = Step(0, losses * left, everything, lambda: torch.zeros(2, 4, 4), torch.zeros(2))
        weights = balancer.weights(step)
    assert weights.tolist() == [[1.0, 1.0, 1.0, 1.0], [0.0, 4.0, 0.0, 0.0]]
