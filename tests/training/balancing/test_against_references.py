"""What TorchJD does not have, or solves with a library that is not ours to require: against slow references."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog, minimize, nnls
from steps import answers, course

from mtlbio.training.balancing.dual_cone import shortest_above
from mtlbio.training.balancing.nash_mtl import bargain
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step

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


def test_the_shortest_steps_that_harm_no_task_are_the_bounded_least_squares_solutions():
    """Against a slow solver; conflicts of up to eight tasks, gradients that depend on each other."""
    above = 0
    for tasks, parameters in ((2, 5), (4, 3), (8, 40), (8, 5)):
        gradients = dependent(tasks + parameters, 12, tasks, parameters).double()
        gramians = (gradients @ gradients.mT).numpy()
        gramians = gramians / np.trace(gramians, axis1=1, axis2=2)[:, None, None] + 1e-4 * np.eye(tasks)
        least = np.eye(tasks)[np.arange(12) % tasks]
        for gramian, bound, found in zip(gramians, least, shortest_above(gramians, least), strict=True):
            slow = bound + nnls(np.linalg.cholesky(gramian).T, -np.linalg.cholesky(gramian).T @ bound)[0]
            np.testing.assert_allclose(found, slow, atol=1e-9)
            above += int((found > bound + 1e-6).sum())
            # no task is harmed, up to the ridge
            assert (gramian @ found).min() > -1e-10
    assert above > 20


def dependent(seed: int, replicas: int, tasks: int, parameters: int) -> torch.Tensor:
    """(R, T, parameters) gradients of lengths over an order and a half; dependent where there are few parameters."""
    draw = torch.Generator().manual_seed(seed)
    gradients = torch.randn(replicas, tasks, parameters, generator=draw, dtype=torch.float64)
    gradients *= torch.logspace(-1.5, 0, tasks)[:, None]
    return gradients / gradients.square().sum((1, 2), keepdim=True).sqrt()


def weights_of(name: str, gradients: torch.Tensor, **options) -> torch.Tensor:
    """(R, T) answers to gradients (R, T, parameters)."""
    r, t = gradients.shape[:2]
    present = torch.ones(r, t, dtype=torch.bool)
    step = Step(0, present.double(), present, lambda: gradients @ gradients.mT, torch.arange(r))
    return make_balancer(name, tuple(f"task_{k}" for k in range(t)), r, **options).weights(step)


SHAPES = [(2, 2), (3, 3), (3, 6), (8, 3), (8, 20), (10, 4)]


@pytest.mark.parametrize("tasks, parameters", SHAPES)
def test_mgda_is_the_shortest_combination(tasks, parameters):
    gradients = dependent(5, 60, tasks, parameters)
    found = weights_of("mgda", gradients) / tasks
    torch.testing.assert_close(found.sum(1), torch.ones(60, dtype=torch.float64))
    assert (found > -1e-12).all()
    for own, weights in zip(gradients.numpy(), found.numpy(), strict=True):
        # Lawson & Hanson 1974, chapter 23: the point of a hull nearest to the origin as nonnegative least squares
        exact = nnls(np.vstack([own.T, np.ones(tasks)]), np.append(np.zeros(parameters), 1))[0]
        np.testing.assert_allclose(own.T @ weights, own.T @ (exact / exact.sum()), atol=1e-5)


@pytest.mark.parametrize("c", [0.1, 0.5, 0.9, 2.0])
@pytest.mark.parametrize("tasks, parameters", SHAPES)
def test_cagrad_meets_the_bound_that_no_step_in_the_ball_can_pass(tasks, parameters, c):
    gradients = dependent(6, 60, tasks, parameters)
    weights = weights_of("cagrad", gradients, c=c).numpy() * (1 + c) / tasks
    moved = 0
    for own, weight in zip(gradients.numpy(), weights, strict=True):
        mean, step = own.mean(0), weight @ own
        if not weight.any():
            # no direction: a combination as short as the method calls nothing, so nothing is gained for the worst task
            exact = nnls(np.vstack([own.T, np.ones(tasks)]), np.append(np.zeros(parameters), 1))[0]
            assert np.linalg.norm(own.T @ (exact / exact.sum())) < 1e-4
            continue
        moved += 1
        radius, added = c * np.linalg.norm(mean), weight - 1 / tasks
        assert (added > -1e-9).all()
        np.testing.assert_allclose(np.linalg.norm(step - mean), radius, rtol=1e-6)
        # any convex combination bounds the worst task's descent within the ball from above; here both are the same
        added /= added.sum()
        bound = added @ own @ mean + radius * np.linalg.norm(added @ own)
        np.testing.assert_allclose((own @ step).min(), bound, atol=1e-5 * np.linalg.norm(mean))
    assert moved >= 10
