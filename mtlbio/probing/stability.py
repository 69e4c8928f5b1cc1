"""Step 5: does the dimension come back, does its effect keep its sign, and what would it take to explain it away?"""

import numpy as np
import pandas as pd

from mtlbio.probing.association import task_design
from mtlbio.probing.inference import Contrast
from mtlbio.probing.influence import hangs_on
from mtlbio.probing.reliability import reliability_needed
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

COLUMNS = ["dim", "stability", "task", "effect", "left_out", "sign_stable", "worst_left_out", "worst_effect"]
COLUMNS += ["robustness_value", "hangs_on", "reliability_needed", "reliability_of"]
LEAST = 10  # donors (families) that must remain, and twice the least of a level that is left out


def stability(trial: Trial, replica_stability: np.ndarray) -> pd.DataFrame:
    """One row per dimension x outcome.

    Parameters
    ----------
    replica_stability : (D,) median absolute correlation with the matched dimension over folds and seeds

    Returns
    -------
    ``COLUMNS``: ``left_out`` counts the levels that could be left out, ``worst_left_out`` names the one
    that pulls the effect furthest towards or past zero, ``robustness_value`` is :func:`robustness`,
    ``hangs_on`` names the donors without any one of whom less than half of the effect is left, ``reliability_needed``
    of ``reliability_of`` is :func:`mtlbio.probing.reliability.reliability_needed`
    """
    tables = []
    for task in trial.outcomes:
        base, f2 = _scaled(trial, task, trial.task_units(task))
        size = np.sqrt(np.square(base).sum(axis=0))
        names, pulls = [], []
        for name, units in left_out(trial, task):
            partial = _scaled(trial, task, units)[0]
            if partial.shape == base.shape and np.isfinite(partial).all():
                names.append(name)
                # length along the direction of the whole effect; with one column its size, negative if the sign flips
                pulls.append((partial * base).sum(axis=0) / np.where(size > 0, size, 1.0))
        inward = np.array(pulls).reshape(-1, len(trial.dims))
        direction = np.sign(base[0]) if len(base) == 1 else 1.0
        table = pd.DataFrame({"dim": trial.dims, "stability": replica_stability, "task": task})
        table = table.assign(effect=base[0] if len(base) == 1 else size, left_out=len(inward))
        table["sign_stable"] = (inward > 0).all(axis=0) & np.isfinite(size)
        table["worst_left_out"] = [names[w] for w in inward.argmin(axis=0)] if names else "nothing"
        table["worst_effect"] = inward.min(axis=0) * direction if names else np.nan
        table["robustness_value"] = robustness(f2)
        table["hangs_on"] = hangs_on(trial, task)
        table["reliability_needed"], table["reliability_of"] = reliability_needed(trial, task)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def as_written(table: pd.DataFrame) -> pd.DataFrame:
    """The table for a file: donors of ``hangs_on`` as text."""
    return table.assign(hangs_on=[", ".join(donors) or None for donors in table["hangs_on"]])


def robustness(f2: np.ndarray) -> np.ndarray:
    """Robustness value, 0-1: the partial R2 that an unmeasured confounder would need with both the task and the
    dimension to bring the effect to zero (Cinelli & Hazlett 2020, JRSS-B 82:39, eq. 15, q = 1).

    Parameters
    ----------
    f2 : partial Cohen's f squared: the classical t squared over its degrees of freedom

    Examples
    --------
    >>> round(float(robustness(np.array(4.18**2 / 783))), 3)
    0.139
    """
    return 0.5 * (np.sqrt(np.square(f2) + 4 * f2) - f2)


def classical_effect(trial: Trial, task: str, units: Units, latents: np.ndarray):
    """Effect of a task on latents (samples, D) by ordinary least squares: coefficients (k, D) and Cohen's f squared
    (D,); None where there are too few donors."""
    if not units.testable(LEAST):
        return None
    units, adjustment, columns = task_design(trial, task, units=units)
    contrast = Contrast(columns, adjustment, units, robust=False)
    if not contrast.estimable or not contrast.full_rank:
        return None
    residual = contrast.residual_of_nuisance(units.mean(latents))
    f2 = contrast.statistic(residual) * contrast.df / contrast.df_residual
    return contrast.inverse @ (contrast.a.T @ residual), f2


def _scaled(trial: Trial, task: str, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """The effect on every dimension in its standard deviations, and Cohen's f squared; NaN where there is none."""
    effect = classical_effect(trial, task, units, trial.z)
    if effect is None:
        return np.full((1, len(trial.dims)), np.nan), np.full(len(trial.dims), np.nan)
    return effect[0] / units.mean(trial.z).std(axis=0, ddof=1), effect[1]


def left_out(trial: Trial, task: str):
    """(``batch = B1``, units without it) for every level of a technical factor, and of a confounder with three or
    more levels such as a site, that leaves enough donors of every class behind."""
    info = trial.tasks[task]
    y, mask, clusters = info.y(trial.obs[task]), trial.mask, trial.clusters
    for covariate in trial.covariates.values():
        if covariate.kind != "categorical" or covariate.name == task:
            continue
        values = trial.obs[covariate.name].astype(object).to_numpy()
        levels = sorted({str(v) for v in values[mask]})
        if covariate.role == "confounder" and len(levels) < 3:
            continue
        for level in levels:
            inside = np.array([str(v) == level for v in values])
            if len(np.unique(clusters[inside & mask & ~np.isnan(y)])) < LEAST / 2:
                continue
            rest = trial.units_of(task, mask & ~inside)
            if rest.clusters < LEAST:
                continue
            codes = info.codes(rest.y)
            if codes is not None and min(np.bincount(codes, minlength=len(info.classes))) < 3:
                continue
            yield f"{covariate.name} = {level}", rest
