"""Values of a balancer's options are checked when it is made, not when it first goes wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mtlbio.errors import InputError, listing


def number(method: str, option: str, value, above=-math.inf, below=math.inf, at_least=-math.inf, at_most=math.inf):
    """``value`` as a float within bounds, of which ``above`` and ``below`` exclude the bound itself.

    Raises
    ------
    InputError
        naming the method, the option and the valid range
    """
    good = (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and above < value < below
        and at_least <= value <= at_most
    )
    if not good:
        words = (("above", above), ("at least", at_least), ("below", below), ("at most", at_most))
        bounds = [f"{word} {bound:g}" for word, bound in words if math.isfinite(bound)]
        raise InputError(f"balancing {method}: {option}: found {value!r}; valid: a number {' and '.join(bounds)}")
    return float(value)


def choice(method: str, option: str, value, valid: Iterable[str]) -> str:
    """``value`` as one of ``valid``; InputError otherwise."""
    valid = tuple(valid)
    if value not in valid:
        raise InputError(f"balancing {method}: {option}: found {value!r}; valid: {listing(valid)}")
    return value
