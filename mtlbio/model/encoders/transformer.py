"""Self-attention with rotary positions."""

import torch
from torch import nn

from mtlbio.model.encoders.base import ChainDropout, Convolution, Encoder, Shape, encoder


@encoder("transformer")
class Attention(Encoder):
    """A convolution, then pre-norm self-attention (Vaswani et al. 2017) with rotary positions (Su et al. 2021).

    Rotary positions enter as differences only, so a chain reads the same wherever it stands; padding is no key.
    """

    speed: torch.Tensor

    def __init__(self, features: int, shape: Shape):
        super().__init__()
        self.out = shape.width
        self.enter = nn.Linear(features, shape.width)
        self.near = Convolution(shape.width, shape.kernel, 1, shape.dropout)
        layer = (shape.width, shape.attention_heads, shape.dropout)
        self.layers = nn.ModuleList(_Layer(*layer) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        pairs = shape.width // shape.attention_heads // 2
        self.register_buffer("speed", 10_000.0 ** (-torch.arange(pairs) / pairs), persistent=False)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.near(self.enter(x), mask)
        angle = torch.arange(x.shape[1], device=x.device)[:, None] * self.speed
        turn = angle.cos(), angle.sin()
        keys = mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, turn, keys)
        return self.norm(x)


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.project, self.leave = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.dropout = ChainDropout(dropout)

    def forward(self, x, turn, keys):
        batch, length, width = x.shape
        parts = self.project(self.norms[0](x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        query, key = rotated(query, *turn), rotated(key, *turn)
        attended = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=keys)
        x = x + self.dropout(self.leave(attended.transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.think(self.norms[1](x)))


def rotated(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """Turn every pair of channels of (..., length, 2 k) by the angle of its position (length, k)."""
    first, second = x.chunk(2, dim=-1)
    rotated_pairs = torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
    return rotated_pairs.to(x.dtype)
