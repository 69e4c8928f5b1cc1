"""The shared-encoder network of one replica.

Two paths lead from the genes to every task:

- the **axes**: gene-sparse latents (:mod:`mtlbio.model.axes`), encoder and decoder fitted by reconstruction, with
  sparse heads on them (:mod:`mtlbio.training.sparse_heads`).
- the **block**: a small trunk that all tasks share, a linear map from the training data's row space to a few
  dimensions, and heads on those. It carries what the axes miss. This module.

On real cohorts now one path wins and now the other; their mixture is learnt afterwards on inner validation donors
(:mod:`mtlbio.training.mixing`). Both are linear: at donor scale (hundreds) a nonlinear trunk overfits.
"""

from __future__ import annotations

import torch
from torch import nn

from mtlbio.model.outputs import Outputs


class SharedEncoder(nn.Module):
    """The supervised block of one replica: a shared trunk with one head per task.

    Parameters
    ----------
    n_inputs : r, row-space scores per sample
    width : b, dimensions of the trunk
    outputs : packing of the tasks
    seed : of the initial values
    """

    def __init__(self, n_inputs: int, width: int, outputs: Outputs, seed: int):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        columns = outputs.n_columns
        # Each task starts on a dimension of its own (cyclically where there are fewer): random heads would couple
        # the tasks with random signs, and half of the couplings would be negative transfer.
        own = torch.zeros(width, columns)
        own[torch.arange(columns) % width, torch.arange(columns)] = 1.0
        self.trunk = nn.Parameter(torch.zeros(n_inputs, width))
        self.heads = nn.Parameter(own + 0.1 * torch.randn(width, columns, generator=generator))
        self.bias = nn.Parameter(torch.zeros(outputs.n_outputs))
        self.register_buffer("expand", torch.as_tensor(outputs.expand))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (n, o) for row-space scores (n, r)."""
        return (inputs @ self.trunk) @ (self.heads @ self.expand) + self.bias

    def encoder(self) -> torch.Tensor:
        """(r, columns) product of trunk and heads: all that the block does, before expansion and bias."""
        return self.trunk @ self.heads
