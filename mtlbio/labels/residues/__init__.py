"""Kinds of label of the residues of a chain, one file each; :class:`ResidueLabel` says what a kind offers."""

from mtlbio.labels.residues.accessibility import Accessibility
from mtlbio.labels.residues.base import ResidueLabel, ResidueSection
from mtlbio.labels.residues.binary import ResidueBinary
from mtlbio.labels.residues.registry import read_residue_label, register, residue_kind, residue_kinds
from mtlbio.labels.residues.regression import ResidueRegression
from mtlbio.labels.residues.states import SecondaryStructure

__all__ = [
    "Accessibility", "ResidueBinary", "ResidueLabel", "ResidueRegression", "ResidueSection", "SecondaryStructure",
    "read_residue_label", "register", "residue_kind", "residue_kinds",
]  # fmt: skip
