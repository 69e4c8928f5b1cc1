"""What TorchJD does not have, or solves with a library that is not ours to require: against slow references."""

import numpy as np
import torch
from scipy.optimize import linprog, lsq_linear, minimize
from steps import answers, course

from mtlbio.training.balancing.dual_cone import LeastSquaresProjector
from mtlbio.training.balancing.nash_mtl import bargain
from mtlbio.training.balancing.registry import make_balancer

COURSE = course(steps=8, replicas=2, seed=4)


def test_gradnorm_is_chen_2018_by_automatic_differentiation():
    alpha, rate = 0.9, 0.1
    found = answers("gradnorm", COURSE, alpha=alpha, learning_rate=rate)
    for r in range(2):
        weight = torch.ones(4, dtype=torch.float64)
        for k in range(8):
            np.testing.assert_allclose(found[k, r], weight, atol=1e-9)
            norms = COURSE.gramians[k, r].diagonal().sqrt()
            norms = norms / norms.mean()
            left = COURSE.losses[k, r] / COURSE.losses[0, r]
            learned = weight.clone().requires_grad_()
            target = ((learned * norms).mean() * (left / left.mean()) ** alpha).detach()
            (learned * norms - target).abs().sum().backward()
            weight = weight - rate * learned.grad
            assert (weight > 0.01).all()  # the bound of the method is never met here
            weight = weight * 4 / weight.sum()
    assert (found[-1] - 1).abs().max() > 0.2


def test_gradnorm_pulls_the_task_that_lags_and_never_goes_below_zero():
    steps = course(steps=400, replicas=1)
    balancer = make_balancer("gradnorm", ("age", "sex"), 1, learning_rate=0.05)
    for step in steps.of_tasks([0, 1]).steps():
        losses = torch.tensor([[0.7, 0.7 * 0.9**step.epoch]], dtype=torch.float64)
        gramian = torch.diag_embed(torch.ones(1, 2, dtype=torch.float64))
        weights = balancer.weights(type(step)(step.epoch, losses, step.present, lambda g=gramian: g, step.seeds))
        assert weights.min() > 0
    assert weights[0, 0] > 1.9


def test_cvar_is_the_linear_programme_of_rockafellar_and_uryasev():
    for quantile in (0.1, 0.5, 0.6, 0.74, 0.9):
        found = answers("cvar", COURSE, quantile=quantile)
        for k in range(8):
            for r in range(2):
                start = COURSE.losses[0, r].numpy()
                left = COURSE.losses[k, r].numpy() / start
                most = 1 / (4 * (1 - quantile))
                tail = linprog(-left, A_eq=np.ones((1, 4)), b_eq=[1], bounds=[(0, most)] * 4)
                # the value: least of a + mean(max(x - a, 0)) / (1 - q), reached at one of the losses
                value = min(a + np.maximum(left - a, 0).mean() / (1 - quantile) for a in left)
                np.testing.assert_allclose(-tail.fun, value, atol=1e-9)
                mass = np.full(4, 0.25) if k == 0 else tail.x
                np.testing.assert_allclose(found[k, r], 4 * mass / start / (mass / start).sum(), atol=1e-5)


def test_cvar_of_a_high_quantile_is_the_worst_task_and_ties_share():
    balancer = make_balancer("cvar", ("age", "sex", "site"), 1, quantile=0.9)
    step = course(steps=3, replicas=1).of_tasks([0, 1, 2]).steps()[0]

    def weights(*losses):
        return balancer.weights(type(step)(0, torch.tensor([losses]), step.present, step.gramian, step.seeds))[
            0
        ].tolist()

    assert weights(1.0, 1.0, 1.0) == [1, 1, 1]
    np.testing.assert_allclose(weights(0.5, 0.9, 0.8), [0, 3, 0], atol=1e-6)
    np.testing.assert_allclose(weights(0.5, 0.9, 0.9), [0, 1.5, 1.5], atol=1e-6)


def test_nash_is_the_bargaining_solution():
    found = answers("nash_mtl", COURSE)
    for weights, gramian in zip(found.flatten(0, 1), COURSE.gramians.flatten(0, 1), strict=True):
        gramian = gramian.numpy() / gramian.diagonal().mean().item()
        np.testing.assert_allclose(gramian @ weights.numpy(), 1 / weights, rtol=1e-6)

        def objective(log, gramian=gramian):
            return np.exp(log) @ gramian @ np.exp(log) / 2 - log.sum()

        slow = minimize(objective, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
        np.testing.assert_allclose(weights, np.exp(slow.x), rtol=1e-4)


def test_nash_holds_where_there_is_no_bargain():
    opposite = torch.tensor([[[1.0, -1.0], [-1.0, 1.0]]])
    weights = bargain(opposite)
    torch.testing.assert_close(weights[:, 0], weights[:, 1])
    assert weights.isfinite().all()
    # eight tasks along three directions, lengths over three orders: 77 % of such sets leave no common direction of
    # descent (Wendel 1962), and there the step vanishes; elsewhere it is as long as eight orthogonal gradients' sum
    draw = torch.Generator().manual_seed(0)
    gradients = torch.randn(400, 8, 3, generator=draw) * torch.logspace(-3, 0, 8)[:, None]
    for precision, rounding in ((torch.float64, 1e-6), (torch.float32, 0.2)):
        gramians = gradients.to(precision) @ gradients.to(precision).mT
        gramians = gramians / gramians.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
        weights = bargain(gramians)
        assert (weights > 0).all() and weights.isfinite().all()
        length = (weights[:, None] @ gramians.double() @ weights[:, :, None]).flatten()
        assert (length < 8 + rounding).all() and (length > -rounding).all()
        assert abs((length < 4).double().mean() - (1 - 29 / 128)) < 0.06


def test_upgrad_projection_is_the_bounded_least_squares_solution():
    preferences = torch.diag(torch.full((4,), 0.25, dtype=torch.float64))
    conflicts = 0
    for gramian in COURSE.gramians.flatten(0, 1):
        ridged = (gramian / gramian.trace()).numpy() + 1e-4 * np.eye(4)
        root = np.linalg.cholesky(ridged).T
        slow = [lsq_linear(root, np.zeros(4), (u - 1e-15, np.inf), tol=1e-14).x for u in preferences.numpy()]
        found = LeastSquaresProjector()(preferences, gramian)
        np.testing.assert_allclose(found, slow, atol=1e-6)
        conflicts += bool((found > preferences + 1e-6).any())
        # no task is harmed, up to the ridge
        assert (gramian @ found.sum(0)).min() > -1e-3 * gramian.trace()
    assert conflicts > 8
