"""Gradient surgery on coefficients: what PCGrad and GradVac do to gradients, done to their Gramian."""

from collections.abc import Callable

import torch


def operate(
    gramian: torch.Tensor,
    speaking: torch.Tensor,
    order: torch.Tensor,
    correct: Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """(R, T) weights of the sum of the operated gradients.

    Every task i starts from its own gradient. The other tasks j are visited in ``order`` and a multiple of their
    unchanged gradient is added.

    Parameters
    ----------
    gramian : (R, T, T)
    speaking : (R, T) tasks that take part
    order : (R, T) indices of the tasks; all i of a replica visit the others in this order
    correct : ``(j (R,), pairs (R, T) bool, inner (R, T), square (R, T), square_j (R, 1)) -> (R, T)``: multiples of the
        gradient of j for every i, from the inner products with j and the squared norms of the operated gradient
        of i and of the gradient of j

    The papers and TorchJD draw an order for each i. One order for all i has the same distribution for each of them,
    so the mean step is the same.
    """
    r, t = speaking.shape
    replica = torch.arange(r, device=gramian.device)
    coefficients = torch.eye(t, dtype=gramian.dtype, device=gramian.device).repeat(r, 1, 1)
    inner = gramian.clone()  # of the operated gradients (rows) with the unchanged ones
    for j in order.T:
        row = gramian[replica, j]
        square_j = row.gather(1, j[:, None])
        pairs = speaking & speaking.gather(1, j[:, None])
        pairs[replica, j] = False
        square = (inner * coefficients).sum(2).clamp_min(0)
        multiple = torch.where(pairs, correct(j, pairs, inner[replica, :, j], square, square_j), 0.0)
        coefficients[replica, :, j] += multiple
        inner += multiple[:, :, None] * row[:, None, :]
    return torch.where(speaking[:, :, None], coefficients, 0.0).sum(1)
