"""A bidirectional LSTM."""

import torch
from torch import nn

from mtlbio.model.encoders.base import ChainDropout, Convolution, Encoder, Shape, encoder


@encoder("lstm")
class Recurrent(Encoder):
    """Two convolutions that see the neighbours, then LSTM layers in both directions (Hochreiter & Schmidhuber 1997).

    Each direction runs over chains that start together, so that padding only ever comes after a chain: the backward
    one reads every chain in reverse within its own length. Packed sequences would do the same at a fraction of the
    speed, because they leave the fused kernels.
    """

    def __init__(self, features: int, shape: Shape):
        super().__init__()
        width = shape.width
        self.out = 2 * width
        self.enter = nn.Linear(features, width)
        self.near = nn.ModuleList(Convolution(width, shape.kernel, d, shape.dropout) for d in (1, 2))
        sizes = [width] + [2 * width] * (shape.layers - 1)
        self.forth = nn.ModuleList(nn.LSTM(size, width, batch_first=True) for size in sizes)
        self.back = nn.ModuleList(nn.LSTM(size, width, batch_first=True) for size in sizes)
        self.dropout = ChainDropout(shape.dropout)
        self.norm = nn.LayerNorm(self.out)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        for layer in self.near:
            x = layer(x, mask)
        reverse_index = reversed_places(mask)
        for forth, back in zip(self.forth, self.back, strict=True):
            x = self.dropout(x)
            x = torch.cat([forth(x)[0], _at(back(_at(x, reverse_index))[0], reverse_index)], dim=-1)
        return self.norm(x)


def reversed_places(mask: torch.Tensor) -> torch.Tensor:
    """(batch, length) place of the residue that comes first, second, ... when every chain is read from its end.

    Examples
    --------
    >>> reversed_places(torch.tensor([[True, True, True, False]])).tolist()
    [[2, 1, 0, 3]]
    """
    place = torch.arange(mask.shape[1], device=mask.device)
    last = mask.sum(dim=1, keepdim=True) - 1
    return torch.where(place <= last, last - place, place)


def _at(x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return x.gather(1, places[..., None].expand_as(x))
