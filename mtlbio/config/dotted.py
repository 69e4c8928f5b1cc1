"""Values of a run by the dotted keys that its user knows: ``training.genes``, ``chains.own.path``."""

from __future__ import annotations

from functools import reduce
from operator import getitem
from typing import Any, TypeVar

from mtlbio.section import Section

S = TypeVar("S", bound=Section)


def dump_of(section: Section, keys: tuple[str, ...]) -> dict[str, Any]:
    """Key -> what JSON can hold of its value.

    Examples
    --------
    >>> from mtlbio.config import Splits
    >>> dump_of(Splits(seed=3), ("seed", "kind"))
    {'seed': 3, 'kind': 'donor'}
    """
    whole = section.model_dump(mode="json")
    return {key: reduce(getitem, key.split("."), whole) for key in keys}


def with_value(section: S, key: str, value: Any) -> S:
    """The section with another value at ``key``; what is not on the way stays the same object.

    Examples
    --------
    >>> from mtlbio.config import Splits
    >>> with_value(Splits(), "seed", 3).seed
    3
    """
    first, _, rest = key.partition(".")
    if rest:
        inner = getattr(section, first)
        if isinstance(inner, dict):
            name, _, rest = rest.partition(".")
            value = inner | {name: with_value(inner[name], rest, value)}
        else:
            value = with_value(inner, rest, value)
    return section.model_copy(update={first: value})
