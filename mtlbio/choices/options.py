"""Options of a method: their defaults, and which values they may have."""

import math
from dataclasses import dataclass

from mtlbio.errors import InputError, listing


@dataclass(frozen=True)
class Number:
    """A number within bounds; ``above`` and ``below`` are excluded, ``at_least`` and ``at_most`` included."""

    default: float  # where the run names none
    above: float = -math.inf
    below: float = math.inf
    at_least: float = -math.inf
    at_most: float = math.inf

    def check(self, where: str, value) -> float:
        """``value`` as a float; else an InputError with ``where`` (the method and the option) and the valid range."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and self.above < value < self.below and self.at_least <= value <= self.at_most):
            words = {"above": self.above, "at least": self.at_least, "below": self.below, "at most": self.at_most}
            bounds = [f"{word} {bound:g}" for word, bound in words.items() if math.isfinite(bound)]
            raise InputError(f"{where}: found {value!r}; valid: a number {' and '.join(bounds)}")
        return float(value)


@dataclass(frozen=True)
class Choice:
    """One of some words, ``valid`` are all of them."""

    default: str  # where the run names none
    valid: tuple[str, ...]

    def check(self, where: str, value) -> str:
        """``value``; InputError, as in :meth:`Number.check`, where it is none of the words."""
        if value not in self.valid:
            raise InputError(f"{where}: found {value!r}; valid: {listing(self.valid)}")
        return value
