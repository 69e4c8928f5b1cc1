"""Kinds of label by name: those of the package, and those that somebody else brings."""

from __future__ import annotations

from importlib import metadata

from mtlbio.errors import InputError, listing
from mtlbio.labels.base import Label
from mtlbio.labels.binary import Binary
from mtlbio.labels.multiclass import Multiclass
from mtlbio.labels.ordinal import Ordinal
from mtlbio.labels.regression import Regression
from mtlbio.metrics import register as register_metrics

_KINDS: dict[str, type[Label]] = {}


def register(kind: type[Label]) -> type[Label]:
    """Make a kind of label known; also a decorator.

    Raises
    ------
    ValueError
        Another class has that name already.
    """
    if _KINDS.get(kind.kind, kind) is not kind:
        raise ValueError(f"a kind of label {kind.kind!r} is known already: {_KINDS[kind.kind].__module__}")
    _KINDS[kind.kind] = kind
    if isinstance(kind.metrics, tuple):  # metrics that depend on the label are told by the label
        register_metrics(*kind.metrics)
    return kind


for _kind in (Binary, Multiclass, Regression, Ordinal):
    _KINDS[_kind.kind] = _kind


def kinds() -> dict[str, type[Label]]:
    """All that are known so far, by name."""
    return dict(_KINDS)


def label_kind(name: str) -> type[Label]:
    """The kind of that name; one that is not known is looked for among installed packages.

    Raises
    ------
    InputError
        Nobody brings such a kind.
    """
    if name not in _KINDS:
        for point in metadata.entry_points(group="mtlbio.labels", name=str(name)):
            register(point.load())
    if name not in _KINDS:
        raise InputError(f"kind: found {name!r}; expected {listing(_KINDS)}")
    return _KINDS[name]


def read_label(saved: dict) -> Label:
    """Inverse of :meth:`mtlbio.labels.base.Label.saved`."""
    return label_kind(saved["kind"]).restored(saved)


def of_covariate(name: str, levels: tuple[str, ...]) -> Label:
    """A covariate as something to be predicted: classes where it has levels, a number where it has none."""
    if not levels:
        return Regression(name)
    return Binary(name, levels) if len(levels) == 2 else Multiclass(name, levels)
