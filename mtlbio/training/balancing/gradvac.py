"""Gradient vaccine."""

import torch

from mtlbio.training.balancing.base import TINY, balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.step import Step
from mtlbio.training.balancing.surgery import operate


@balancer("gradvac")
class GradVac(GramianBalancer):
    """Raises the cosine between two tasks' gradients to its running mean (Wang et al. 2021, ICLR, algorithm 1).

    Where the cosine c of gradients i and j lies below its running mean m, the multiple
    ``|g_i| (m sqrt(1 - c^2) - c sqrt(1 - m^2)) / (|g_j| sqrt(1 - m^2))`` of gradient j is added, which makes it m. The
    running mean then moves by ``decay`` towards c; it starts at 0, where this is PCGrad.

    ``decay``: in (0, 1]; .01 in the paper (TorchJD's default is .5).

    Differs from TorchJD's ``GradVac`` in the order of the tasks, as PCGrad does. The running mean of a pair stays as
    it is where one of the two is absent.
    """

    decay: float
    remembers = {"cosine": 0.0}
    of_pairs = True

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        mean = self.memory["cosine"].clone()
        replica = torch.arange(len(mean), device=mean.device)

        def correct(j, pairs, inner, square, square_j):
            length, length_j = square.sqrt().clamp_min(TINY), square_j.sqrt().clamp_min(TINY)
            cosine = (inner / (length * length_j)).clamp(-1, 1)
            target = mean[replica, :, j]
            sine, target_sine = (1 - cosine**2).sqrt(), (1 - target**2).clamp_min(TINY).sqrt()
            multiple = length * (target * sine - cosine * target_sine) / (length_j * target_sine)
            mean[replica, :, j] = torch.where(pairs, (1 - self.decay) * target + self.decay * cosine, target)
            return torch.where(cosine < target, multiple, 0.0)

        weights = operate(gramian.double(), speaking, step.draws(self.tasks).argsort(1), correct)
        self.memory["cosine"] = mean
        return weights
