"""Does a technical covariate move every class of an outcome, or only one of them?

What was done to the samples moves patients and controls alike. A "batch" that moves the patients alone is rather who
was recruited when: in a lupus cohort several dimensions differ between two batches of patients and not between the
healthy donors of the same batches, whose replicates agree.

The covariate x class columns are tested with HC3 (or by donor) beside both main effects, and the share that the
covariate has within each class is the variance that its coefficients *in that class* would give to all units.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.probing.association import covariate_design
from mtlbio.probing.design import orthonormal
from mtlbio.probing.families import adjust
from mtlbio.probing.inference import Contrast
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

COLUMNS = ["dim", "question", "variable", "task", "least_class", "unit", "n", "n_donors", "share", "statistic", "df"]
COLUMNS += ["p_wald", "p", "q", "called"]
LEAST_DONORS = 10  # of a class, and the share of units whose class is known
LABELLED = 0.8


def by_class(trial: Trial) -> pd.DataFrame:
    """One row per dimension, technical covariate and outcome with classes, columns ``COLUMNS``.

    They are rows of ``association.tsv`` with the question ``technical_by_class``. ``share`` is the smallest share of
    variance over the classes (0-1), found in ``least_class``; ``called``: the covariate acts differently in the classes
    (BH over the dimensions of a question). Pairs that cannot be examined (the class told by the level, too few donors)
    have no row.
    """
    tables = []
    for info in trial.role("technical"):
        for task in trial.outcomes:
            if trial.tasks[task].classes and trial.separable(task, info.name):
                tables.append(_pair(trial, info.name, task))
    tables = [t for t in tables if t is not None]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _pair(trial: Trial, covariate: str, task: str) -> pd.DataFrame | None:
    units, given, columns, _ = covariate_design(trial, covariate, "technical")
    classes = _classes(trial, task, units)
    if classes is None:
        return None
    z, main = units.mean(trial.z), units.centre(columns)
    own = [units.centre(columns * member[:, None]) for member in classes.T]
    nuisance = orthonormal(np.column_stack([given.basis, units.centre(classes), main]))
    contrast = Contrast(np.column_stack(own[1:]), replace(given, basis=nuisance), units)
    if not contrast.estimable:
        return None
    wald = contrast.wald(z)
    shares = np.stack(
        [
            _share(z, columns, own[k], np.column_stack(own[:k] + own[k + 1 :]), given.basis, units)
            for k in range(len(own))
        ]
    )
    table = pd.DataFrame({"dim": trial.dims, "question": "technical_by_class", "variable": covariate, "task": task})
    table["least_class"] = np.array(trial.tasks[task].classes)[shares.argmin(axis=0)]
    table = table.assign(unit=units.kind, n=len(units), n_donors=units.donors, share=shares.min(axis=0))
    table = table.assign(statistic=wald.f, df=wald.df, p_wald=wald.p, p=wald.p, q=adjust(wald.p))
    return table.assign(called=table["q"] <= trial.options.alpha)[COLUMNS]


def _classes(trial: Trial, task: str, units: Units) -> np.ndarray | None:
    """(units, classes) membership; None where a class has too few donors or too few units have one."""
    y = trial.tasks[task].y(trial.obs[task])
    members = units.mean((y[:, None] == np.arange(len(trial.tasks[task].classes))).astype(float))
    known = members.sum(axis=1)
    donors = [len(np.unique(units.cluster[member > 0.5])) for member in members.T]
    return members if known.mean() >= LABELLED and min(donors) >= LEAST_DONORS else None


def _share(z: np.ndarray, columns: np.ndarray, own: np.ndarray, other: np.ndarray, basis: np.ndarray, units: Units):
    """(D,) variance that the coefficients within a class would give to all units, as a share of the variance."""
    nuisance = orthonormal(np.column_stack([basis, other]))
    left = own - nuisance @ (nuisance.T @ own)
    coefficients = np.linalg.lstsq(left, units.centre(z), rcond=1e-6)[0]
    spread = z.var(axis=0)
    return ((columns - columns.mean(axis=0)) @ coefficients).var(axis=0) / np.where(spread > 0, spread, np.nan)
