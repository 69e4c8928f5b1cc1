"""What all encoders share: residues in, residues out, and padding that is never looked at.

A registered encoder takes (batch, length, features) and the mask of real residues and gives (batch, length, out). What
it says of a residue must depend on that chain alone: neither on the padding nor on the other chains of the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Shape:
    """How large an encoder is: the keys of the same name of ``training``."""

    width: int = 96
    layers: int = 6
    kernel: int = 7
    attention_heads: int = 4
    dropout: float = 0.1


class Encoder(nn.Module):
    """Base of the encoders; ``out`` is the width of what comes out."""

    out: int

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, length, features), (batch, length) bool -> (batch, length, out); anything at the padding."""
        raise NotImplementedError


REGISTERED: dict[str, Callable[[int, Shape], Encoder]] = {}


def encoder(name: str):
    """Register a class, whose constructor takes (features, shape), under a name of
    :data:`mtlbio.choices.encoders.ENCODERS`."""

    def register(made: type[Encoder]) -> type[Encoder]:
        REGISTERED[name] = made
        return made

    return register


class ChainDropout(nn.Module):
    """Dropout of whole channels of a chain, the same at all its residues (Gal & Ghahramani 2016).

    Neighbours tell what single residues lost, so dropping those alone does little; and one draw per chain and channel
    costs nothing, where one per residue took a tenth of the training.
    """

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.share == 0:
            return x
        channels = torch.empty(x.shape[0], 1, x.shape[2], device=x.device, dtype=x.dtype).bernoulli_(1 - self.share)
        return x * channels / (1 - self.share)


class Convolution(nn.Module):
    """A residual step: normalise each residue, look at its neighbours, mix the channels.

    Normalisation is per residue (layer norm), never over the batch; padding is zeroed before the neighbours are seen,
    so that a chain meets the same zeros behind its end alone and beside a longer one.
    """

    def __init__(self, width: int, kernel: int, dilation: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.look = nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.mix = nn.Linear(width, width)
        self.dropout = ChainDropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        around = self.norm(x) * mask[..., None]
        around = self.look(around.transpose(1, 2)).transpose(1, 2)
        return x + self.dropout(self.mix(torch.nn.functional.gelu(around)))
