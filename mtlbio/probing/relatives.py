"""What relatives cost: how many unrelated donors would say as much about a label. No latent is looked at."""

import numpy as np

from mtlbio.cohort.family import FEW
from mtlbio.probing.association import task_design
from mtlbio.probing.design import Nuisance
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

# Intraclass correlation of a dimension in families that is assumed before any is seen: that of full siblings in a
# trait that is wholly heritable (Falconer & Mackay 1996, Introduction to Quantitative Genetics, table 9.1).
RESEMBLANCE = 0.5


def design_effect(columns: np.ndarray, nuisance: Nuisance, units: Units) -> float:
    """Variance of the effect of a label over that in as many unrelated donors, of several columns the worst; 1 or more.

    For errors with the intraclass correlation r in clusters the variance of a coefficient whose column leaves ``a``
    given the nuisance is ``1 + r (sum over clusters of (sum of a)^2 / sum of a^2 - 1)`` times that of independent ones
    (Moulton 1986, J. Econometrics 32:385): a label that all of a family have in common costs most, one on which
    relatives differ nothing. r is :data:`RESEMBLANCE`.

    ``columns``: (units, k).
    """
    if not units.families:
        return 1.0
    left = nuisance.residual(units.centre(columns))
    total = np.square(left).sum(axis=0)
    together = np.square(units.summed(left)).sum(axis=0)[total > 1e-9] / total[total > 1e-9]
    return float(max(1.0, 1 + RESEMBLANCE * (together.max(initial=1.0) - 1)))


def relatives(trial: Trial) -> list[dict]:
    """Rows of the audit of kind ``family``, one per task with a test: ``value`` is :func:`design_effect` given all
    covariates, ``n_effective`` the units over it; ``call`` is ``weak`` with fewer than ten families."""
    rows: list[dict] = []
    for name in trial.tasks if trial.family is not None else ():
        units = trial.task_units(name)
        if not units.testable(6):
            continue
        units, adjustment, columns = task_design(trial, name, units=units)
        cost = design_effect(columns, adjustment, units)
        row = {"kind": "family", "task": name, "covariate": "family", "unit": units.kind, "n": len(units)}
        row |= {"n_donors": units.donors, "association": "design_effect", "value": cost}
        row |= {"n_effective": len(units) / cost, "call": "weak" if units.clusters < FEW else "ok"}
        rows.append(row | {"why": _why(trial, name, units, cost)})
    return rows


def _why(trial: Trial, task: str, units: Units, cost: float) -> str:
    words = trial.words
    largest = int(np.bincount(units.cluster[np.unique(units.owner, return_index=True)[1]]).max())
    count = f"{units.clusters} families, the largest of {largest} {words.unit if largest == 1 else words.units}"
    few = "; so few families carry no firm claim" if units.clusters < FEW else ""
    start = f"{task}: {units.donors} {words.units} are of {count}, and families are what is counted"
    if cost < 1.05:
        return f"{start}{few}. That costs little here: relatives differ in {task}, or few {words.units} have any."
    what = words.units if units.kind == "donor" else f"{words.unit} states"
    return (
        f"{start}{few}. For a dimension that runs in families like a heritable trait in siblings (intraclass "
        f"correlation {RESEMBLANCE:g}) these {len(units)} {what} say as much as {len(units) / cost:.0f} unrelated ones."
    )
