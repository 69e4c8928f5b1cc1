"""Step 2: has the dimension an association of its own, or does it borrow from its neighbours?

Oblique axes overlap, and a batch axis may hold a trace of interferon. So a task is tested once more given those other
dimensions from which the association can have come:

- axes that carry the task more strongly than the dimension itself (larger statistic in step 1). The strongest carrier
  has nobody to borrow from; asking it to survive its own echoes would only cost power.
- axes that a covariate dominates: they know about processing what the recorded levels do not.

Not given: dimensions of the supervised block, which are trained combinations of everything; and axes that share half
of the variance with the dimension (twins): that is no trace of the programme, it is the programme.
Conditioning on *all* others at donor scale costs more degrees of freedom than there are donors.

A task with which samples per donor or their order go (``trial.uneven``) is tested with those held fixed too, with and
without the other dimensions, and the largest p counts.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtlbio.probing.association import task_design
from mtlbio.probing.families import adjust, adjust_within, linked_rows
from mtlbio.probing.inference import Contrast
from mtlbio.probing.linked import TWIN, largest_shares
from mtlbio.probing.trial import Trial
from mtlbio.probing.uneven import uneven_columns

COLUMNS = ["dim", "task", "given", "p_given_wald", "p_given_permutation", "p_given", "q_given", "own", "firm"]


def leakage(trial: Trial, association: pd.DataFrame) -> pd.DataFrame:
    """Test of every called task effect given the other dimensions.

    Returns
    -------
    DataFrame with ``COLUMNS``: one row per dimension x outcome that step 1 called, or that a dimension has which is
    linked family-wise; ``given`` names the dimensions that were held fixed, ``own`` says whether the effect stands (BH
    over those dimensions of the task), ``firm`` whether a dimension that is linked family-wise has this effect, and
    keeps it, among all outcomes of the dimension: the family has paid for looking at all dimensions
    """
    shares = largest_shares(trial, association)
    tables = []
    for number, task in enumerate(trial.outcomes):
        rows = task_rows(trial, association, task)
        linked = linked_rows(rows, trial.options.alpha)
        called, strength = (rows["called"].astype(bool) | linked).to_numpy(), rows["statistic"].to_numpy(dtype=float)
        units, tests = trial.task_units(task), []
        z, seed = units.mean(trial.z), trial.options.seed * 1000 + 500 + number
        for d in np.flatnonzero(called).tolist():
            stronger = np.where(called & (strength > strength[d]), strength, np.nan)
            rivals = conditioners(trial, [d], overlap(z[:, [d]], z), stronger, shares, units.clusters)
            p_wald, p_permutation = rows["p_wald"].iloc[d], rows["p_permutation"].iloc[d]
            if rivals:
                p_wald, p_permutation = _p_given(trial, task, trial.z[:, rivals], z[:, [d]], seed)
            for held in recruitment_beside(trial, task, rivals):
                more = np.nan_to_num(_p_given(trial, task, held, z[:, [d]], seed), nan=1.0)
                p_wald, p_permutation = np.maximum([p_wald, p_permutation], more)
            tests.append((trial.dims[d], task, in_words(trial, rivals), p_wald, p_permutation))
        table = pd.DataFrame(tests, columns=COLUMNS[:5])
        table["p_given"] = table[["p_given_wald", "p_given_permutation"]].max(axis=1, skipna=False)
        table["q_given"] = adjust(table["p_given"].to_numpy())
        table["own"] = table["q_given"] <= trial.options.alpha
        # the larger p of both steps, of dimensions that are linked
        alone = rows["p"].where(linked).reindex(table["dim"]).to_numpy()
        table["firm"] = np.where(np.isnan(alone), np.nan, np.fmax(alone, table["p_given"].fillna(1.0)))
        tables += [table] if len(table) else []
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    table["firm"] = adjust_within(table["firm"], table["dim"], len(trial.outcomes)) <= trial.options.alpha
    return table.assign(own=table["own"] | table["firm"])[COLUMNS]


def _p_given(trial: Trial, task: str, held: np.ndarray, z: np.ndarray, seed: int) -> tuple[float, float]:
    """p of the Wald test and of the exchanges where ``held`` (samples, k) is held fixed; NaN where nothing is left.

    ``z``: (units, 1) the dimension.
    """
    units, adjustment, columns = task_design(trial, task, extra=held)
    contrast = Contrast(columns, adjustment, units)
    return contrast.wald(z).p[0], contrast.randomisation(z, trial.options.permutations, seed)[0]


def recruitment_beside(trial: Trial, task: str, rivals: list[int]) -> list[np.ndarray]:
    """What else a link with a task has to stand with held fixed, (samples, k) each: what of its recruitment goes with
    it, alone and beside the rivals; nothing for most tasks."""
    columns = uneven_columns(trial, task)
    if not columns.shape[1]:
        return []
    return [columns, np.column_stack([trial.z[:, rivals], columns])] if rivals else [columns]


def task_rows(trial: Trial, association: pd.DataFrame, task: str) -> pd.DataFrame:
    """(D rows) the associations of a task, in the order of the dimensions."""
    rows = association[(association["question"] == "task") & (association["variable"] == task)]
    return rows.set_index("dim").reindex(trial.dims)


def in_words(trial: Trial, places: list[int]) -> str:
    """The dimensions at some places, as they stand in ``given``."""
    return ", ".join(trial.dims[d] for d in places) or "nobody"


def overlap(z: np.ndarray, dims: np.ndarray) -> np.ndarray:
    """(D,) share of the variance of every dimension (units, D) that one on trial, or a block of them (units, k), tells:
    for one dimension the squared correlation."""
    basis = np.linalg.qr(z - z.mean(axis=0))[0]
    centred = dims - dims.mean(axis=0)
    return np.square(basis.T @ centred).sum(axis=0) / np.maximum(np.square(centred).sum(axis=0), 1e-300)


def conditioners(
    trial: Trial, places: Sequence[int], overlap: np.ndarray, stronger: np.ndarray, shares: np.ndarray, donors: int
) -> list[int]:
    """Dimensions that are held fixed when others are tested: strongest carriers first, at most one per 15 donors
    (families, where they are known).

    Parameters
    ----------
    places : of what is tested, a dimension or the axes of a block; ``overlap``: (D,) of every dimension with it
    stronger : (D,) how strongly a dimension carries the task; NaN where no more than what is tested
    shares : (D,) largest share of any covariate
    """
    allowed = (trial.block == "axis") & (overlap < TWIN)
    allowed[list(places)] = False
    carriers = np.flatnonzero(allowed & ~np.isnan(stronger))
    carriers = carriers[np.argsort(-stronger[carriers], kind="stable")]
    dominated = np.flatnonzero(allowed & (shares >= trial.options.share_dominant))
    dominated = dominated[np.argsort(-overlap[dominated], kind="stable")]
    return list(dict.fromkeys([*carriers.tolist(), *dominated.tolist()]))[: max(3, donors // 15)]
