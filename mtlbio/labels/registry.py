"""Kinds of label by name: those of the package, and those that somebody else brings."""

from __future__ import annotations

from mtlbio.labels.base import Label
from mtlbio.labels.binary import Binary
from mtlbio.labels.known import add, named
from mtlbio.labels.multiclass import Multiclass
from mtlbio.labels.ordinal import Ordinal
from mtlbio.labels.regression import Regression
from mtlbio.metrics import register as register_metrics

_KINDS: dict[str, type[Label]] = {}


def register(kind: type[Label]) -> type[Label]:
    """Make a kind of label known; also a decorator. A ValueError where another class has that name already."""
    add(_KINDS, kind)
    if isinstance(kind.metrics, tuple):  # metrics that depend on the label are told by the label
        register_metrics(*kind.metrics)
    return kind


for _kind in (Binary, Multiclass, Regression, Ordinal):
    _KINDS[_kind.kind] = _kind


def kinds() -> dict[str, type[Label]]:
    """All that are known so far, by name."""
    return dict(_KINDS)


def label_kind(name: str) -> type[Label]:
    """The kind of that name, also one that an installed package brings; an InputError where nobody does."""
    return named(_KINDS, name, "mtlbio.labels", register)


def read_label(saved: dict) -> Label:
    """Inverse of :meth:`mtlbio.labels.base.Label.saved`."""
    return label_kind(saved["kind"]).restored(saved)


def of_covariate(name: str, levels: tuple[str, ...]) -> Label:
    """A covariate as something to be predicted: classes where it has levels, a number where it has none."""
    if not levels:
        return Regression(name)
    return Binary(name, levels) if len(levels) == 2 else Multiclass(name, levels)
