"""Kinds of label by name: those of the package, and those that somebody else registers or brings by an entry point."""

from importlib import metadata
from typing import Any, Generic, TypeVar

from mtlbio.errors import InputError, listing
from mtlbio.labels.base import Label
from mtlbio.labels.binary import Binary
from mtlbio.labels.multiclass import Multiclass
from mtlbio.labels.ordinal import Ordinal
from mtlbio.labels.regression import Regression
from mtlbio.labels.survival import Survival
from mtlbio.metrics import register as register_metrics

K = TypeVar("K", bound=Any)  # a class with the name of its ``kind``


class Registry(Generic[K]):
    """Classes by the name of their kind; ``group`` is that of the entry points by which a package brings its own."""

    def __init__(self, group: str, *kinds: type[K]) -> None:
        self.group = group
        self.by_name = {kind.kind: kind for kind in kinds}

    def register(self, kind: type[K]) -> type[K]:
        """Add a kind of label; also a decorator. A ValueError where another class has that name already.

        Examples
        --------
        >>> LABELS.register(Binary) is Binary
        True
        """
        other = self.by_name.setdefault(kind.kind, kind)
        if other is not kind:
            raise ValueError(f"a kind of label {kind.kind!r} is known already: {other.__module__}")
        if not isinstance(kind.metrics, property):  # where they depend on the label, the label gives them
            register_metrics(*kind.metrics)
        return kind

    def kinds(self) -> dict[str, type[K]]:
        """All that there are so far, by name.

        Examples
        --------
        >>> sorted(LABELS.kinds())[:2]
        ['binary', 'multiclass']
        """
        return dict(self.by_name)

    def named(self, name: str) -> type[K]:
        """The kind of that name, also one that an installed package brings; an InputError where nobody does.

        Examples
        --------
        >>> LABELS.named("binary").contrast
        'SD between classes'
        >>> LABELS.named("weekday")
        Traceback (most recent call last):
        mtlbio.errors.InputError: kind: found 'weekday'; expected binary, multiclass, regression, ordinal, survival
        """
        if name not in self.by_name:
            for point in metadata.entry_points(group=self.group, name=str(name)):
                self.register(point.load())
        if name not in self.by_name:
            raise InputError(f"kind: found {name!r}; expected {listing(self.by_name)}")
        return self.by_name[name]


LABELS: Registry[Label] = Registry("mtlbio.labels", Binary, Multiclass, Regression, Ordinal, Survival)
register, kinds, label_kind = LABELS.register, LABELS.kinds, LABELS.named


def read_label(saved: dict) -> Label:
    """Inverse of :meth:`mtlbio.labels.base.Label.saved`.

    Examples
    --------
    >>> label = of_covariate("sex", ("female", "male"))
    >>> read_label(label.saved()) == label
    True
    """
    return label_kind(saved["kind"]).restored(saved)


def of_covariate(name: str, levels: tuple[str, ...]) -> Label:
    """A covariate as something to be predicted: classes where it has levels, a number where it has none.

    Examples
    --------
    >>> of_covariate("sex", ("female", "male")).kind, of_covariate("age", ()).kind
    ('binary', 'regression')
    """
    if not levels:
        return Regression(name)
    return Binary(name, levels) if len(levels) == 2 else Multiclass(name, levels)
