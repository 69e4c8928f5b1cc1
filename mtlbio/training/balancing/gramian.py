"""Balancers that see the Gramian of the tasks' gradients."""

import torch

from mtlbio.training.balancing.base import Balancer
from mtlbio.training.balancing.step import Step


def speaking_gramian(step: Step) -> tuple[torch.Tensor, torch.Tensor]:
    """Gramian of the tasks that have a gradient.

    Returns
    -------
    gramian : (R, T, T) in the precision it came in, scaled to a mean diagonal of 1, so that no tolerance inside a
        method depends on the size of the gradients; rows and columns of other tasks are 0
    speaking : (R, T) present, with a gradient that is not exactly zero
    """
    gramian = step.gramian().detach()
    speaking = step.present & (gramian.diagonal(dim1=1, dim2=2) > 0)
    gramian = gramian.masked_fill(~(speaking[:, :, None] & speaking[:, None, :]), 0)
    count = speaking.sum(1).clamp_min(1)
    size = gramian.diagonal(dim1=1, dim2=2).sum(1) / count
    return gramian / torch.where(size > 0, size, 1)[:, None, None], speaking


class GramianBalancer(Balancer):
    """Weights of the gradients on the shared parameters, from their inner products.

    A present task with a gradient of exactly zero (heads that start at zero, say) has no say: it is left out of the
    matrix, where it would make MGDA stand still and Nash-MTL divide by zero. Its weight is 1 and moves nothing.
    """

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        gramian, speaking = speaking_gramian(step)
        return torch.where(speaking, self.from_gramian(gramian, speaking, step), 1.0)

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        """(R, T) weights; ``gramian`` and ``speaking`` as :func:`speaking_gramian` gives them."""
        raise NotImplementedError
