"""The gradient of one mini-batch, tasks weighted by the run's balancer.

The balancers are those of the linear blocks. They look at the losses, and at the Gramian of the tasks' gradients on the
shared parameters (the layers and what the sharing scheme shares), of one batch in place of all samples.
"""

from collections.abc import Callable

import torch

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.training.balancing.base import Balancer
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step


class Steps:
    """Gradients of one network's batches.

    ``tasks`` are the names of all, ``several`` whether the network trains more than one: alone there is nothing to
    balance.
    """

    def __init__(self, multitask: MultitaskOptions, tasks: tuple[str, ...], several: bool, seed: int, device):
        self.multitask, self.seed, self.taken = multitask, torch.tensor([seed], device=device), 0
        self.balancer: Balancer | None = None
        if several and multitask.balancing != "equal":
            of_method = multitask.balancing_options
            self.balancer = make_balancer(multitask.balancing, tasks, 1, device, **of_method)

    @property
    def reads_after(self) -> bool:
        """Whether the losses of the same batch after the step are wanted (:meth:`after`)."""
        return self.balancer is not None and self.balancer.reads_after

    def gradients(
        self,
        losses: torch.Tensor,
        present: torch.Tensor,
        shared: list[torch.Tensor],
        own: list[torch.Tensor],
        last: torch.Tensor,
    ) -> list[torch.Tensor]:
        """Gradients of ``shared`` and ``own`` parameters, in this order, for losses (t,) of the batch.

        ``present`` (t,): tasks that are trained and have labels in the batch; ``last`` (n, h): the last layer.
        """
        masked = torch.where(present, losses, 0.0)
        if self.balancer is None:
            return _slopes(masked.sum(), [*shared, *own])
        apart: list[list[torch.Tensor]] = []

        def by_task(values: list[torch.Tensor]) -> list[list[torch.Tensor]]:
            with torch.enable_grad():  # balancers ask for them where nothing is recorded
                return [_slopes(loss, values) for loss in masked]

        def gramian() -> torch.Tensor:
            if self.multitask.gradient == "representation":
                rows = by_task([last])
            else:
                apart[:] = rows = apart or by_task(shared)
            flat = torch.stack([torch.cat([slope.flatten() for slope in row]) for row in rows]).float()
            return (flat @ flat.T)[None]

        weights = self._weights(losses, present, gramian)
        self.taken += 1
        if self.balancer.scope == "loss":
            return _slopes((masked * weights).sum(), [*shared, *own])
        rows = apart or by_task(shared)
        on_shared = [sum(w * row[k] for w, row in zip(weights, rows, strict=True)) for k in range(len(shared))]
        return [*on_shared, *_slopes(masked.sum(), own)]

    def _weights(self, losses: torch.Tensor, present: torch.Tensor, gramian: Callable) -> torch.Tensor:
        assert self.balancer is not None
        return self.balancer.weights(Step(self.taken, losses.detach()[None], present[None], gramian, self.seed))[0]

    def after(self, losses: torch.Tensor) -> None:
        """Losses (t,) of the same batch after the step."""
        assert self.balancer is not None
        self.balancer.after(losses.detach()[None])


def _slopes(loss: torch.Tensor, values: list[torch.Tensor]) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, values, retain_graph=True, materialize_grads=True))
