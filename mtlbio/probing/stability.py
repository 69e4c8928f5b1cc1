"""Step 5: does the dimension come back, does its effect keep its sign, and what would it take to explain it away?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.probing.association import task_design
from mtlbio.probing.design import Units, label_units
from mtlbio.probing.inference import Contrast
from mtlbio.probing.trial import Trial
from mtlbio.cohort.cohort import encode_labels

COLUMNS = ["dim", "stability", "task", "effect", "left_out", "sign_stable", "worst_left_out", "worst_effect"]
COLUMNS += ["robustness_value"]
LEAST = 10  # donors that must remain, and least donors of a level that is left out


def stability(trial: Trial, replica_stability: np.ndarray) -> pd.DataFrame:
    """One row per dimension x outcome.

    Parameters
    ----------
    replica_stability : (D,) median absolute correlation with the matched dimension over folds and seeds

    Returns
    -------
    DataFrame with ``COLUMNS``: ``left_out`` counts the levels that could be left out, ``worst_left_out`` names the one
    that pulls the effect furthest towards or past zero, ``robustness_value`` is :func:`robustness`
    """
    tables = []
    for task in trial.outcomes:
        units = trial.task_units(task)
        base, t, freedom = _effect(trial, task, units)
        table = pd.DataFrame({"dim": trial.dims, "stability": replica_stability, "task": task, "effect": base})
        names, partial = [], []
        for name, level, kept in _left_out(trial, task):
            names.append(f"{name} = {level}")
            partial.append(_effect(trial, task, kept)[0])
        inward = np.array(partial).reshape(-1, len(trial.dims)) * np.sign(base)
        usable = np.isfinite(inward).all(axis=1)
        inward, names = inward[usable], [n for n, u in zip(names, usable, strict=True) if u]
        worst = inward.argmin(axis=0) if len(inward) else np.zeros(len(trial.dims), dtype=int)
        table["left_out"] = len(inward)
        table["sign_stable"] = (inward > 0).all(axis=0) & np.isfinite(base)
        table["worst_left_out"] = [names[w] for w in worst] if names else "nothing"
        table["worst_effect"] = inward.min(axis=0) * np.sign(base) if len(inward) else np.nan
        table["robustness_value"] = robustness(t, freedom)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def robustness(t: np.ndarray, freedom: float) -> np.ndarray:
    """Robustness value, 0-1: the partial R2 that an unmeasured confounder would need with both the task and the
    dimension to bring the effect to zero (Cinelli & Hazlett 2020, JRSS-B 82:39, eq. 15, q = 1).

    Examples
    --------
    >>> round(float(robustness(np.array(4.18), 783)), 3)
    0.139
    """
    f2 = np.square(t) / freedom
    return 0.5 * (np.sqrt(np.square(f2) + 4 * f2) - f2)


def _effect(trial: Trial, task: str, units: Units) -> tuple[np.ndarray, np.ndarray, float]:
    """Effect (D,), classical t (D,) and residual degrees of freedom; several columns: largest one's sign is kept."""
    gap = np.full(len(trial.dims), np.nan)
    if len(units) < LEAST or len(np.unique(units.y)) < 2:
        return gap, gap, np.nan
    units, given, columns = task_design(trial, task, units=units)
    if columns.shape[1] > 1:
        return gap, gap, np.nan
    contrast, z = Contrast(columns, given, units), units.mean(trial.z)
    if not contrast.estimable:
        return gap, gap, np.nan
    beta = contrast.wald(z).coefficients[0]
    classical = Contrast(columns, given, units, robust=False).statistic(contrast.residual_of_nuisance(z))
    return beta / z.std(axis=0, ddof=1), np.sign(beta) * np.sqrt(classical), contrast.df_residual


def _left_out(trial: Trial, task: str):
    """(covariate, level, units without it) for every level of a technical factor, and of a confounder with three or
    more levels such as a site, that leaves enough donors of every class behind."""
    info = trial.tasks[task]
    y, mask, donors = encode_labels(trial.obs[task], info), trial.mask, trial.donors
    for covariate in trial.covariates.values():
        if covariate.kind != "categorical" or covariate.name == task:
            continue
        values = trial.obs[covariate.name].astype(object).to_numpy()
        levels = sorted({str(v) for v in values[mask]})
        if covariate.role == "confounder" and len(levels) < 3:
            continue
        for level in levels:
            inside = np.array([str(v) == level for v in values])
            if len(np.unique(donors[inside & mask & ~np.isnan(y)])) < LEAST / 2:
                continue
            kept = label_units(donors, y, info.is_class, mask & ~inside)
            if kept.donors < LEAST:
                continue
            if info.is_class and np.bincount(kept.y.astype(int)).min(initial=LEAST, where=None or True) < 3:
                continue
            yield covariate.name, level, kept
