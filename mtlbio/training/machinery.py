"""What a run chooses of the multi-task machinery, and which choices go together."""

from __future__ import annotations

from dataclasses import dataclass, field

from mtlbio.errors import InputError, listing


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

    @classmethod
    def of(cls, options) -> Machinery:
        """From the section ``training`` of a run."""
        names = ("sharing", "sharing_strength", "balancing", "balancing_options", "gradient")
        return cls(**{name: getattr(options, name) for name in names})

    def check(self, adversary: bool = False) -> None:
        """Raise InputError where an option would do nothing; ``adversary`` is whether there is one."""
        from mtlbio.model.outputs import Outputs
        from mtlbio.model.sharing.scheme import make_sharing
        from mtlbio.training.balancing import make_balancer

        sharing = make_sharing(self.sharing, Outputs.of({}), 1, self.sharing_strength)
        try:
            balancer = make_balancer(self.balancing, ("a", "b"), 1, **self.balancing_options)
        except InputError as error:
            raise InputError(f"training.balancing_options: {error}") from None
        if self.gradient != "trunk" and not balancer.reads_gramian:
            raise InputError(
                f"training.gradient: found {self.gradient!r}, but {self.balancing} compares no gradients, so it would "
                f"do nothing; valid: trunk"
            )
        if adversary and not sharing.shared:
            raise InputError(
                f"training.adversary: {self.sharing} sharing has no shared parameters for it to reach; valid: "
                f"{listing(_with_a_shared_part(), limit=20)}"
            )
        if balancer.reads_gramian and not sharing.shared:
            raise InputError(
                f"training.balancing: {self.balancing} reads gradients on shared parameters, and {self.sharing} "
                f"sharing has none; valid: {listing(_of_losses(), limit=20)}"
            )


def _of_losses() -> list[str]:
    """Balancers that look at losses only."""
    from mtlbio.training.balancing.registry import registered

    return [name for name, made in registered().items() if not made.reads_gramian]


def _with_a_shared_part() -> list[str]:
    """Sharing schemes in which gradients of several tasks meet."""
    from mtlbio.model.outputs import Outputs
    from mtlbio.model.sharing.names import SHARING
    from mtlbio.model.sharing.scheme import make_sharing

    return [name for name in SHARING if make_sharing(name, Outputs.of({}), 1).shared]


PLAIN = Machinery()
