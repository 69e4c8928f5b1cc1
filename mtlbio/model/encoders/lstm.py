"""A bidirectional LSTM."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mtlbio.model.encoders.base import Convolution, Encoder, Shape, encoder


@encoder("lstm")
class Recurrent(Encoder):
    """Two convolutions that see the neighbours, then LSTM layers in both directions (Hochreiter & Schmidhuber 1997).

    Chains are packed: the backward direction starts at the chain's own end, not in the padding.
    """

    def __init__(self, features: int, shape: Shape):
        super().__init__()
        self.out = 2 * shape.width
        self.enter = nn.Linear(features, shape.width)
        self.near = nn.ModuleList(Convolution(shape.width, shape.kernel, d, shape.dropout) for d in (1, 2))
        between = shape.dropout if shape.layers > 1 else 0.0
        self.far = nn.LSTM(
            shape.width, shape.width, shape.layers, batch_first=True, bidirectional=True, dropout=between
        )
        self.norm = nn.LayerNorm(self.out)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        for layer in self.near:
            x = layer(x, mask)
        packed = pack_padded_sequence(x, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        x, _ = pad_packed_sequence(self.far(packed)[0], batch_first=True, total_length=mask.shape[1])
        return self.norm(x)
