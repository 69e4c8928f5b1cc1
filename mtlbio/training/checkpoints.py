"""When each task stops, and what its parameters were at its best.

Stopping is decided per fold, arm and task on the validation loss *pooled over the seeds*, whose validation donors
are the inner folds of the training donors; a single inner fold of twenty donors is too noisy to stop on.
"""

import torch

from mtlbio.training.problem import Problem
from mtlbio.training.stack import Stack

# A checkpoint of the first steps is still the zero that training started from: a latent without values.
_FIRST_CHECKPOINT = 5
# A validation loss counts as better from here on.
_BETTER = 1e-5


class Checkpoints:
    """Best epoch and parameters of every task so far; f folds, a arms, s seeds, n samples, t tasks.

    A task stops after ``patience`` epochs without a better validation loss. Further heads serve the run's tasks and go
    on as long as any of those does in their own network: what a fold becomes depends on no other fold.

    Attributes
    ----------
    going : (f, a, t) bool, whether the task is still trained
    best_epoch : (f, a, t)
    checkpoint : parameters at the best epoch of the task that they belong to: maps (f, a, s, r, m), offsets
        (f, a, s, e, c), biases (f, a, s, o)
    history : of every epoch (2, f, a, s, t) training (0) and validation (1) loss
    """

    def __init__(self, problem: Problem, stack: Stack, patience: int):
        (f, _, t), (a, _), device = problem.targets.shape, problem.active.shape, problem.targets.device
        self.train, self.validation, self.patience = problem.train[:, None], problem.validation[:, None], patience
        # seeds without a labelled validation sample have no say
        self.voters = (problem.validation.sum(2) > 0).sum(1)[:, None].clamp_min(1)
        self.main = problem.task_roles.main
        self.serving = torch.arange(t, device=device) >= self.main
        self.owners = (stack.task_of_map, stack.task_of_column, stack.task_of_output)
        self.going = problem.active.bool()[None].repeat(f, 1, 1)
        self.best = torch.full((f, a, t), torch.inf, device=device)
        self.best_epoch = torch.zeros(f, a, t, dtype=torch.long, device=device)
        self.checkpoint: list[torch.Tensor] = []
        self.history: list[torch.Tensor] = []

    @property
    def finished(self) -> bool:
        """Whether every task of the run has stopped."""
        return not self.going.any()

    @torch.no_grad()
    def look(
        self, epoch: int, loss: torch.Tensor, held_out_loss: torch.Tensor, parameters: list[torch.Tensor]
    ) -> torch.Tensor:
        """Keep the parameters of the tasks that are better than before, and stop those that have not been for long.

        The losses (f, a, s, n, t) are those with the training and with the validation samples taking part, parameters
        are as in ``checkpoint``; gives the training losses (f, a, s, t).
        """
        trained, valid = (loss * self.train).sum(3), (held_out_loss * self.validation).sum(3)
        return self.judge(epoch, trained, valid, parameters)

    @torch.no_grad()
    def judge(
        self, epoch: int, trained: torch.Tensor, valid: torch.Tensor, parameters: list[torch.Tensor]
    ) -> torch.Tensor:
        """The same from weighted sums of the losses (f, a, s, t) of training and of validation samples."""
        pooled = valid.sum(2) / self.voters
        self.history.append(torch.stack([trained, valid]))
        better = self.going if epoch <= _FIRST_CHECKPOINT else (pooled < self.best - _BETTER) & self.going
        self.best = torch.where(better, pooled, self.best)
        self.best_epoch = torch.where(better, epoch, self.best_epoch)
        going = self.going & ((epoch - self.best_epoch < self.patience) | self.serving)
        self.going = going & going[..., : self.main].any(dim=-1, keepdim=True)
        maps, offsets, bias = (better[..., owner] for owner in self.owners)
        masks = (maps[:, :, None, None], offsets[:, :, None, None], bias[:, :, None])
        pairs = zip(masks, parameters, self.checkpoint or parameters, strict=True)
        self.checkpoint = [torch.where(mask, new, old) for mask, new, old in pairs]
        return trained
