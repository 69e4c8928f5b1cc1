"""One step on a mini-batch: losses of the tasks that occur in it, weighed by a balancer, and the optimiser's move."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mtlbio.kinds.schemas.chains import ResidueTraining
from mtlbio.labels.residues import ResidueLabel
from mtlbio.model.residues import ResidueNetwork
from mtlbio.sequence.letters import MASKED, UNKNOWN
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step
from mtlbio.training.chains.batches import Batch

MASKED_SHARE = 0.15


@dataclass(frozen=True)
class Scale:
    """What makes losses comparable.

    ``null``: loss of a constant answer by task; ``expected``: labelled residues of a batch on average. A task's loss in
    a batch is divided by what is expected, not by what is there: batches with few labels then count for little, and
    over an epoch every labelled residue counts the same.
    """

    null: dict[str, float]
    expected: dict[str, float]


class Stepper:
    """Moves one network on the tasks of its arm.

    ``options`` give the weight of the auxiliary letters and the balancer, ``seed`` what is masked and a balancer's
    draws. On a GPU the latents are computed in bfloat16.
    """

    def __init__(
        self,
        network: ResidueNetwork,
        tasks: list[ResidueLabel],
        scale: Scale,
        optimiser: torch.optim.Optimizer,
        options: ResidueTraining,
        seed: int = 0,
    ):
        self.network, self.tasks, self.scale, self.optimiser = network, tasks, scale, optimiser
        self.masked, self.count = options.masked_residues or 0.0, 0
        self.device = next(network.parameters()).device
        self.generator = torch.Generator().manual_seed(seed)
        self.seed = torch.tensor([seed], device=self.device)
        self.balancer = None
        if options.balancing != "equal" and len(tasks) > 1:
            names = tuple(task.name for task in tasks)
            self.balancer = make_balancer(options.balancing, names, 1, self.device, **options.balancing_options)

    def step(self, batch: Batch, watch: bool = False) -> torch.Tensor | None:
        """Move once; with ``watch`` the Gramian (T, T) of the tasks' gradients on the shared parameters is given."""
        self.network.train()
        losses, means, present, extra = self.losses(batch)
        self.optimiser.zero_grad(set_to_none=True)
        gramian = gradients = None
        apart = self.balancer is not None and (self.balancer.reads_gramian or self.balancer.scope == "gradient")
        if apart or watch:
            gradients = self._apart(losses, present)
            gramian = gradients @ gradients.T
        weights = torch.ones(len(losses), device=self.device)
        if self.balancer is not None and present.any():
            facts = Step(self.count, means[None].detach(), present[None], lambda: _one(gramian), self.seed)
            weights = self.balancer.weights(facts)[0]
        of_loss = self.balancer is None or self.balancer.scope == "loss"
        whole = (weights if of_loss else torch.ones_like(weights)) * present
        total = (whole * losses).sum() + extra
        if total.requires_grad:
            total.backward()
            if not of_loss and gradients is not None:
                self._add_to_shared((weights - present.float()) @ gradients)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()
        if self.balancer is not None and self.balancer.reads_after:
            with torch.no_grad():
                self.balancer.after(self.losses(batch)[1][None])
        self.count += 1
        return gramian if watch else None

    def losses(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """(T,) losses to descend, (T,) means over the labelled residues, (T,) which occur, and the auxiliary loss."""
        letters, hidden = batch.letters, None
        if self.masked and self.network.training:
            drawn = torch.rand(letters.shape, generator=self.generator).to(self.device) < MASKED_SHARE
            hidden = drawn & batch.mask & (letters < UNKNOWN)
            letters = letters.masked_fill(hidden, MASKED)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            latents = self.network.latents(letters, batch.mask, batch.wide)
        latents = latents.float()
        raw = self.network.outputs(latents)
        losses, means, present = [], [], []
        for task in self.tasks:
            total, count = task.loss_sum(raw[task.name], batch.labels[task.name], batch.q3.get(task.name))
            total = total / self.scale.null[task.name]
            losses.append(total / self.scale.expected[task.name])
            means.append(total / count.clamp_min(1))
            present.append(count > 0)
        extra = latents.new_zeros(())
        if self.network.letter_head is not None and hidden is not None and hidden.any():
            letter_logits = self.network.letter_head(latents[hidden])
            extra = self.masked * torch.nn.functional.cross_entropy(letter_logits, batch.letters[hidden])
        return torch.stack(losses), torch.stack(means), torch.stack(present), extra

    def _apart(self, losses: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """(T, P) gradients of every task on the shared parameters; 0 where it does not occur."""
        shared, rows = self.network.shared(), []
        for loss, occurs in zip(losses, present, strict=True):
            slopes: Sequence[torch.Tensor] = [torch.zeros_like(p) for p in shared]
            if occurs:
                slopes = torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True)
            rows.append(torch.cat([slope.flatten() for slope in slopes]))
        return torch.stack(rows).float()

    def _add_to_shared(self, change: torch.Tensor) -> None:
        """Turn the plain sum of the tasks' gradients on the shared parameters (P,) into the weighed one."""
        shared = self.network.shared()
        for parameter, part in zip(shared, change.split([p.numel() for p in shared]), strict=True):
            if parameter.grad is not None:
                parameter.grad += part.view_as(parameter)


def _one(gramian: torch.Tensor | None) -> torch.Tensor:
    """(1, T, T) of the only network."""
    if gramian is None:
        raise RuntimeError("a balancer asks for the tasks' gradients, and its entry says that it does not read them")
    return gramian[None]
