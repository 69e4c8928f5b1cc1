"""Does a technical covariate move every class of an outcome, or only one of them?

What was done to the samples moves patients and controls alike. A "batch" that moves the patients alone is rather who
was recruited when: in a lupus cohort several dimensions differ between two batches of patients and not between the
healthy donors of the same batches, whose replicates agree.

The covariate x class columns are tested with HC3 (or by donor) beside both main effects, and the share that the
covariate has within each class is the variance that its coefficients *in that class* would give to all units.
"""

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
                tables += _pair(trial, info.name, task)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _pair(trial: Trial, covariate: str, task: str) -> list[pd.DataFrame]:
    """The rows of one covariate and one outcome, if they can be examined."""
    units, adjustment, columns, _ = covariate_design(trial, covariate, "technical")
    names = trial.tasks[task].classes
    classes = units.mean((trial.labels(task)[:, None] == np.arange(len(names))).astype(float))
    donors = [len(np.unique(units.cluster[member > 0.5])) for member in classes.T]  # families, where they are known
    if classes.sum(axis=1).mean() < LABELLED or min(donors) < LEAST_DONORS:
        return []
    z, main = units.mean(trial.z), units.centre(columns)
    inside = [units.centre(columns * member[:, None]) for member in classes.T]
    nuisance = orthonormal(np.column_stack([adjustment.basis, units.centre(classes), main]))
    contrast = Contrast(np.column_stack(inside[1:]), replace(adjustment, basis=nuisance), units)
    if not contrast.estimable:
        return []
    wald, shares = contrast.wald(z), []
    p = wald.p
    if units.families and not contrast.robust:  # the classical F knows no families
        p = np.maximum(p, contrast.randomisation(z, trial.options.permutations, trial.options.seed))
    for k, member in enumerate(inside):
        other = np.column_stack(inside[:k] + inside[k + 1 :])
        basis = orthonormal(np.column_stack([adjustment.basis, other]))
        shares.append(_share(z, columns, replace(adjustment, basis=basis).residual(member), units))
    least, smallest = np.argmin(shares, axis=0), np.min(shares, axis=0)
    table = pd.DataFrame({"dim": trial.dims, "question": "technical_by_class", "variable": covariate, "task": task})
    table = table.assign(least_class=np.array(names)[least], unit=units.kind, n=len(units), n_donors=units.donors)
    table = table.assign(share=smallest, statistic=wald.f, df=wald.df, p_wald=wald.p, p=p, q=adjust(p))
    return [table.assign(called=table["q"] <= trial.options.alpha)[COLUMNS]]


def _share(z: np.ndarray, columns: np.ndarray, residual: np.ndarray, units: Units) -> np.ndarray:
    """(D,) variance that the coefficients within a class would give to all units, as a share of the variance."""
    coefficients = np.linalg.lstsq(residual, units.centre(z), rcond=1e-6)[0]
    spread = z.var(axis=0)
    return ((columns - columns.mean(axis=0)) @ coefficients).var(axis=0) / np.where(spread > 0, spread, np.nan)
