"""What a sharing scheme is: parameters of one network, and the linear maps that they amount to.

Every scheme, from one trunk for all to gated experts, is a way to write the same thing: for each output column ``c`` a
few linear maps of the inputs, of which a gate, again linear in the inputs, may choose per sample::

    value_c(x) = sum_e  squash_e(x . gate_ec + offset_ec)  (x . linear_ec)

So a scheme is a parametrisation, a few lines: how its parameters give ``linear`` (and ``gate``). The rest is done once
for all of them: wide products over many networks, gradients per task, checkpoints, folding into the trained model.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import torch

from mtlbio.errors import InputError, listing
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.names import SHARING


class Maps(NamedTuple):
    """``linear`` (r, e, c); ``gate`` (r, e, c) and ``offset`` (e, c), or None where nothing is gated (then e = 1)."""

    linear: torch.Tensor
    gate: torch.Tensor | None = None
    offset: torch.Tensor | None = None


class Sharing:
    """Base of all schemes.

    Parameters
    ----------
    outputs : packing of the tasks
    width : b, dimensions of a trunk
    strength : of the penalty; only of schemes that have one

    Attributes
    ----------
    shared : names of the parameters that more than one task trains. Their first axis is that of the inputs, along which
        ``maps`` acts row by row: put sample scores in their place, and the maps become values (gradients with respect
        to the representation are taken that way). All other parameters belong to one task each
    squash : how a gate becomes weights: "softmax" over e, "sigmoid", or None
    strengths : default strength of the penalty, None where the scheme has none
    """

    shared: tuple[str, ...] = ()
    squash: str | None = None
    default_strength: float | None = None

    def __init__(self, outputs: Outputs, width: int, strength: float | None = None):
        self.outputs, self.width = outputs, width
        self.strength = self.default_strength if strength is None else strength

    def start(self, n_inputs: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Initial parameters of one network on ``n_inputs`` scores."""
        raise NotImplementedError

    def maps(self, own: dict[str, torch.Tensor]) -> Maps:
        """The linear maps of one network."""
        raise NotImplementedError

    def penalty(self, own: dict[str, torch.Tensor]) -> torch.Tensor:
        """What is added to the loss of one network, before ``strength``; only called where there is a strength."""
        raise NotImplementedError

    def starting_heads(self, generator: torch.Generator) -> torch.Tensor:
        """(b, columns): each column starts on a dimension of its own (cyclically where there are fewer). Random heads
        would couple the tasks with random signs, and half of the couplings would be negative transfer."""
        columns = self.outputs.n_columns
        own = torch.zeros(self.width, columns)
        own[torch.arange(columns) % self.width, torch.arange(columns)] = 1.0
        return own + 0.1 * torch.randn(self.width, columns, generator=generator)


SCHEMES: dict[str, type[Sharing]] = {}


def scheme(name: str) -> Callable[[type[Sharing]], type[Sharing]]:
    """Register a scheme under the name that a run's YAML gives; ``names.SHARING`` holds its line for the user."""

    def register(made: type[Sharing]) -> type[Sharing]:
        SCHEMES[name] = made
        return made

    return register


def make_sharing(name: str, outputs: Outputs, width: int, strength: float | None = None) -> Sharing:
    """The scheme of that name.

    Raises
    ------
    InputError
        Unknown name, or a strength for a scheme without a penalty.
    """
    if name not in SHARING:
        raise InputError(f"training.sharing: found {name!r}; valid: {listing(SHARING)}")
    import_module(f"mtlbio.model.sharing.{name}")
    made = SCHEMES[name]
    if strength is not None and made.default_strength is None:
        raise InputError(f"training.sharing_strength: {name} sharing has no penalty, so the strength would do nothing")
    return made(outputs, width, strength)


def combine(
    linear: torch.Tensor, gate: torch.Tensor | None, offset: torch.Tensor | None, squash: str | None
) -> torch.Tensor:
    """Values (..., n, c) from products (..., n, e, c) of the inputs with the maps; ``offset`` (..., e, c)."""
    if gate is None:
        return linear.squeeze(-2)
    chosen = gate + offset.unsqueeze(-3)
    weights = torch.softmax(chosen, dim=-2) if squash == "softmax" else torch.sigmoid(chosen)
    return (weights * linear).sum(dim=-2)
