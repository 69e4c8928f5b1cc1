"""What ``mtlbio plan`` knows of a cohort and of each of its tasks before anything is measured."""

from dataclasses import dataclass, field

import pandas as pd

from mtlbio.labels import Label
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units


@dataclass(frozen=True)
class Design:
    """What is known of a cohort before it is measured.

    Attributes
    ----------
    trial : to come, its design audited; ``audit``: the table
    dims : dimensions that are expected
    dropped : reason -> number of samples (cells) that are left out
    cells : (samples, k) scores of cell types that could be held fixed and are not
    """

    name: str
    trial: Trial
    audit: pd.DataFrame
    dims: int
    dropped: dict[str, int]
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class TaskPlan:
    """What can be found out about one task.

    Attributes
    ----------
    units : on which it is tested
    outcome : whether biology can be about it
    vif : given all covariates, from the audit
    classes : donors per class, empty for numbers
    smallest : smallest effect that becomes biology with 80 % power, in SD of a dimension; where events are counted, a
        log hazard ratio per SD
    needed : effect -> donors that find it
    events, events_needed : how many there are, and effect -> events that find it, of a label whose power grows with
        them; NaN and empty of others
    harmless : donors that show useless dimensions to be harmless
    pooled : covariate -> how many of its rare levels are pooled in the adjustment
    obstacle : why no number of dimensions or size of effect makes biology with these donors; empty where nothing does
    cost : how many times as many relatives are needed as unrelated donors (:mod:`mtlbio.probing.relatives`)
    """

    label: Label
    units: Units
    outcome: bool
    vif: float
    classes: dict[str, int]
    smallest: float
    needed: dict[float, float]
    harmless: float
    pooled: dict[str, int] = field(default_factory=dict)
    obstacle: str = ""
    cost: float = 1.0
    events: float = float("nan")
    events_needed: dict[float, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the task."""
        return self.label.name

    @property
    def donors(self) -> int:
        """Labelled donors with known covariates."""
        return self.units.donors

    @property
    def n_effective(self) -> float:
        """Units that would say as much if no covariate told the label and nobody had relatives."""
        return len(self.units) / self.vif / self.cost

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
        """Share of the rarest class; NaN without classes."""
        return self.fewest / max(sum(self.classes.values()), 1)
