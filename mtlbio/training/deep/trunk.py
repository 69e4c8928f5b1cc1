"""The residual trunk in torch, as a function of its parameters; :mod:`mtlbio.model.deep` is the same in numpy."""

from collections.abc import Callable

import torch
from torch.nn import functional

from mtlbio.config.training import Shape
from mtlbio.model.deep import BLOCK, EPSILON
from mtlbio.model.sharing.scheme import Sharing, combine

Parameters = dict[str, torch.Tensor]
# apart from the seeds of the maps' starts
_OF_LAYERS = 1 << 33


def start(n_inputs: int, shape: Shape, seed: int) -> Parameters:
    """Layers of one network: uniform within one over the root of their inputs (He et al. 2015), each from the seed."""
    generator = torch.Generator().manual_seed(seed + _OF_LAYERS)

    def layer(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = torch.rand(rows + 1, columns, generator=generator)
        drawn = (2 * drawn - 1) / max(rows, 1) ** 0.5
        return drawn[:-1], drawn[-1]

    parameters: Parameters = {}
    parameters["in_weight"], parameters["in_bias"] = layer(n_inputs, shape.width)
    for k in range(shape.depth):
        parameters[f"block{k}_scale"], parameters[f"block{k}_shift"] = torch.ones(shape.width), torch.zeros(shape.width)
        for name in "12":
            weight, bias = layer(shape.width, shape.width)
            parameters[f"block{k}_weight{name}"], parameters[f"block{k}_bias{name}"] = weight, bias
    return parameters


def hidden(
    parameters: Parameters, inputs: torch.Tensor, shape: Shape, draws: Callable[[int], torch.Tensor] | None = None
) -> torch.Tensor:
    """(n, h) last layer for inputs (n, r); units are left out where ``draws`` gives (n, units) uniform numbers."""

    def drop(units: torch.Tensor) -> torch.Tensor:
        if draws is None or shape.dropout == 0:
            return units
        kept = draws(units.shape[1]) >= shape.dropout
        return units * kept / (1 - shape.dropout)

    h = drop(functional.silu(inputs @ parameters["in_weight"] + parameters["in_bias"]))
    for k in range(shape.depth):
        scale, shift, w1, b1, w2, b2 = (parameters[f"block{k}_{name}"] for name in BLOCK)
        unit = functional.layer_norm(h, (shape.width,), scale, shift, EPSILON)
        h = h + drop(functional.silu(unit @ w1 + b1)) @ w2 + b2
    return h


def columns_of(sharing: Sharing, own: Parameters, last: torch.Tensor) -> torch.Tensor:
    """(n, c) values of the output columns: the maps of the sharing scheme on the last layer (n, h)."""
    linear, gate, offset = sharing.maps(own)
    gates = None if gate is None else torch.einsum("nh,hec->nec", last, gate)
    return combine(torch.einsum("nh,hec->nec", last, linear), gates, offset, sharing.squash)
