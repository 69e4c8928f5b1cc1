"""Losses relative to where each task started."""

from __future__ import annotations

import torch

from mtlbio.training.balancing.base import TINY, Balancer


def starting_losses(owner: Balancer, losses: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """(R, T) loss of each task at the first step in which it was present; needs ``memory["start"]``, 0 before that."""
    new = present & (owner.memory["start"] == 0)
    owner.remember("start", losses.clamp_min(TINY), new)
    return torch.where(present, owner.memory["start"], 1.0)
