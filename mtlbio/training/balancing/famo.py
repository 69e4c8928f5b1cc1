"""Fast adaptive multitask optimisation."""

import torch

from mtlbio.training.balancing.base import TINY, Balancer, balancer, present_softmax, shared_out
from mtlbio.training.balancing.step import Step

_BETAS = (0.9, 0.999)


@balancer("famo")
class Famo(Balancer):
    """Keeps the relative fall of the losses equal, from the losses alone (Liu et al. 2023, NeurIPS, algorithm 2).

    ``weight_k ~ softmax_k(w) / L_k``. After the update the logits ``w`` move by one step of Adam along
    ``J' (log L_before - log L_after)``, with J the Jacobian of the softmax: a task that fell less gains.

    ``learning_rate``: of Adam on the logits; .025 in the paper. ``weight_decay``: times the logits, added to the slope;
    .001 in the paper.

    Differs from TorchJD's ``FAMO`` (a convex combination) by the factor n, the number of present tasks. The softmax
    runs over the present tasks, and each task has its own count of Adam steps. A task without a positive finite loss
    after the update (it was stopped in between) does not move. ``after`` needs the losses on the same data.
    """

    reads_after = True
    learning_rate: float
    weight_decay: float
    remembers = dict.fromkeys(("logit", "mean", "square", "steps", "before"), 0.0)

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        # 0 marks a task that takes no part in this step
        self.memory["before"] = torch.where(present, losses + TINY, 0.0)
        return shared_out(present_softmax(self.memory["logit"], present) / (losses + TINY), present)

    @torch.no_grad()
    def after(self, losses: torch.Tensor) -> None:
        """Move the logits by what the (R, T) losses did in the update."""
        before, logit = self.memory["before"], self.memory["logit"]
        moved = (before > 0) & losses.isfinite() & (losses > 0)
        fall = torch.where(moved, before / (torch.where(moved, losses, 1.0).double() + TINY), 1.0).log()
        share = present_softmax(logit, moved)
        slope = share * (fall - (share * fall).sum(1, keepdim=True)) + self.weight_decay * logit
        self.remember("steps", self.memory["steps"] + 1, moved)
        self.remember("mean", _BETAS[0] * self.memory["mean"] + (1 - _BETAS[0]) * slope, moved)
        self.remember("square", _BETAS[1] * self.memory["square"] + (1 - _BETAS[1]) * slope**2, moved)
        steps = self.memory["steps"].clamp_min(1)
        mean = self.memory["mean"] / (1 - _BETAS[0] ** steps)
        spread = (self.memory["square"] / (1 - _BETAS[1] ** steps)).sqrt()
        self.remember("logit", logit - self.learning_rate * mean / (spread + TINY), moved)
        self.memory["before"] = self.blank()
