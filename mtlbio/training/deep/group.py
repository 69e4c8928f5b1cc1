"""Processes that train one network together, each on its share of every batch.

A batch, its losses and the draws of its dropout are those of one process; only the products of the layers are shared
out. The outputs of a batch are put together before a loss is taken of them, so that a loss that compares samples (a
risk set) sees the whole batch, and gradients are added up task by task before a balancer looks at them. What is found
therefore does not depend on the number of processes, beyond the rounding of sums in another order.
"""

from collections.abc import Sequence

import torch
from torch import distributed


class Group:
    """``size`` processes of which this is the one numbered ``rank``; one process alone talks to nobody."""

    def __init__(self, rank: int = 0, size: int = 1):
        self.rank, self.size = rank, size

    def share(self, n: int) -> slice:
        """Places, among n of a batch, of the samples that this process takes."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def placed(self, mine: torch.Tensor, n: int) -> torch.Tensor:
        """(n, ...) the rows of this process's share in their places, 0 in those of others."""
        if self.size == 1:
            return mine
        rows = mine.new_zeros(n, *mine.shape[1:])
        rows[self.share(n)] = mine
        return rows

    def whole(self, mine: torch.Tensor, n: int) -> torch.Tensor:
        """(n, ...) rows of all processes, from those of this one's share."""
        rows = self.placed(mine, n)
        if self.size > 1:
            distributed.all_reduce(rows)
        return rows

    def added(self, values: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The sums over all processes, of every tensor."""
        if self.size == 1:
            return list(values)
        flat = torch.cat([value.flatten() for value in values])
        distributed.all_reduce(flat)
        parts = flat.split([value.numel() for value in values])
        return [part.view_as(value) for part, value in zip(parts, values, strict=True)]

    def as_first(self, values: Sequence[torch.Tensor]) -> None:
        """Overwrite with what the first process has: processors of different makes may round differently."""
        if self.size == 1:
            return
        flat = torch.cat([value.detach().flatten() for value in values])
        distributed.broadcast(flat, 0)
        for value, part in zip(values, flat.split([value.numel() for value in values]), strict=True):
            value.detach().copy_(part.view_as(value))

    def says(self, found: bool) -> bool:
        """What the first process found."""
        if self.size == 1:
            return found
        told = [found]
        distributed.broadcast_object_list(told, 0)
        return told[0]


ALONE = Group()
