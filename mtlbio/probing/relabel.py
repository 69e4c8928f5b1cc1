"""Other labels that the donors could have had if expression knew nothing of them.

A permutation is a map of rows: sample i gets *all* outcome labels of sample ``source[i]``, known or missing, so the
relations between tasks stay. Covariates, and tasks that are covariates too, stay where they are.

- A donor's whole set of labels goes to another donor of its stratum (technical factors crossed, each at the donor's
  modal level, small strata merged, as for every exchange of the trial). Where the numbers of samples differ, the set
  is stretched or thinned in its order.
- Paired designs, where most donors were seen in more than one state, are compared within donors, so there the states
  are exchanged within the donor, all samples of a state together, as the trial's own randomisation does it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import TrialOptions
from mtlbio.errors import InputError
from mtlbio.probing.design import nuisance
from mtlbio.probing.inference import exchanges
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import donor_units


@dataclass(frozen=True)
class Relabelling:
    """What may be exchanged for what.

    Attributes
    ----------
    outcomes : tasks whose labels are permuted
    rows : per donor, its samples
    strata : (donors,) within which whole sets of labels are exchanged
    state : (samples,) code of the state of a sample in the paired outcomes, -1 where one of them is missing
    between, within : whether sets go to other donors, whether states are exchanged within donors
    """

    outcomes: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    strata: np.ndarray
    state: np.ndarray
    between: bool
    within: bool

    @classmethod
    def of(cls, cohort: Cohort) -> Relabelling:
        """Read the design of a cohort; an InputError where every task is a covariate too: no outcome is left."""
        trial = Trial.to_come(cohort.obs, cohort.tasks, cohort.covariates, TrialOptions())
        outcomes, donors = tuple(trial.outcomes), trial.donors
        if not outcomes:
            raise InputError("probe.null_refits: every task is a covariate too; the null needs an outcome to permute")
        paired = [name for name in outcomes if trial.task_units(name).within]
        labels = np.stack([trial.labels(name) for name in paired or outcomes], axis=1)
        state = np.unique(np.nan_to_num(labels, nan=-1.0), axis=0, return_inverse=True)[1].ravel()
        technical = [c for c in trial.role("technical") if c.kind == "categorical"]
        units = donor_units(donors, np.ones(len(donors), dtype=bool))
        return cls(
            outcomes,
            tuple(np.flatnonzero(donors == name) for name in np.unique(donors)),
            nuisance(cohort.obs, technical, units, interactions=False).strata,
            np.where(np.isnan(labels).any(axis=1), -1, state),
            between=len(paired) < len(outcomes),
            within=bool(paired),
        )

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """(samples,) the sample whose labels each sample gets."""
        order = exchanges(self.strata, 1, rng)[0] if self.between else np.arange(len(self.rows))
        source = np.empty(len(self.state), dtype=int)
        for rows, giver in zip(self.rows, order, strict=True):
            labels = self._exchanged(self.rows[giver], rng) if self.within else self.rows[giver]
            source[rows] = _spread(labels, len(rows))
        return source

    def _exchanged(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The rows of one donor with its states exchanged."""
        state, out = self.state[rows], rows.copy()
        states = np.unique(state[state >= 0])
        for old, new in zip(states, rng.permutation(states), strict=True):
            out[state == old] = _spread(rows[state == new], int((state == old).sum()))
        return out


def relabelled(cohort: Cohort, outcomes: tuple[str, ...], source: np.ndarray) -> Cohort:
    """The cohort in which every sample has the outcome labels of sample ``source`` (samples,)."""
    obs = cohort.obs.copy()
    for name in outcomes:
        obs[name] = cohort.obs[name].iloc[source].set_axis(obs.index)
    return replace(cohort, obs=obs)


def _spread(rows: np.ndarray, n: int) -> np.ndarray:
    """``n`` of the rows in their order, each as often as the others, give or take one."""
    return rows[(2 * np.arange(n) + 1) * len(rows) // (2 * n)]
