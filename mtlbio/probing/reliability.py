"""How unreliably a covariate would have to be recorded for an effect to vanish: what is not declared may be so."""

from dataclasses import replace

import numpy as np

from mtlbio.probing.association import task_design
from mtlbio.probing.inference import Contrast, Wald
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

GRID = tuple(np.round(np.arange(0.95, 0.29, -0.05), 2).tolist())
_LEVEL = 0.05  # of the interval that has to leave zero out


def reliability_needed(trial: Trial, task: str) -> tuple[np.ndarray, list[str | None]]:
    """Reliability at which an effect can no longer be told from none, were that a covariate's true reliability.

    The test of the task is corrected for a reliability (:mod:`mtlbio.probing.measurement_error`) of every continuous
    confounder in turn, from the declared one downwards, the others as they are declared. Of several confounders the one
    that takes least to take the effect away counts: the largest reliability.

    Returns
    -------
    needed : (D,) the largest of ``GRID`` at which the 95 % interval of the effect holds zero, or its sign has turned;
        NaN where none does, or the interval holds zero already
    of : (D,) the confounder
    """
    needed = np.full(len(trial.dims), np.nan)
    of: list[str | None] = [None] * len(trial.dims)
    units = trial.task_units(task)
    if not trial.visits or not units.testable(6):  # numbers of a chain are computed, not recorded
        return needed, of
    base = _test(trial, task, units)
    shown = base.p <= _LEVEL
    for info in trial.role("confounder"):
        if info.kind != "continuous" or info.estimated or info.name == task or info.name in trial.within:
            continue
        left = shown.copy()
        for reliability in [value for value in GRID if value < info.reliability]:
            if not left.any():
                break
            supposed = trial.covariates | {info.name: replace(info, reliability=reliability)}
            wald = _test(replace(trial, covariates=supposed), task, units)
            turned = (np.sign(wald.coefficients) != np.sign(base.coefficients)).all(axis=0)
            fallen = left & (turned | ~(wald.p <= _LEVEL))
            for d in np.flatnonzero(fallen & ~(needed >= reliability)).tolist():
                needed[d], of[d] = reliability, info.name
            left &= ~fallen
    return needed, of


def _test(trial: Trial, task: str, units: Units) -> Wald:
    units, adjustment, columns = task_design(trial, task, units=units)
    return Contrast(columns, adjustment, units).wald(units.mean(trial.z))
