"""Kinds of label of residues by name."""

from __future__ import annotations

from mtlbio.labels.known import add, named
from mtlbio.labels.residues.accessibility import Accessibility
from mtlbio.labels.residues.base import ResidueLabel
from mtlbio.labels.residues.binary import ResidueBinary
from mtlbio.labels.residues.regression import ResidueRegression
from mtlbio.labels.residues.states import SecondaryStructure

_KINDS: dict[str, type[ResidueLabel]] = {
    kind.kind: kind for kind in (SecondaryStructure, Accessibility, ResidueBinary, ResidueRegression)
}


def register(kind: type[ResidueLabel]) -> type[ResidueLabel]:
    """Make a kind of label known; also a decorator. A ValueError where another class has that name already."""
    return add(_KINDS, kind)


def residue_kinds() -> dict[str, type[ResidueLabel]]:
    """All that are known so far, by name."""
    return dict(_KINDS)


def residue_kind(name: str) -> type[ResidueLabel]:
    """The kind of that name, also one that an installed package brings; an InputError where nobody does."""
    return named(_KINDS, name, "mtlbio.residue_labels", register)


def read_residue_label(saved: dict) -> ResidueLabel:
    """Inverse of :meth:`mtlbio.labels.residues.base.ResidueLabel.saved`."""
    return residue_kind(saved["kind"])(**{key: value for key, value in saved.items() if key != "kind"})
