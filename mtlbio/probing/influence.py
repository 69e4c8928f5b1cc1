"""How much of an effect is left without one donor, or one family: no claim may hang on a single one unseen."""

from dataclasses import replace

import numpy as np

from mtlbio.probing.association import task_design
from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.inference import Contrast
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

HALF = 0.5  # share of the effect that has to be left without any one donor


def left_without(trial: Trial, task: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Share of the effect of a task that is left when a donor is taken out, or a family where they are known.

    The jackknife over donors (families), which the covariance of :class:`mtlbio.probing.inference.Contrast` is made of:
    with the scores ``s_g = a_g' (I - H_gg)^-1 e_g`` the coefficients without donor g are ``b - (A'A)^-1 s_g``, exactly
    (Belsley, Kuh & Welsch 1980, Regression Diagnostics, eq. 2.1). Of several columns the part along the whole effect
    counts.

    Returns
    -------
    share : (clusters, D) 1 where a donor (family) does not matter, below 0 where the effect turns
    names : (clusters,)
    None where the task has no test, or one of more columns than have a robust covariance
    """
    units = trial.task_units(task)
    if not units.testable(6):
        return None
    units, adjustment, columns = task_design(trial, task, units=units)
    contrast = Contrast(columns, adjustment, units)
    if not contrast.estimable or not contrast.robust:
        return None
    residual = contrast.residual_of_nuisance(units.mean(trial.z))
    whole = contrast.inverse @ (contrast.a.T @ residual)
    error = residual - contrast.full @ (contrast.full.T @ residual)
    scores = units.summed(contrast.w[:, :, None] * error[:, None, :])
    without = whole - np.einsum("ab,gbd->gad", contrast.inverse, scores)
    share = (without * whole).sum(axis=1) / np.maximum(np.square(whole).sum(axis=0), 1e-300)
    return share, _names(trial, units)


def retested(trial: Trial, task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """p of the robust Wald test of a task with everybody, and without each donor (family).

    The columns of the covariates and of the label are those of the whole cohort: knots of splines, and what is left of
    a time, are not found again without the donor. Given these it is the test that the others alone would get.

    Returns
    -------
    p : (D,); without : (clusters, D), NaN where nothing can be tested any more
    names : (clusters,)
    None where the task has no test
    """
    units = trial.task_units(task)
    if not units.testable(6):
        return None
    units, adjustment, columns = task_design(trial, task, units=units)
    z, contrast = units.mean(trial.z), Contrast(columns, adjustment, units)
    if not contrast.estimable:
        return None
    without = np.full((units.clusters, z.shape[1]), np.nan)
    for g in range(units.clusters):
        rows = np.flatnonzero(units.cluster != g)
        if len(np.unique(units.y[rows])) > 1:
            rest, others = _rest(units, adjustment, rows)
            without[g] = Contrast(columns[rows], others, rest).wald(z[rows]).p
    return contrast.wald(z).p, without, _names(trial, units)


def _rest(units: Units, adjustment: Nuisance, rows: np.ndarray) -> tuple[Units, Nuisance]:
    """Some of the units, and what they are adjusted for."""
    codes = np.unique(units.cluster[rows], return_inverse=True)[1]
    donor = None if units.donor is None else np.unique(units.donor[rows], return_inverse=True)[1]
    rest = replace(units, average=units.average[rows], cluster=codes, y=units.y[rows], donor=donor)
    absorbed = rest.donors if units.within else 0
    basis = orthonormal(rest.centre(adjustment.basis[rows]))
    return rest, replace(adjustment, basis=basis, strata=adjustment.strata[rows], absorbed=absorbed)


def _names(trial: Trial, units: Units) -> np.ndarray:
    """(clusters,) a donor by its name, and so one who is alone in the family; several as their family."""
    clusters, donors = trial.clusters[units.mask], trial.donors[units.mask]
    names = np.unique(clusters)
    if trial.family is None:
        return names
    members = [np.unique(donors[clusters == name]) for name in names]
    return np.array([who[0] if len(who) == 1 else f"family {name}" for who, name in zip(members, names, strict=True)])


def hangs_on(trial: Trial, task: str) -> list[tuple[str, ...]]:
    """Per dimension the donors (families) without any one of whom less than ``HALF`` of the effect is left, worst
    first."""
    influence = left_without(trial, task)
    if influence is None:
        return [()] * len(trial.dims)
    share, names = influence
    order = np.argsort(share, axis=0, kind="stable")
    return [tuple(str(names[g]) for g in order[:, d] if share[g, d] < HALF) for d in range(share.shape[1])]
