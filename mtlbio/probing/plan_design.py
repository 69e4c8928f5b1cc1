"""What ``mtlbio plan`` knows of a cohort and of each of its tasks before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mtlbio.labels import Label
from mtlbio.probing.trial import Trial


@dataclass(frozen=True)
class Design:
    """What is known of a cohort before it is measured.

    Attributes
    ----------
    trial : to come, its design audited; ``audit``: the table
    dims : dimensions that are expected
    dropped : reason -> number of samples (cells) that are left out
    """

    name: str
    trial: Trial
    audit: pd.DataFrame
    dims: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class TaskPlan:
    """What can be found out about one task.

    Attributes
    ----------
    label : of the task
    outcome : whether biology can be about it
    donors, units, unit : labelled donors with known covariates; what is counted, and its kind
    within : donors are compared with themselves (paired designs)
    vif, n_effective : given all covariates, from the audit
    classes : donors per class, empty for numbers
    variance : of the label in the test: p (1 - p) of the rarest class, 1 for numbers
    smallest : smallest effect that becomes biology with 80 % power, in SD of a dimension
    needed : effect -> donors that find it
    harmless : donors that show useless dimensions to be harmless
    pooled : covariates of which rare levels are pooled in the adjustment, in words
    """

    label: Label
    outcome: bool
    donors: int
    units: int
    unit: str
    within: bool
    vif: float
    n_effective: float
    classes: dict[str, int]
    variance: float
    smallest: float
    needed: dict[float, float]
    harmless: float
    pooled: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the task."""
        return self.label.name

    @property
    def rarest(self) -> str | None:
        """The class of fewest donors; None without classes."""
        return min(self.classes, key=lambda name: self.classes[name], default=None)

    @property
    def fewest(self) -> float:
        """Donors of the rarest class; NaN without classes."""
        return min(self.classes.values(), default=float("nan"))

    @property
    def balance(self) -> float:
        """Share of the rarest class."""
        return self.fewest / max(sum(self.classes.values()), 1)
