"""Kinds of label of residues by name."""

from __future__ import annotations

from importlib import metadata

from mtlbio.errors import InputError, listing
from mtlbio.labels.residues.accessibility import Accessibility
from mtlbio.labels.residues.base import ResidueLabel
from mtlbio.labels.residues.binary import ResidueBinary
from mtlbio.labels.residues.regression import ResidueRegression
from mtlbio.labels.residues.states import SecondaryStructure

_KINDS: dict[str, type[ResidueLabel]] = {
    kind.kind: kind for kind in (SecondaryStructure, Accessibility, ResidueBinary, ResidueRegression)
}


def register(kind: type[ResidueLabel]) -> type[ResidueLabel]:
    """Make a kind of label known; also a decorator.

    Raises
    ------
    ValueError
        Another class has that name already.
    """
    if _KINDS.get(kind.kind, kind) is not kind:
        raise ValueError(f"a kind of label {kind.kind!r} is known already: {_KINDS[kind.kind].__module__}")
    _KINDS[kind.kind] = kind
    return kind


def residue_kinds() -> dict[str, type[ResidueLabel]]:
    """All that are known so far, by name."""
    return dict(_KINDS)


def residue_kind(name: str) -> type[ResidueLabel]:
    """The kind of that name; one that is not known is looked for among installed packages.

    Raises
    ------
    InputError
        Nobody brings such a kind.
    """
    if name not in _KINDS:
        for point in metadata.entry_points(group="mtlbio.residue_labels", name=str(name)):
            register(point.load())
    if name not in _KINDS:
        raise InputError(f"kind: found {name!r}; expected {listing(_KINDS)}")
    return _KINDS[name]


def read_residue_label(saved: dict) -> ResidueLabel:
    """Inverse of :meth:`mtlbio.labels.residues.base.ResidueLabel.saved`."""
    return residue_kind(saved["kind"])(**{key: value for key, value in saved.items() if key != "kind"})
