"""The supervised block of one replica, as a network of its own.

Training stacks many of them (:mod:`mtlbio.training.replicas`); this is the plain form, for reading, and what the stack
is compared with.

Two paths lead from the genes to every task:

- the **axes**: gene-sparse latents (:mod:`mtlbio.model.axes`), encoder and decoder fitted by reconstruction, with
  sparse heads on them (:mod:`mtlbio.training.sparse_heads`).
- the **block**: what all tasks share (:mod:`mtlbio.model.sharing`), by default a small linear trunk from the training
  data's row space to a few dimensions, and heads on those. It carries what the axes miss. This module.

On real cohorts now one path wins and now the other; their mixture is learnt afterwards on inner validation donors
(:mod:`mtlbio.training.stacking`). Both are linear: at donor scale (hundreds) a nonlinear trunk overfits.
"""

from __future__ import annotations

import torch
from torch import nn

from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.make import make_sharing
from mtlbio.model.sharing.scheme import Sharing, combine


class SharedEncoder(nn.Module):
    """The block of one replica.

    Parameters
    ----------
    n_inputs : r, row-space scores per sample
    width : b, dimensions of the trunk
    outputs : packing of the tasks
    seed : of the initial values
    sharing : the scheme; hard sharing where left out
    """

    expand: torch.Tensor

    def __init__(self, n_inputs: int, width: int, outputs: Outputs, seed: int, sharing: Sharing | None = None):
        super().__init__()
        self.sharing = sharing or make_sharing("hard", outputs, width)
        start = self.sharing.start(n_inputs, torch.Generator().manual_seed(seed))
        self.own = nn.ParameterDict({name: nn.Parameter(value) for name, value in start.items()})
        self.bias = nn.Parameter(torch.zeros(outputs.n_outputs))
        self.register_buffer("expand", torch.as_tensor(outputs.expand))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Outputs (n, o) for row-space scores (n, r)."""
        linear, gate, offset = self.sharing.maps(dict(self.own))
        linear = torch.einsum("nr,rec->nec", inputs, linear)
        gate = None if gate is None else torch.einsum("nr,rec->nec", inputs, gate)
        return combine(linear, gate, offset, self.sharing.squash) @ self.expand + self.bias
