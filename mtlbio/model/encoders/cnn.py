"""Dilated convolutions."""

import torch
from torch import nn

from mtlbio.model.encoders.base import Convolution, Encoder, Shape, encoder

DILATIONS = (1, 2, 4, 8, 16)


@encoder("cnn")
class Dilated(Encoder):
    """Residual convolutions whose dilation doubles from layer to layer and starts again after 16 (Yu & Koltun 2016)."""

    def __init__(self, features: int, shape: Shape):
        super().__init__()
        self.out = shape.width
        self.enter = nn.Linear(features, shape.width)
        steps = [DILATIONS[i % len(DILATIONS)] for i in range(shape.layers)]
        self.layers = nn.ModuleList(Convolution(shape.width, shape.kernel, d, shape.dropout) for d in steps)
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)
