"""One network by itself, any sharing scheme and balancer, one backward pass per task: slow, and easy to read."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch

from benchmarks.speed.shared_encoder import SharedEncoder
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.model.sharing.make import make_sharing
from mtlbio.model.sharing.scheme import Sharing, combine
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.problem import Problem


def network_of(problem: Problem, multitask: MultitaskOptions, width: int, seed: int = 0) -> SharedEncoder:
    """The network that stands at a seed's place of the stack."""
    sharing = make_sharing(multitask.sharing, problem.packing, width, multitask.sharing_strength)
    return SharedEncoder(problem.dense.shape[2], width, problem.packing, seed, sharing)


def descend(
    problem: Problem, f: int, s: int, multitask: MultitaskOptions, width: int, epochs: int, rate: float
) -> tuple[SharedEncoder, torch.Tensor]:
    """The network of fold f and seed s after so many steps, and its (epochs + 1, 2, t) losses."""
    packing, inputs = problem.packing, problem.dense[f]
    network = network_of(problem, multitask, width, s)
    sharing, tasks = network.sharing, tuple(task.name for task in packing.tasks)
    shortened = pace(problem.dense, problem.train)[f, s]
    balancer = make_balancer(multitask.balancing, tasks, 1, **multitask.balancing_options)
    present, history = problem.train[f, s].sum(0) > 0, []
    for epoch in range(epochs + 1):
        own = dict(network.own)
        scores = {n: torch.einsum("nr,r...->n...", inputs, own[n]) for n in (*sharing.shared, *sharing.along_inputs)}
        outputs = combine(*sharing.maps(own | scores), sharing.squash) @ network.expand + network.bias
        torch.testing.assert_close(outputs, network(inputs), atol=1e-5, rtol=1e-4)
        loss = task_losses(outputs, problem.targets[f], problem.train[f, s], packing)
        trained = (loss * problem.train[f, s]).sum(0)
        history.append(torch.stack([trained, (loss * problem.validation[f, s]).sum(0)]).detach())
        paced, weights = trained * shortened, torch.ones(len(tasks))
        looked_at = own if multitask.gradient == "trunk" else scores
        if multitask.balancing != "equal":
            values = [looked_at[n] for n in sharing.shared] if balancer.reads_gramian else []
            gramian = sum(g.flatten(1) @ g.flatten(1).T for g in _apart(paced, values))
            if epoch:
                balancer.after(trained.detach()[None])
            step = Step(epoch, trained.detach()[None], present[None], lambda g=gramian: g[None], torch.tensor([s]))
            weights = balancer.weights(step)[0]
        whole = weights if balancer.scope == "loss" else torch.ones(len(tasks))
        slopes = torch.autograd.grad((paced * whole).sum(), list(network.parameters()), retain_graph=True)
        slopes = dict(zip(dict(network.named_parameters()), slopes, strict=True))
        if balancer.scope == "gradient":
            for name, by_task in zip(sharing.shared, _apart(paced, [own[n] for n in sharing.shared]), strict=True):
                slopes[f"own.{name}"] = torch.einsum("t,t...->...", weights, by_task)
        if epoch < epochs:
            with torch.no_grad():
                for name, value in network.named_parameters():
                    value -= rate * slopes[name]
                if sharing.strength:
                    values = {name: value.detach() for name, value in network.own.items()}
                    for name, value in sharing.shrink(values, rate * sharing.strength, present).items():
                        network.own[name].copy_(value)
    return network, torch.stack(history)


def _apart(losses: torch.Tensor, values: list[torch.Tensor]) -> list[torch.Tensor]:
    """(t, ...) gradient of every task's loss by itself on each of the values."""
    if not values:
        return []
    found = [torch.autograd.grad(own, values, retain_graph=True, materialize_grads=True) for own in losses]
    return [torch.stack(of_value) for of_value in zip(*found, strict=True)]


@contextmanager
def starts_by_name():
    """What is random about a start comes from the column's task and its place in it, not from its place in the packing;
    heads start without their random part, which also belongs to the dimensions of the trunk."""

    def draws(self: Sharing, rows: int, generator: torch.Generator) -> torch.Tensor:
        seeds = [sum(map(ord, self.outputs.tasks[t].name)) for t in self.outputs.task_of_column]
        drawn = [torch.randn(rows, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return torch.stack(drawn, dim=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sharing, "draws", draws)
        patch.setattr(Sharing, "jitter", 0.0)
        yield
