"""Nash bargaining."""

import torch

from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.step import Step

_RIDGE = 1e-5
_ITERATIONS = 60
_SETTLED = 1e-9


def bargain(gramian: torch.Tensor) -> torch.Tensor:
    """(R, T) positive solutions a of ``G a = 1 / a`` with G (R, T, T), in double precision.

    They minimise the strictly convex, self-concordant ``a' G a / 2 - sum log a``: Newton's step, shortened by
    ``1 / (1 + decrement)`` far from the minimum, always arrives (Boyd & Vandenberghe 2004, section 9.6). It is solved
    for gradients of unit length (the solution scales with the inverse length), where eigenvalues below 1e-5 are
    raised to it: gradients that oppose each other have no finite solution, and rounding may make G indefinite. G is
    symmetric, with positive diagonals.
    """
    gramian = gramian.double()
    shorter = gramian.diagonal(dim1=1, dim2=2).rsqrt()
    values, vectors = torch.linalg.eigh(gramian * shorter[:, :, None] * shorter[:, None, :])
    gramian = (vectors * values.clamp_min(_RIDGE)[:, None, :]) @ vectors.mT
    solution = gramian.diagonal(dim1=1, dim2=2).rsqrt()
    for _ in range(_ITERATIONS):
        slope = (gramian @ solution[:, :, None])[:, :, 0] - 1 / solution
        newton = torch.linalg.solve(gramian + torch.diag_embed(solution**-2), slope)
        decrement = (slope * newton).sum(1, keepdim=True).clamp_min(0).sqrt()
        # a settled replica stays as it is, however long its neighbours take
        going = decrement > _SETTLED
        if not going.any():
            break
        length = torch.where(decrement > 0.25, 1 / (1 + decrement), 1.0)
        solution = torch.where(going, solution - length * newton, solution)
    return solution * shorter


@balancer("nash_mtl")
class NashMTL(GramianBalancer):
    """The bargaining solution: no task gains in proportion more than the others lose (Navon et al. 2022, ICML).

    The weights solve ``G a = 1 / a`` (claim 3.1 of the paper), here for the Gramian scaled to a mean diagonal of 1.

    Differs from the paper and from TorchJD's ``NashMTL``. They iterate convex-concave steps with the solver ECOS
    (GPL); here the equation is solved to the end as one convex problem, from the present Gramian alone (nothing is
    carried over). Their step has a fixed length (squared norm T) and is clipped; this one is as long as the plain sum
    would be if the same gradients were orthogonal, so it vanishes with them.
    """

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        # the rows of absent tasks become those of the identity: solved apart, by 1
        return bargain(gramian + torch.diag_embed((~speaking).to(gramian.dtype)))
