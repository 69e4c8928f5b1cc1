"""Values of a run by the dotted keys that its user knows: ``training.genes``, ``chains.own.path``."""

from __future__ import annotations

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

    def pick(key: str):
        value: Any = whole
        for part in key.split("."):
            value = value[part]
        return value

    return {key: pick(key) for key in keys}


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
        own = getattr(section, first)
        if isinstance(own, dict):
            name, _, rest = rest.partition(".")
            value = own | {name: with_value(own[name], rest, value)}
        else:
            value = with_value(own, rest, value)
    return section.model_copy(update={first: value})
