"""A network of one hidden layer whose parameters are an argument, so that a step of them can be differentiated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad

Parameters = dict[str, Tensor]
HEAD = ("v", "c")


@dataclass(frozen=True)
class Network:
    """``inputs`` -> ``hidden`` -> one number per sample; ``tanh`` between, or nothing (a linear trunk)."""

    inputs: int
    hidden: int
    tanh: bool = True

    def start(self, seed: int, dtype: torch.dtype = torch.float32) -> Parameters:
        """Random parameters of a seed: ``w`` (inputs, hidden), ``b`` (hidden,), ``v`` (hidden,), ``c`` ()."""
        draws = torch.Generator().manual_seed(seed)
        w = torch.randn(self.inputs, self.hidden, generator=draws, dtype=dtype) / self.inputs**0.5
        b = torch.randn(self.hidden, generator=draws, dtype=dtype) * 0.5 * self.tanh
        v = torch.randn(self.hidden, generator=draws, dtype=dtype) / self.hidden**0.5
        return {"w": w, "b": b, "v": v, "c": torch.zeros((), dtype=dtype)}

    def encode(self, parameters: Parameters, x: Tensor) -> Tensor:
        """(n, hidden) of samples (n, inputs)."""
        hidden = x @ parameters["w"] + parameters["b"]
        return torch.tanh(hidden) if self.tanh else hidden

    def predict(self, parameters: Parameters, x: Tensor) -> Tensor:
        """(n,)."""
        return self.encode(parameters, x) @ parameters["v"] + parameters["c"]

    def loss(self, parameters: Parameters, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error."""
        return (self.predict(parameters, x) - y).square().mean()


def adapted(
    loss: Callable[[Parameters, Tensor, Tensor], Tensor],
    start: Parameters,
    x: Tensor,
    y: Tensor,
    rate: float,
    steps: int,
    moved: tuple[str, ...] | None = None,
    first_order: bool = False,
) -> Parameters:
    """Parameters after gradient steps on the samples of one task; those not ``moved`` stay (all move where None).

    What comes out can be differentiated by ``start``; ``first_order`` takes the steps' gradients for constants.
    """
    moved = tuple(start) if moved is None else moved
    own = start
    for _ in range(steps):
        kept = {name: value for name, value in own.items() if name not in moved}
        slopes = grad(lambda some, kept=kept: loss(kept | some, x, y))({name: own[name] for name in moved})
        if first_order:
            slopes = {name: slope.detach() for name, slope in slopes.items()}
        own = own | {name: own[name] - rate * slopes[name] for name in moved}
    return own
