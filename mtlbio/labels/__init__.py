"""Kinds of label, one file each: all that is specific to a kind of label stands there, and nowhere else.

:class:`Label` says what a kind offers. A new kind is one file with one class; :func:`register` makes it known, or an
entry point of the group ``mtlbio.labels`` whose value names the class.
"""

from mtlbio.labels.base import Effects, Label, OwnModel, TaskSection
from mtlbio.labels.binary import Binary
from mtlbio.labels.multiclass import Multiclass
from mtlbio.labels.ordinal import Ordinal
from mtlbio.labels.registry import kinds, label_kind, of_covariate, read_label, register
from mtlbio.labels.regression import Regression
from mtlbio.labels.survival import Survival

__all__ = [
    "Binary", "Effects", "Label", "Multiclass", "Ordinal", "OwnModel", "Regression", "Survival", "TaskSection", "kinds",
    "label_kind", "of_covariate", "read_label", "register",
]  # fmt: skip
