"""Maps that only a penalty ties: where training takes them, and what is read from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plain_descent import descend
from scipy.optimize import minimize
from small_training import changed, folds_of, problem_of, small_cohort

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.model.sharing.task_relation import relation
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.networks import BlockOptions
from mtlbio.training.replicas import fit

WIDTH = 6


@pytest.fixture(scope="module")
def problem():
    cohort = small_cohort()
    return problem_of(cohort, folds_of(cohort))[0]


@pytest.mark.parametrize("name, power, strength", [("trace_norm", 1, 0.05), ("task_relation", 2, 0.03)])
def test_free_maps_come_to_the_minimum_that_another_method_finds(problem, name, power, strength):
    """The trace norm as the least (|A|^2 + |B|^2) / 2 with A B' = W (Srebro, Rennie & Jaakkola 2005), by L-BFGS."""
    f, s, packing, x = 0, 0, problem.packing, problem.dense[0].double()
    weight = (problem.train[f, s] * pace(problem.dense, problem.train)[f, s]).double()
    r, c, expand = x.shape[1], packing.n_columns, torch.as_tensor(packing.expand, dtype=torch.float64)

    def fit_of(maps, bias):
        loss = task_losses(x @ maps @ expand + bias, problem.targets[f].double(), weight, packing)
        return (loss * weight).sum()

    def slow(values):
        point = torch.tensor(values, requires_grad=True)
        left, right, bias = point.split([r * c, c * c, packing.n_outputs])
        size = (left.square().sum() + right.square().sum()) / 2
        value = fit_of(left.view(r, c) @ right.view(c, c), bias) + strength * size**power
        return value.item(), torch.autograd.grad(value, point)[0].numpy()

    start = 0.1 * np.random.default_rng(0).standard_normal(r * c + c * c + packing.n_outputs)
    reference = minimize(
        slow, start, jac=True, method="L-BFGS-B", options={"maxiter": 3000, "ftol": 1e-13, "gtol": 1e-8}
    )
    network, _ = descend(problem, f, s, MultitaskOptions(name, strength), WIDTH, 800, 1.0)
    maps, bias = network.own["maps"].detach().double(), network.bias.detach().double()
    values = torch.linalg.svdvals(maps)
    assert fit_of(maps, bias).item() + strength * values.sum().item() ** power == pytest.approx(reference.fun, rel=2e-4)
    assert 0 < (values > 1e-5).sum() < c


def test_relations_are_read_from_the_trained_maps(problem):
    """Disease is made what a high age is: the two are related, the others are not."""
    targets = problem.targets.clone()
    targets[..., 0] = (targets[..., 1] > 0).float()
    multitask = MultitaskOptions("task_relation")
    found = fit(changed(problem, targets=targets), problem.dense, [0, 1], BlockOptions(WIDTH, 60, 30, 0.3, multitask))
    omega = relation(found.block)
    assert omega.shape == (3, 1, 2, 6, 6)
    torch.testing.assert_close(omega.diagonal(dim1=-2, dim2=-1).sum(-1), torch.ones(3, 1, 2))
    size = omega.diagonal(dim1=-2, dim2=-1).sqrt()
    correlation = omega / size[..., None] / size[..., None, :]
    assert correlation[..., 0, 1].min() > 0.25 > 0.2 > correlation[..., 1, 2].abs().max()
