"""What ``mtlbio plan`` says of cell types that are not held fixed: few donors leave room for few."""

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.composition import Composition, estimate_composition
from mtlbio.cohort.composition_covariates import in_a_name, load_markers
from mtlbio.kinds.schemas import DonorRun
from mtlbio.probing.audit import audit
from mtlbio.probing.composition import cells_in_words
from mtlbio.probing.design import orthonormal
from mtlbio.probing.trial import Trial

WORTH_SAYING = 0.1  # eta squared or R squared with an outcome
TOLD = 0.9  # share of a score that those held fixed tell, from which it is as good as held fixed


def left_out(run: DonorRun, cohort: Cohort) -> pd.DataFrame:
    """(samples, k) scores of the cell types that a run could hold fixed and does not, by covariate name.

    None where it holds components of all scores fixed, and none of which those that are held fixed tell ``TOLD``.
    """
    (name,) = run.estimated
    if run.covariates[name].components is not None:
        return pd.DataFrame(index=cohort.obs.index)
    markers = load_markers(run.covariates[name].markers)
    found = estimate_composition(cohort.expression, cohort.genes, cohort.donors, markers)
    scores = _named(found, name).set_axis(cohort.obs.index)
    fixed = cohort.obs[[c for c in cohort.covariates if cohort.covariates[c].estimated]].to_numpy(dtype=float)
    basis = orthonormal(np.column_stack([np.ones(len(fixed)), fixed]))
    centred = scores - scores.mean()
    untold = np.square(scores - basis @ (basis.T @ scores.to_numpy())).sum() / np.square(centred).sum()
    names = [c for c in scores if c not in cohort.covariates and untold[c] > 1 - TOLD]
    return scores[names]


def _named(found: Composition, group: str) -> pd.DataFrame:
    return pd.DataFrame(found.scores, columns=[f"{group}_{in_a_name(kind)}" for kind in found.names])


def composition_warnings(trial: Trial, scores: pd.DataFrame) -> list[str]:
    """A sentence per outcome that goes with a cell type that is left out more than with any that is held fixed.

    ``scores``: of :func:`left_out`, samples in the order of the trial.
    """
    fixed = [c for c in trial.covariates.values() if c.estimated]
    if not fixed or scores.empty:
        return []
    group, out = fixed[0].estimated, []
    more = {name: CovariateInfo(name, fixed[0].role, "continuous", estimated=group) for name in scores}
    wider = replace(trial, obs=trial.obs.join(scores), covariates=trial.covariates | more)
    table = audit(wider)
    table = table[(table["kind"] == "task") & table["value"].notna()].set_index(["task", "covariate"])
    for task in trial.outcomes:
        if task not in table.index:
            continue
        rows = table.loc[task]
        rows = rows.sort_values("value", ascending=False, kind="stable")
        ours, theirs = rows[rows.index.isin(more)], rows[rows.index.isin([c.name for c in fixed])]
        if ours.empty or ours["value"].iloc[0] < WORTH_SAYING:
            continue
        if len(theirs) and theirs["value"].iloc[0] >= ours["value"].iloc[0]:
            continue
        beside = f"; of those that are, {_said(theirs, group)} most" if len(theirs) else ""
        cells = cells_in_words(ours.index[0].removeprefix(f"{group}_"))
        out.append(
            f"{task} goes with estimated {_said(ours, group)}, which is not held fixed{beside}. `biology` for it may "
            f"be a matter of {cells}; covariates.{group}.cell_types says which to hold fixed."
        )
    return out


def _said(rows: pd.DataFrame, group: str) -> str:
    first = rows.iloc[0]
    return f"{cells_in_words(rows.index[0].removeprefix(f'{group}_'))} ({first['association']} {first['value']:.2f})"
