"""Meta-learners give the gradients of slow references, on sines and on linear tasks."""

import math

import numpy as np
import pytest
import torch

from benchmarks.sharing.meta.learners import Episodes, anil, maml, prototype_scores, prototypes, reptile, trained
from benchmarks.sharing.meta.network import HEAD, Network, adapted

RATE = 0.05


def sines(tasks: int, k: int, seed: int) -> Episodes:
    """Amplitude and phase of every task drawn as in the MAML paper."""
    draws = torch.Generator().manual_seed(seed)
    amplitude = torch.rand(tasks, 1, generator=draws, dtype=torch.float64) * 4.9 + 0.1
    phase = torch.rand(tasks, 1, generator=draws, dtype=torch.float64) * math.pi
    x = torch.rand(tasks, 2 * k, generator=draws, dtype=torch.float64) * 10 - 5
    y = amplitude * torch.sin(x - phase)
    return Episodes(x[:, :k, None], y[:, :k], x[:, k:, None], y[:, k:])


def lines(tasks: int, k: int, seed: int) -> Episodes:
    """Slopes of every task around a common one, of five inputs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(tasks, 2 * k, 5))
    y = np.einsum("tki,ti->tk", x, 1 + 0.3 * rng.normal(size=(tasks, 5)))
    x, y = torch.tensor(x), torch.tensor(y)
    return Episodes(x[:, :k], y[:, :k], x[:, k:], y[:, k:])


def slow(network, start, tasks, steps, moved, first_order):
    """The gradient task by task through autograd's own graph."""
    leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
    total = 0.0
    for x, y, x_new, y_new in zip(tasks.x, tasks.y, tasks.x_new, tasks.y_new, strict=True):
        own = dict(leaves)
        for _ in range(steps):
            loss = ((torch.tanh(x @ own["w"] + own["b"]) @ own["v"] + own["c"] - y) ** 2).mean()
            slopes = torch.autograd.grad(loss, [own[name] for name in moved], create_graph=not first_order)
            own |= {name: own[name] - RATE * slope for name, slope in zip(moved, slopes, strict=True)}
        total = total + ((torch.tanh(x_new @ own["w"] + own["b"]) @ own["v"] + own["c"] - y_new) ** 2).mean()
    slopes = torch.autograd.grad(total / len(tasks.x), list(leaves.values()))
    return dict(zip(leaves, slopes, strict=True))


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("arm", ["maml", "first order", "anil"])
def test_gradients_are_those_of_a_slow_reference_on_sines(arm, steps):
    network, tasks = Network(1, 8), sines(4, 6, 0)
    start = network.start(1, torch.float64)
    moved = HEAD if arm == "anil" else tuple(start)
    step = {
        "maml": maml(network, RATE, steps),
        "first order": maml(network, RATE, steps, first_order=True),
        "anil": anil(network, RATE, steps),
    }[arm]
    got, expected = step(start, tasks), slow(network, start, tasks, steps, moved, arm == "first order")
    for name in start:
        torch.testing.assert_close(got[name], expected[name], rtol=1e-9, atol=1e-12)


def test_the_gradient_of_linear_heads_is_the_closed_form():
    """One step of a linear head w on X, y: w' = w - rate * g(w); the gradient is (1 - rate * H) g_new(w')."""
    network, tasks = Network(5, 5, tanh=False), lines(3, 7, 1)
    start = network.start(0, torch.float64) | {"w": torch.eye(5, dtype=torch.float64)}
    got = anil(network, RATE, 1)(start, tasks)
    head, by_hand = torch.cat([start["v"], start["c"][None]]), torch.zeros(6, dtype=torch.float64)
    for x, y, x_new, y_new in zip(tasks.x, tasks.y, tasks.x_new, tasks.y_new, strict=True):
        x, x_new = (torch.cat([some, torch.ones(len(some), 1)], 1) for some in (x, x_new))
        hessian = 2 * x.T @ x / len(x)
        own = head - RATE * (hessian @ head - 2 * x.T @ y / len(x))
        of_new = 2 * x_new.T @ (x_new @ own - y_new) / len(x_new)
        by_hand += (of_new - RATE * hessian @ of_new) / len(tasks.x)
    torch.testing.assert_close(torch.cat([got["v"], got["c"][None]]), by_hand, rtol=1e-10, atol=1e-12)


def test_reptile_goes_to_where_tasks_end():
    network, tasks = Network(5, 3, tanh=False), lines(4, 6, 2)
    start = network.start(0, torch.float64)
    ends = []
    for x, y, x_new, y_new in zip(tasks.x, tasks.y, tasks.x_new, tasks.y_new, strict=True):
        x, y = torch.cat([x, x_new]), torch.cat([y, y_new])
        own = {name: value.clone().requires_grad_() for name, value in start.items()}
        optimiser = torch.optim.SGD(own.values(), lr=RATE)
        for _ in range(4):
            optimiser.zero_grad()
            ((x @ own["w"] + own["b"]) @ own["v"] + own["c"] - y).square().mean().backward()
            optimiser.step()
        ends.append(own)
    got = reptile(network, RATE, 4)(start, tasks)
    for name in start:
        expected = start[name] - torch.stack([own[name].detach() for own in ends]).mean(dim=0)
        torch.testing.assert_close(got[name], expected, rtol=1e-9, atol=1e-12)


def test_a_sample_is_scored_by_its_nearer_prototype():
    network = Network(2, 2, tanh=False)
    plain = network.start(0) | {"w": torch.eye(2), "b": torch.zeros(2)}
    x, y = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]), torch.tensor([1.0, 5.0, 2.0, 6.0])
    scores = prototype_scores(network, plain, x, y, torch.tensor([[2.0, 1.0], [0.0, 1.0], [1.0, 7.0]]))
    torch.testing.assert_close(scores, torch.tensor([4.0, -4.0, 0.0]))  # means (0, 1) and (2, 1)


def test_training_lowers_the_loss_after_adaptation_and_repeats_itself():
    network, rate = Network(5, 8), 0.1

    def loss(parameters):
        tasks, total = lines(50, 5, 99), 0.0
        for x, y, x_new, y_new in zip(tasks.x, tasks.y, tasks.x_new, tasks.y_new, strict=True):
            total += float(network.loss(adapted(network.loss, parameters, x, y, rate, 1), x_new, y_new))
        return total / 50

    start = network.start(0, torch.float64)
    found = [trained(maml(network, rate, 1), start, lambda number: lines(4, 5, number), 150, 0.02) for _ in range(2)]
    assert loss(found[0]) < 0.5 * loss(start)
    assert all(torch.equal(found[0][name], found[1][name]) for name in start)
    encoder = prototypes(network)(start, lines(4, 5, 0))
    assert float(encoder["w"].abs().max()) > 0 and float(encoder["v"].abs().max()) == 0
