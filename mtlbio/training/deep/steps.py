"""The gradient of one mini-batch, tasks weighted by the run's balancer.

The balancers are those of the linear blocks. They look at the losses, and at the Gramian of the tasks' gradients on the
shared parameters (the layers and what the sharing scheme shares), of one batch in place of all samples. Where several
processes share the batch, they see the gradients of all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.training.balancing.base import Balancer
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step
from mtlbio.training.deep.group import ALONE, Group


@dataclass(frozen=True)
class Batch:
    """A batch on its way through the network; n samples, of which this process has m.

    Attributes
    ----------
    last : (m, h) last layer of its samples
    outputs : (m, o) of its samples
    whole : (n, o) outputs of all samples, from which the losses are taken; where nobody asks for the losses, and those
        of a sample depend on no other, those of other processes' samples may be anything
    losses : (t,)
    present : (t,) tasks that are trained and have labels in the batch
    """

    last: torch.Tensor
    outputs: torch.Tensor
    whole: torch.Tensor
    losses: torch.Tensor
    present: torch.Tensor


class Steps:
    """Gradients of one network's batches.

    ``tasks`` are the names of all, ``several`` whether the network trains more than one: alone there is nothing to
    balance; ``group`` are the processes that share each batch.
    """

    def __init__(
        self,
        multitask: MultitaskOptions,
        tasks: tuple[str, ...],
        several: bool,
        seed: int,
        device,
        group: Group = ALONE,
    ):
        self.group = group
        self.multitask, self.seed, self.taken = multitask, torch.tensor([seed], device=device), 0
        self.balancer: Balancer | None = None
        if several and multitask.balancing != "equal":
            of_method = multitask.balancing_options
            self.balancer = make_balancer(multitask.balancing, tasks, 1, device, **of_method)

    @property
    def reads_after(self) -> bool:
        """Whether the losses of the same batch after the step are wanted (:meth:`after`)."""
        return self.balancer is not None and self.balancer.reads_after

    @property
    def reads_losses(self) -> bool:
        """Whether the losses of the batch matter, and not only their gradients."""
        return self.balancer is not None

    def gradients(self, batch: Batch, shared: list[torch.Tensor], own: list[torch.Tensor]) -> list[torch.Tensor]:
        """Gradients of ``shared`` and ``own`` parameters, in this order, summed over all samples of the batch."""
        masked = torch.where(batch.present, batch.losses, 0.0)
        mine = self.group.share(len(batch.whole))

        def slopes(loss: torch.Tensor, values: list[torch.Tensor]) -> list[torch.Tensor]:
            """Of a loss of the whole batch, through the samples of this process."""
            (toward,) = torch.autograd.grad(loss, batch.whole, retain_graph=True, materialize_grads=True)
            found = torch.autograd.grad(batch.outputs, values, toward[mine], retain_graph=True, materialize_grads=True)
            return list(found)

        if self.balancer is None:
            return self.group.added(slopes(masked.sum(), [*shared, *own]))
        apart: list[list[torch.Tensor]] = []

        def by_task(values: list[torch.Tensor]) -> list[list[torch.Tensor]]:
            with torch.enable_grad():  # balancers ask for them where nothing is recorded
                return [slopes(loss, values) for loss in masked]

        def of_shared() -> list[list[torch.Tensor]]:
            if not apart:
                rows, k = by_task(shared), len(shared)
                added = self.group.added([slope for row in rows for slope in row])
                apart.extend(added[t * k : (t + 1) * k] for t in range(len(rows)))
            return apart

        def gramian() -> torch.Tensor:
            by_sample = self.multitask.gradient == "representation"
            rows = by_task([batch.last]) if by_sample else of_shared()
            flat = torch.stack([torch.cat([slope.flatten() for slope in row]) for row in rows]).to(masked.dtype)
            found = flat @ flat.T
            # every sample is in one process only
            return (self.group.added([found])[0] if by_sample else found)[None]

        weights = self._weights(batch.losses, batch.present, gramian)
        self.taken += 1
        if self.balancer.scope == "loss":
            return self.group.added(slopes((masked * weights).sum(), [*shared, *own]))
        rows = of_shared()
        on_shared = [sum(w * row[k] for w, row in zip(weights, rows, strict=True)) for k in range(len(shared))]
        return [*on_shared, *self.group.added(slopes(masked.sum(), own))]

    def _weights(self, losses: torch.Tensor, present: torch.Tensor, gramian: Callable) -> torch.Tensor:
        assert self.balancer is not None
        return self.balancer.weights(Step(self.taken, losses.detach()[None], present[None], gramian, self.seed))[0]

    def after(self, losses: torch.Tensor) -> None:
        """Losses (t,) of the same batch after the step."""
        assert self.balancer is not None
        self.balancer.after(losses.detach()[None])
