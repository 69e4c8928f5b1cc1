"""One step of every learner on a batch of tasks: by which gradient its start moves.

MAML (Finn et al. 2017, arXiv 1703.03400), of first and second order; ANIL, whose head alone adapts (Raghu et al. 2020,
arXiv 1909.09157); Reptile (Nichol et al. 2018, arXiv 1803.02999); prototypes (Snell et al. 2017, arXiv 1703.05175), of
the samples above and below the median of a task's labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, vmap

from benchmarks.sharing.meta.network import HEAD, Network, Parameters, adapted


@dataclass(frozen=True)
class Episodes:
    """Tasks of equal size: samples that a task adapts to, x (tasks, k, inputs) and y (tasks, k), and others of it."""

    x: Tensor
    y: Tensor
    x_new: Tensor
    y_new: Tensor


Step = Callable[[Parameters, Episodes], Parameters]


def maml(
    network: Network, rate: float, steps: int, moved: tuple[str, ...] | None = None, first_order: bool = False
) -> Step:
    """Gradient of the mean loss on new samples after a task's own steps."""

    def of_task(start: Parameters, x: Tensor, y: Tensor, x_new: Tensor, y_new: Tensor) -> Tensor:
        return network.loss(adapted(network.loss, start, x, y, rate, steps, moved, first_order), x_new, y_new)

    return _slope_of_mean(of_task)


def _slope_of_mean(of_task: Callable[..., Tensor]) -> Step:
    """The gradient of the mean over tasks of a loss of the start and of one task's samples."""

    def mean(start: Parameters, tasks: Episodes) -> Tensor:
        return vmap(of_task, (None, 0, 0, 0, 0))(start, tasks.x, tasks.y, tasks.x_new, tasks.y_new).mean()

    return grad(mean)


def anil(network: Network, rate: float, steps: int) -> Step:
    """As :func:`maml` of second order, with steps of the head alone."""
    return maml(network, rate, steps, moved=HEAD)


def reptile(network: Network, rate: float, steps: int) -> Step:
    """From the mean of where tasks end, on all of their samples, back to the start."""

    def ends(start: Parameters, x: Tensor, y: Tensor) -> Parameters:
        return adapted(network.loss, start, x, y, rate, steps)

    def back(start: Parameters, tasks: Episodes) -> Parameters:
        x, y = torch.cat([tasks.x, tasks.x_new], 1), torch.cat([tasks.y, tasks.y_new], 1)
        own = vmap(ends, (None, 0, 0))(start, x, y)
        return {name: start[name] - own[name].mean(dim=0) for name in start}

    return back


def prototype_scores(network: Network, parameters: Parameters, x: Tensor, y: Tensor, x_new: Tensor) -> Tensor:
    """(m,) how much nearer new samples (m, inputs) are to the mean of those above the median than of those below."""
    z, z_new = network.encode(parameters, x), network.encode(parameters, x_new)
    above = (y > y.median()).to(z.dtype)
    high = (above @ z) / above.sum().clamp(min=1)
    low = ((1 - above) @ z) / (1 - above).sum().clamp(min=1)
    return (z_new - low).square().sum(dim=1) - (z_new - high).square().sum(dim=1)


def prototypes(network: Network) -> Step:
    """Gradient of the logistic loss of being above the median, among new samples, by the nearer prototype."""

    def of_task(start: Parameters, x: Tensor, y: Tensor, x_new: Tensor, y_new: Tensor) -> Tensor:
        scores = prototype_scores(network, start, x, y, x_new)
        return torch.nn.functional.binary_cross_entropy_with_logits(scores, (y_new > y.median()).to(scores.dtype))

    return _slope_of_mean(of_task)


def trained(step: Step, start: Parameters, draw: Callable[[int], Episodes], steps: int, rate: float) -> Parameters:
    """The start after so many batches of tasks, by Adam on what ``step`` gives."""
    own = {name: value.clone().requires_grad_() for name, value in start.items()}
    optimiser = torch.optim.Adam(own.values(), lr=rate)
    for number in range(steps):
        slopes = step({name: value.detach() for name, value in own.items()}, draw(number))
        for name, value in own.items():
            value.grad = slopes[name]
        optimiser.step()
    return {name: value.detach() for name, value in own.items()}
