"""Which dimensions go with the cell-type composition of the samples: asked of every cohort, no part of any verdict.

Every cell type that the cohort's own measurements can tell has a score (:mod:`mtlbio.cohort.composition`), whether the
run holds it fixed or not: where few donors leave room for few of them, what goes with the others is still said.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.composition import CellType, estimate_composition
from mtlbio.cohort.composition_covariates import in_a_name
from mtlbio.cohort.genesets import builtin_cells
from mtlbio.probing.evidence import Evidence
from mtlbio.probing.shares import share
from mtlbio.probing.trial import Trial

COLUMNS = ["dim", "cell_type", "share", "held_fixed", "markers", "reliability"]
LARGE = 0.3  # share from which it is said beside a verdict


def composition(trial: Trial, cohort: Cohort, markers: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
    """Share of every dimension that goes with every cell type, given the recorded covariates; the largest first.

    Parameters
    ----------
    cohort : its samples in the order of the trial
    markers : cell type -> its genes; those of blood cells where left out

    Returns
    -------
    DataFrame with the columns ``COLUMNS``:
        ``share``: of the dimension's variance over donors, 0-1, corrected for chance (:mod:`mtlbio.probing.shares`):
        the square of their correlation where nothing is to be given. Each cell type by itself: what rises while
        another falls goes with both. ``held_fixed``: whether the trial held it fixed; ``markers``, ``reliability``: of
        the score, NA of a component of several.
        No rows where no cell type can be estimated.
    """
    scores, about = _scores(trial, cohort, builtin_cells() if markers is None else markers)
    recorded = [c for c in trial.covariates.values() if not c.estimated]
    units, rows = trial.donor_units, []
    if not len(units):
        return pd.DataFrame(columns=COLUMNS)
    z, given = units.mean(trial.z), trial.adjustment(units, recorded)
    for name, values in scores.items():
        part = share(z, units.mean(values[:, None]), False, given, units)
        rows += [
            {"dim": dim, "cell_type": name, "share": s, **about[name]} for dim, s in zip(trial.dims, part, strict=True)
        ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    place = table["dim"].map({dim: i for i, dim in enumerate(trial.dims)})
    order = table.assign(place=place).sort_values(["place", "share"], ascending=[True, False], kind="stable")
    return order[COLUMNS].reset_index(drop=True)


def largest_shares(table: pd.DataFrame) -> dict[str, tuple[str, float]]:
    """Dimension -> the cell type with the largest share, and that share, where it is ``LARGE``."""
    first = table.dropna(subset="share").drop_duplicates("dim")
    return {r.dim: (str(r.cell_type), float(r.share)) for r in first.itertuples() if r.share >= LARGE}


def cells_in_words(cell_type: str) -> str:
    """A cell type as a sentence has it.

    Examples
    --------
    >>> cells_in_words("CD8_T_cells")
    'CD8 T cells'
    """
    return cell_type.replace("_", " ")


def with_cells(evidence: list[Evidence], table: pd.DataFrame) -> list[Evidence]:
    """Evidence that knows the cell type with which a dimension goes, where the trial did not hold it fixed."""
    largest = largest_shares(table[~table["held_fixed"].astype(bool)])
    out = []
    for item in evidence:
        cells, part = largest.get(item.dim, (None, math.nan))
        out.append(replace(item, cells=cells and cells_in_words(cells), cells_share=part))
    return out


def _scores(
    trial: Trial, cohort: Cohort, markers: Mapping[str, Sequence[str]]
) -> tuple[dict[str, np.ndarray], dict[str, dict]]:
    """(samples,) score of every cell type, and what the table says of it; first what is held fixed, as it is."""
    found = estimate_composition(cohort.expression, cohort.genes, trial.donors, markers)
    kinds = {in_a_name(kind.name): (kind, score) for kind, score in zip(found.types, found.scores.T, strict=True)}
    scores: dict[str, np.ndarray] = {}
    about: dict[str, dict] = {}
    for info in [c for c in trial.covariates.values() if c.estimated]:
        short = info.name.removeprefix(f"{info.estimated}_")
        kind, _ = kinds.pop(short, (None, None))
        name = kind.name if kind else info.name if short.isdigit() else short  # components keep their own
        scores[name], about[name] = trial.obs[info.name].to_numpy(dtype=float), {"held_fixed": True} | _about(kind)
    for kind, score in kinds.values():
        scores[kind.name], about[kind.name] = score, {"held_fixed": False} | _about(kind)
    return scores, about


def _about(kind: CellType | None) -> dict:
    return {} if kind is None else {"markers": len(kind.markers), "reliability": kind.reliability}
