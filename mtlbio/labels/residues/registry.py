"""Kinds of label of residues by name."""

from mtlbio.labels.registry import Registry
from mtlbio.labels.residues.accessibility import Accessibility
from mtlbio.labels.residues.base import ResidueLabel
from mtlbio.labels.residues.binary import ResidueBinary
from mtlbio.labels.residues.regression import ResidueRegression
from mtlbio.labels.residues.states import SecondaryStructure

RESIDUE_LABELS: Registry[ResidueLabel] = Registry(
    "mtlbio.residue_labels", SecondaryStructure, Accessibility, ResidueBinary, ResidueRegression
)
register, residue_kinds, residue_kind = RESIDUE_LABELS.register, RESIDUE_LABELS.kinds, RESIDUE_LABELS.named


def read_residue_label(saved: dict) -> ResidueLabel:
    """Inverse of :meth:`mtlbio.labels.residues.base.ResidueLabel.saved`."""
    return residue_kind(saved["kind"])(**{key: value for key, value in saved.items() if key != "kind"})
