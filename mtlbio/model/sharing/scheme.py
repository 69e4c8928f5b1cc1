"""What a sharing scheme is: parameters of one network, and the linear maps that they amount to.

Every scheme, from one trunk for all to gated experts, is a way to write the same thing: for each output column ``c`` a
few linear maps of the inputs, of which a gate, again linear in the inputs, may choose per sample::

    value_c(x) = sum_e  squash_e(x . gate_ec + offset_ec)  (x . linear_ec)

So a scheme is a parametrisation, a few lines: how its parameters give ``linear`` (and ``gate``). The rest is done once
for all of them: wide products over many networks, gradients per task, checkpoints, folding into the trained model.

What all schemes keep to: the maps start at zero, since what is not learnt is not there; the first step moves them as
far as it would in hard sharing, so that a learning rate means the same; and the *penalty* of a scheme takes no part in
the gradient but follows it as an implicit (proximal) step, which no strength can make diverge and which leaves the
penalty's exact zeros (a lower rank) exact.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch

from mtlbio.choices.sharing import SHARING
from mtlbio.model.outputs import Outputs

# apart from the seeds of replicas, which are small numbers one after another
_ASIDE = 1 << 32

Parameters = dict[str, torch.Tensor]  # of one network, by name


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
    shared : names of the parameters that more than one task trains; all others belong to one task each
    along_inputs : names of those others whose first axis is that of the inputs, as it is of all shared ones. ``maps``
        acts row by row along that axis: put sample scores in the place of both, and the maps become values (gradients
        with respect to the representation are taken that way)
    squash : how a gate becomes weights: "softmax" over e, "sigmoid", or None
    default_strength : of the penalty, None where the scheme has none; from :data:`SHARING`
    jitter : size of the random part of the starting heads
    further : columns, the last ones, of heads that only serve the tasks (:mod:`mtlbio.training.extras`): they start on
        no dimension of their own, and the start of the tasks does not depend on them
    """

    shared: tuple[str, ...] = ()
    along_inputs: tuple[str, ...] = ()
    squash: str | None = None
    default_strength: float | None = None
    jitter: float = 0.1
    further: int = 0

    def __init__(self, outputs: Outputs, width: int, strength: float | None = None):
        self.outputs, self.width = outputs, width
        self.strength = self.default_strength if strength is None else strength

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """Initial parameters of one network on ``n_inputs`` scores."""
        raise NotImplementedError

    def maps(self, parameters: Parameters) -> Maps:
        """The linear maps of one network."""
        raise NotImplementedError

    def shrink(self, parameters: Parameters, step: float, present: torch.Tensor) -> Parameters:
        """Parameters that the implicit step of the penalty changes: ``argmin penalty(new) + |new - old|^2 / (2 step)``.

        Only called where there is a strength.

        Parameters
        ----------
        parameters : of one network, after the step down the loss
        step : learning rate times strength
        present : (t,) bool; tasks that are not trained here (any more) take no part and stay what they are
        """
        raise NotImplementedError

    def starting_heads(self, generator: torch.Generator) -> torch.Tensor:
        """(b, columns): each column starts on a dimension of its own (cyclically where there are fewer). Random heads
        would couple the tasks with random signs, and half of the couplings would be negative transfer."""
        return self._heads(torch.arange(self.outputs.n_columns), generator)

    def starting_heads_of_task(self, generator: torch.Generator) -> torch.Tensor:
        """(b, columns): as :meth:`starting_heads`, for trunks of each task's own: all tasks start on the same ones."""
        places = [torch.arange(place.stop - place.start) for place in self.outputs.columns]
        return self._heads(torch.cat(places), generator)

    def _heads(self, places: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        heads = torch.zeros(self.width, len(places))
        heads[places % self.width, torch.arange(len(places))] = 1.0
        heads[:, len(places) - self.further :] = 0.0
        return heads + self.jitter * self.draws(self.width, generator)

    def draws(self, rows: int, generator: torch.Generator) -> torch.Tensor:
        """(rows, columns) standard normal numbers: all that is random about a start. Those of the further heads come
        from a generator of their own, so that every other number of the start is what it is without them."""
        drawn = torch.randn(rows, self.outputs.n_columns - self.further, generator=generator)
        if not self.further:
            return drawn
        aside = torch.Generator().manual_seed(generator.initial_seed() + _ASIDE)
        return torch.cat([drawn, torch.randn(rows, self.further, generator=aside)], dim=1)

    def heads_on(self, encoders: torch.Tensor, heads: torch.Tensor) -> torch.Tensor:
        """(r, columns) maps of trunks of each task's own (r, t, b) and heads (b, columns)."""
        return torch.cat([encoders[:, t] @ heads[:, place] for t, place in enumerate(self.outputs.columns)], dim=1)

    def per_column(self, of_tasks: torch.Tensor) -> torch.Tensor:
        """(..., columns) what belongs to the tasks (..., t), repeated for every column of a task."""
        shape, columns = of_tasks.shape[:-1], enumerate(self.outputs.columns)
        return torch.cat([of_tasks[..., t : t + 1].expand(*shape, c.stop - c.start) for t, c in columns], -1)


SCHEMES: dict[str, type[Sharing]] = {}


def scheme(name: str) -> Callable[[type[Sharing]], type[Sharing]]:
    """Register a scheme under the name that a run's YAML gives; its entry in :data:`SHARING` holds its strength."""
    if name not in SHARING:
        raise KeyError(f"{name}: has no entry in mtlbio/choices/sharing.py")

    def register(made: type[Sharing]) -> type[Sharing]:
        made.default_strength = SHARING[name].strength
        SCHEMES[name] = made
        return made

    return register


def combine(
    linear: torch.Tensor, gate: torch.Tensor | None, offset: torch.Tensor | None, squash: str | None
) -> torch.Tensor:
    """Values (..., n, c) from products (..., n, e, c) of the inputs with the maps; ``offset`` (..., e, c)."""
    if gate is None or offset is None:
        return linear.squeeze(-2)
    chosen = gate + offset.unsqueeze(-3)
    weights = torch.softmax(chosen, dim=-2) if squash == "softmax" else torch.sigmoid(chosen)
    return (weights * linear).sum(dim=-2)
