"""How a run learns its tasks together, and which choices go together."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from mtlbio.choices.balancers import BALANCERS, checked_options
from mtlbio.choices.sharing import SHARED, SHARING, check_sharing
from mtlbio.errors import InputError, listing


@dataclass(frozen=True)
class MultitaskOptions:
    """How tasks share parameters and how their gradients are put together."""

    sharing: str = "hard"  # one of :data:`mtlbio.choices.sharing.SHARING`
    sharing_strength: float | None = None  # of its penalty; None: the scheme's default
    balancing: str = "equal"  # one of :data:`mtlbio.choices.balancers.BALANCERS`
    balancing_options: dict = field(default_factory=dict)
    # what a balancer of gradients compares: gradients on the "trunk", the shared parameters, or on the
    # "representation", what those make of the samples
    gradient: str = "trunk"

    @classmethod
    def of(cls, options) -> MultitaskOptions:
        """From the section ``training`` of a run."""
        return cls(**{option.name: getattr(options, option.name) for option in fields(cls)})

    def check(self, adversary: bool = False) -> None:
        """Raise InputError where a value is wrong or would do nothing; ``adversary`` is whether there is one."""
        check_sharing(self.sharing, self.sharing_strength)
        check_balancing(self.balancing, self.balancing_options)
        shared, compares = SHARING[self.sharing].shared, BALANCERS[self.balancing].reads_gramian
        if self.gradient != "trunk" and not compares:
            raise InputError(
                f"training.gradient: found {self.gradient!r}, but {self.balancing} compares no gradients, so it would "
                f"do nothing; valid: trunk"
            )
        if adversary and not shared:
            raise InputError(
                f"training.adversary: {self.sharing} sharing has no shared parameters for it to reach; valid: "
                f"{listing(SHARED, limit=20)}"
            )
        if compares and not shared:
            valid = [name for name, facts in BALANCERS.items() if not facts.reads_gramian]
            raise InputError(
                f"training.balancing: {self.balancing} reads gradients on shared parameters, and {self.sharing} "
                f"sharing has none; valid: {listing(valid, limit=20)}"
            )


PLAIN = MultitaskOptions()


def check_balancing(name: str, options: dict) -> None:
    """Check a balancer and its options; InputError with the key of the YAML where something is wrong."""
    try:
        checked_options(name, options)
    except InputError as error:
        raise InputError(f"training.balancing_options: {error}") from None
