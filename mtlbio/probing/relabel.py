"""Other labels that the donors could have had if expression knew nothing of them.

A permutation is a map of rows: sample i gets *all* outcome labels of sample ``source[i]``, known or missing, so the
relations between tasks stay. Covariates, and tasks that are covariates too, stay where they are.

- A donor's whole set of labels goes to another donor of its stratum (technical factors crossed, each at the donor's
  modal level, small strata merged, as for every exchange of the trial). Where the numbers of samples differ, the set
  is stretched or thinned in its order.
- Where families are known, the sets of a whole family go to another family: those of its first donor to the other's
  first, and so on; where the sizes differ, donors' sets are taken twice or left out.
- Paired designs, where most donors were seen in more than one state, are compared within donors, so there the states
  are exchanged within the donor, all samples of a state together, as the trial's own randomisation does it. Relatives
  with the same states exchange them alike.
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
    families : per donor, or per family where they are known, places of its donors in ``rows``
    strata : (families,) within which whole sets of labels are exchanged
    state : (samples,) code of the state of a sample in the paired outcomes, -1 where one of them is missing
    between, within : whether sets go to other donors, whether states are exchanged within donors
    """

    outcomes: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    families: tuple[np.ndarray, ...]
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
        # a whole family is what is exchanged
        units = donor_units(trial.clusters, np.ones(len(donors), dtype=bool))
        of_donors = trial.clusters[np.unique(donors, return_index=True)[1]]
        return cls(
            outcomes,
            tuple(np.flatnonzero(donors == name) for name in np.unique(donors)),
            tuple(np.flatnonzero(of_donors == name) for name in np.unique(of_donors)),
            nuisance(cohort.obs, technical, units, interactions=False).strata,
            np.where(np.isnan(labels).any(axis=1), -1, state),
            between=len(paired) < len(outcomes),
            within=bool(paired),
        )

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """(samples,) the sample whose labels each sample gets."""
        order = exchanges(self.strata, 1, rng)[0] if self.between else np.arange(len(self.families))
        source = np.empty(len(self.state), dtype=int)
        for takers, giver in zip(self.families, order, strict=True):
            drawn: dict[tuple, np.ndarray] = {}  # states -> their exchange, the same for all of a family
            for taker, other in zip(takers, _spread(self.families[giver], len(takers)), strict=True):
                labels = self._exchanged(self.rows[other], rng, drawn) if self.within else self.rows[other]
                source[self.rows[taker]] = _spread(labels, len(self.rows[taker]))
        return source

    def _exchanged(self, rows: np.ndarray, rng: np.random.Generator, drawn: dict[tuple, np.ndarray]) -> np.ndarray:
        """The rows of one donor with its states exchanged, as ``drawn`` has it for these states."""
        state, out = self.state[rows], rows.copy()
        states = np.unique(state[state >= 0])
        if tuple(states) not in drawn:
            drawn[tuple(states)] = rng.permutation(states)
        for old, new in zip(states, drawn[tuple(states)], strict=True):
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
