"""What a run chooses of the multi-task machinery."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Machinery:
    """How tasks share parameters and how their gradients are put together.

    Attributes
    ----------
    sharing : name of a scheme of :mod:`mtlbio.model.sharing`
    sharing_strength : of its penalty; None: the scheme's default
    balancing : name of a balancer of :mod:`mtlbio.training.balancing`
    balancing_options : of that balancer
    gradient : what a balancer of gradients compares: gradients on the "trunk", the shared parameters, or on the
        "representation", what those make of the samples
    """

    sharing: str = "hard"
    sharing_strength: float | None = None
    balancing: str = "equal"
    balancing_options: dict = field(default_factory=dict)
    gradient: str = "trunk"


PLAIN = Machinery()
