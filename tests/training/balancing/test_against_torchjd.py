"""The balancers are TorchJD's methods, up to what their docstrings say."""

import math

import pytest
import torch
from least_squares import LeastSquaresProjector
from steps import TASKS, answers, course
from torchjd import aggregation, scalarization

ONE = course(steps=6, replicas=1)


def close(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-9):
    torch.testing.assert_close(found.double(), expected.double(), rtol=0, atol=tolerance)


def slopes(scalarizer, losses: torch.Tensor) -> torch.Tensor:
    """(T,) what the scalarised loss gives each task's loss as a weight."""
    losses = losses.clone().requires_grad_()
    scalarizer(losses).backward()
    return losses.grad


def normalised(weights: torch.Tensor) -> torch.Tensor:
    return weights / weights.sum(-1, keepdim=True) * weights.shape[-1]


@pytest.mark.parametrize("name, upstream", [("uncertainty", scalarization.UW), ("imtl_l", scalarization.IMTLL)])
def test_learned_scales(name, upstream):
    scalarizer = upstream(4).double()
    optimiser = torch.optim.SGD(scalarizer.parameters(), lr=0.3)
    expected = []
    for losses in ONE.losses[:, 0]:
        optimiser.zero_grad()
        expected.append(normalised(slopes(scalarizer, losses)))
        optimiser.step()
    close(answers(name, ONE, learning_rate=0.3)[:, 0], torch.stack(expected))


def test_dwa():
    scalarizer, expected = scalarization.DWA(temperature=0.7), []
    for losses in ONE.losses[:, 0]:
        expected.append(slopes(scalarizer, losses))
        scalarizer.step()
    close(answers("dwa", ONE, temperature=0.7)[:, 0], torch.stack(expected))


def test_rlw_with_its_draws(monkeypatch):
    found = answers("rlw", ONE)[:, 0]
    for step, weights in zip(ONE.steps(), found, strict=True):
        draws = step.draws(TASKS)[0]
        monkeypatch.setattr(torch, "randn", lambda *size, draws=draws, **kinds: draws)
        close(weights, 4 * slopes(scalarization.Random(), step.losses[0]))


def test_gls():
    expected = [4 * slopes(scalarization.GeometricMean(), losses) for losses in ONE.losses[:, 0]]
    close(answers("gls", ONE)[:, 0], torch.stack(expected))


def test_famo():
    scalarizer, expected = scalarization.FAMO(4, lr=0.1, weight_decay=0.01).double(), []
    for losses, later in zip(ONE.losses[:, 0], ONE.later[:, 0], strict=True):
        expected.append(4 * slopes(scalarizer, losses))
        scalarizer.update(later)
    close(answers("famo", ONE, learning_rate=0.1, weight_decay=0.01)[:, 0], torch.stack(expected))


def in_drawn_order(monkeypatch, order: list[int], leave_out_own: bool):
    """TorchJD's permutations, one for each task in turn, all in one order."""
    calls = iter(range(100))

    def permutation(count):
        own = next(calls) % len(order)
        if not leave_out_own:
            return torch.tensor(order)
        return torch.tensor([j - (j > own) for j in order if j != own])

    monkeypatch.setattr(torch, "randperm", permutation)


def test_pcgrad_in_the_drawn_order(monkeypatch):
    found = answers("pcgrad", ONE)[:, 0]
    for step, gramian, weights in zip(ONE.steps(), ONE.gramians[:, 0], found, strict=True):
        in_drawn_order(monkeypatch, step.draws(TASKS)[0].argsort().tolist(), leave_out_own=False)
        close(weights, aggregation.PCGradWeighting()(gramian))


def test_gradvac_in_the_drawn_order(monkeypatch):
    found, weighting = answers("gradvac", ONE, decay=0.4)[:, 0], aggregation.GradVacWeighting(beta=0.4)
    for step, gramian, weights in zip(ONE.steps(), ONE.gramians[:, 0], found, strict=True):
        in_drawn_order(monkeypatch, step.draws(TASKS)[0].argsort().tolist(), leave_out_own=True)
        close(weights, weighting(gramian), 1e-6)


def test_two_tasks_need_no_order():
    pair = ONE.of_tasks([1, 3])
    vaccine = aggregation.GradVacWeighting(beta=0.01)
    close(answers("pcgrad", pair)[:, 0], torch.stack([aggregation.PCGradWeighting()(g) for g in pair.gramians[:, 0]]))
    close(answers("gradvac", pair)[:, 0], torch.stack([vaccine(g) for g in pair.gramians[:, 0]]), 1e-6)


@pytest.mark.parametrize(
    "name, upstream, options, factor, tolerance",
    [
        # Frank and Wolfe come to the minimum slowly, cvxpy stops at its tolerance; exactly: test_against_references
        ("mgda", lambda: aggregation.MGDAWeighting(epsilon=1e-9, max_iters=1000), {}, 1, 0.03),
        ("aligned_mtl", lambda: aggregation.AlignedMTLWeighting(), {}, 1, 1e-9),
        ("aligned_mtl", lambda: aggregation.AlignedMTLWeighting(scale_mode="rmse"), {"scale_mode": "rmse"}, 1, 1e-9),
        ("imtl_g", lambda: aggregation.IMTLGWeighting(), {}, 1, 1e-9),
        ("cagrad", lambda: aggregation.CAGradWeighting(c=0.8), {"c": 0.8}, 1 / 1.8, 1e-3),
        ("upgrad", lambda: aggregation.UPGradWeighting(projector=LeastSquaresProjector()), {}, 1, 1e-9),
    ],
)
def test_gramian_methods_on_the_present_tasks(name, upstream, options, factor, tolerance):
    present = ONE.present.clone()
    present[3:, 0, 1] = False
    found, weighting = answers(name, ONE.with_present(present), **options)[:, 0], upstream()
    for weights, gramian, here in zip(found, ONE.gramians[:, 0], present[:, 0], strict=True):
        expected = torch.zeros(4, dtype=torch.float64)
        expected[here] = weighting(gramian[here][:, here]) * here.sum() * factor
        close(weights, expected, tolerance)
    assert not math.isclose(found[0, 0], 1, abs_tol=1e-3)


def test_projection_is_that_of_quadprog():
    pytest.importorskip("quadprog")
    pytest.importorskip("qpsolvers")
    from torchjd.linalg import QuadprogProjector

    preferences = torch.diag(torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64))
    for gramian in ONE.gramians[:, 0]:
        close(LeastSquaresProjector()(preferences, gramian), QuadprogProjector()(preferences, gramian), 1e-9)
