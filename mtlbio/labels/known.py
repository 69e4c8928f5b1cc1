"""Classes by name: those of the package, and those that somebody else registers or brings by an entry point."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import ClassVar, Protocol, TypeVar

from mtlbio.errors import InputError, listing


class Named(Protocol):
    """Has a name, which is the ``kind`` of its section."""

    kind: ClassVar[str]


K = TypeVar("K", bound=Named)


def add(known: dict[str, type[K]], kind: type[K]) -> type[K]:
    """Make a kind of label known.

    Raises
    ------
    ValueError
        Another class has that name already.
    """
    if known.get(kind.kind, kind) is not kind:
        raise ValueError(f"a kind of label {kind.kind!r} is known already: {known[kind.kind].__module__}")
    known[kind.kind] = kind
    return kind


def named(known: dict[str, type[K]], name: str, group: str, register: Callable[[type[K]], type[K]]) -> type[K]:
    """The kind of that name; one that is not known is looked for among installed packages (entry points ``group``).

    Raises
    ------
    InputError
        Nobody brings such a kind.
    """
    if name not in known:
        for point in metadata.entry_points(group=group, name=str(name)):
            register(point.load())
    if name not in known:
        raise InputError(f"kind: found {name!r}; expected {listing(known)}")
    return known[name]
