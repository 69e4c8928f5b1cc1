"""Balancers in the stack: the same as gradients of every task taken one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from small_training import OPTIONS, changed, folds_of, problem_of, small_cohort

from benchmarks.speed.shared_encoder import SharedEncoder
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.config import Training
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.networks import BlockOptions
from mtlbio.training.replicas import fit

EPOCHS, RATE = 12, 0.3


@pytest.fixture(scope="module")
def problem():
    cohort = small_cohort()
    return problem_of(cohort, folds_of(cohort), [np.ones(4), *np.eye(4)])[0]


def fitted(problem, multitask: MultitaskOptions, epochs: int = EPOCHS, seeds=(0, 1)):
    return fit(problem, problem.dense, list(seeds), BlockOptions(OPTIONS.block, epochs, 10_000, RATE, multitask))


def slow(problem, f: int, s: int, multitask: MultitaskOptions, epochs: int = EPOCHS):
    """Maps (r, columns) and Gramians of the multi-task network of one fold and seed: a backward pass per task."""
    packing = problem.packing
    network = SharedEncoder(problem.dense.shape[2], OPTIONS.block, packing, seed=s)
    names = tuple(task.name for task in packing.tasks)
    balancer = make_balancer(multitask.balancing, names, 1, **multitask.balancing_options)
    shortened, weight, gramians = pace(problem.dense, problem.train)[f, s], problem.train[f, s], []
    for epoch in range(epochs):
        trunk, heads = network.own["trunk"], network.own["heads"]
        scores = problem.dense[f] @ trunk
        outputs = scores @ (heads @ network.expand) + network.bias
        loss = (task_losses(outputs, problem.targets[f], weight, packing) * weight).sum(0)
        paced = loss * shortened
        parts = [torch.autograd.grad(own, [trunk, scores], retain_graph=True) for own in paced]
        flat = torch.stack([g[0 if multitask.gradient == "trunk" else 1].flatten() for g in parts])
        gramian = (flat @ flat.T)[None]
        gramians.append(torch.stack([g[0].flatten() for g in parts]))
        losses = loss.detach()[None]
        if epoch:
            balancer.after(losses)
        present = torch.ones(1, len(names), dtype=bool)
        step = Step(epoch, losses, present, lambda gramian=gramian: gramian, torch.tensor([s]))
        w = balancer.weights(step)[0]
        whole = w if balancer.scope == "loss" else torch.ones_like(w)
        slopes = torch.autograd.grad((paced * whole).sum(), list(network.parameters()))
        slopes = dict(zip(dict(network.named_parameters()), slopes, strict=True))
        if balancer.scope == "gradient":
            slopes["own.trunk"] = sum(w[t] * parts[t][0] for t in range(len(w)))
        with torch.no_grad():
            for name, value in network.named_parameters():
                value -= RATE * slopes[name]
    return (network.own["trunk"] @ network.own["heads"]).detach(), torch.stack([g @ g.T for g in gramians])


@pytest.mark.parametrize(
    "name, gradient",
    [(name, "trunk") for name in ("pcgrad", "imtl_g", "nash_mtl", "gradnorm", "famo", "uncertainty", "cvar")]
    + [(name, "representation") for name in ("pcgrad", "imtl_g", "nash_mtl", "gradnorm")],
)
def test_the_stack_takes_the_steps_that_a_backward_pass_per_task_would_take(problem, name, gradient):
    multitask = MultitaskOptions(balancing=name, gradient=gradient)
    found = fitted(problem, multitask)
    for f, s in ((0, 1), (2, 0)):
        maps, gramians = slow(problem, f, s, multitask)
        assert len(found.history) == EPOCHS + 1
        torch.testing.assert_close(found.gradients.shared[:, f, 0, s], gramians, atol=1e-5, rtol=2e-3)
        kept = found.best_epoch[f, 0]
        for t, place in enumerate(problem.packing.columns):
            if kept[t] == EPOCHS:
                torch.testing.assert_close(found.block[f, 0, s][:, place], maps[:, place], atol=2e-5, rtol=2e-3)


def test_networks_of_one_task_are_left_alone(problem):
    plain, balanced = fitted(problem, MultitaskOptions()), fitted(problem, MultitaskOptions(balancing="pcgrad"))
    torch.testing.assert_close(balanced.block[:, 1:], plain.block[:, 1:])
    assert (balanced.block[:, 0] - plain.block[:, 0]).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["pcgrad", "mgda", "uncertainty", "gls"])
def test_a_task_without_labels_does_not_move_the_others(problem, name):
    """In every library an all-absent task makes some method stop, explode or shrink its steps."""
    train, validation = problem.train.clone(), problem.validation.clone()
    train[..., 1], validation[..., 1] = 0, 0
    unlabelled = fitted(changed(problem, train=train, validation=validation), MultitaskOptions(balancing=name))
    without = problem.active.clone()
    without[0, 1] = 0
    not_asked = fitted(changed(problem, active=without), MultitaskOptions(balancing=name))
    others = [c for t, place in enumerate(problem.packing.columns) if t != 1 for c in range(place.start, place.stop)]
    found, wanted = unlabelled.block[:, 0][..., others], not_asked.block[:, 0][..., others]
    assert torch.isfinite(found).all() and found.abs().max() > 1e-3
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"balancing": "pcgradd"}, "'pcgrad'"),
        ({"balancing": "dwa", "gradient": "representation"}, "dwa compares no gradients"),
        ({"balancing": "dwa", "balancing_options": {"temp": 1}}, "no option 'temp'; valid: temperature"),
        ({"sharing_strength": 1.0}, "hard sharing has no penalty"),
        ({"balancing": "cvar", "balancing_options": {"quantile": 3.0}}, "valid: a number above 0 and below 1"),
        ({"balancing_options": {"x": 3.0}}, "no option 'x'"),
    ],
)
def test_options_that_are_wrong_or_would_do_nothing_are_errors(options, words):
    with pytest.raises(ValidationError, match=words.replace("(", r"\(")):
        Training(**options)
