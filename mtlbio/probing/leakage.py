"""Step 2: has the dimension an association of its own, or does it borrow from its neighbours?

Oblique axes overlap, and a batch axis may hold a trace of interferon. So a task is tested once more given those other
dimensions from which the association can have come:

- axes that carry the task more strongly than the dimension itself (larger statistic in step 1). The strongest carrier
  has nobody to borrow from; asking it to survive its own echoes would only cost power.
- axes that a covariate dominates: they know about processing what the recorded levels do not.

Not given: dimensions of the supervised block, which are trained combinations of everything; and axes that share half
of the variance with the dimension (twins): that is no trace of the programme, it is the programme.
Conditioning on *all* others at donor scale costs more degrees of freedom than there are donors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.probing.association import task_design
from mtlbio.probing.families import adjust, familywise_given
from mtlbio.probing.inference import Contrast
from mtlbio.probing.trial import Trial

TWIN = 0.5  # squared correlation from which two axes count as the same programme
COLUMNS = ["dim", "task", "given", "p_given_wald", "p_given_permutation", "p_given", "q_given", "own"]
COLUMNS += ["p_given_familywise"]


def leakage(trial: Trial, association: pd.DataFrame) -> pd.DataFrame:
    """Test of every called task effect given the other dimensions.

    Returns
    -------
    DataFrame with ``COLUMNS``: one row per dimension x outcome that step 1 called; ``given`` names the dimensions that
    were held fixed, ``own`` says whether the effect stands (BH over the called dimensions of the task),
        ``p_given_familywise`` is Holm over all dimensions and outcomes of the larger p of both steps. For biology BH is
        not enough: what passed step 1 by luck passes a second look at the same donors too (1.7 % of the planted
        composition axes that hold 1 % interferon did)
    """
    shares = largest_shares(trial, association)
    tables = []
    for number, task in enumerate(trial.outcomes):
        rows = association[(association["question"] == "task") & (association["variable"] == task)]
        rows = rows.set_index("dim").reindex(trial.dims)
        called, strength = rows["called"].to_numpy(dtype=bool), rows["statistic"].to_numpy(dtype=float)
        if not called.any():
            continue
        units = trial.task_units(task)
        found = []
        for d in np.flatnonzero(called):
            given = conditioners(trial, int(d), called, strength, shares, units.mean(trial.z), units.donors)
            p_wald, p_permutation = rows["p_wald"].iloc[d], rows["p_permutation"].iloc[d]
            if given:
                _, fixed, columns = task_design(trial, task, extra=trial.z[:, given], units=units)
                contrast, z = Contrast(columns, fixed, units), units.mean(trial.z[:, [d]])
                p_wald = contrast.wald(z).p[0]
                seed = trial.options.seed * 1000 + 500 + number
                p_permutation = contrast.randomisation(z, trial.options.permutations, seed)[0]
            names = ", ".join(trial.dims[j] for j in given) or "nobody"
            found.append((trial.dims[d], task, names, p_wald, p_permutation))
        table = pd.DataFrame(found, columns=COLUMNS[:5])
        table["p_given"] = table[["p_given_wald", "p_given_permutation"]].max(axis=1, skipna=False)
        table["q_given"] = adjust(table["p_given"].to_numpy())
        table["own"] = table["q_given"] <= trial.options.alpha
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    return table.merge(familywise_given(trial, association, table), on=["dim", "task"], how="left")[COLUMNS]


def largest_shares(trial: Trial, association: pd.DataFrame) -> np.ndarray:
    """(D,) largest share of any covariate in every dimension."""
    covariates = association[association["question"].isin(["confounder", "technical"])]
    return covariates.groupby("dim")["share"].max().reindex(trial.dims).fillna(0.0).to_numpy()


def conditioners(
    trial: Trial, d: int, called: np.ndarray, strength: np.ndarray, shares: np.ndarray, z: np.ndarray, donors: int
) -> list[int]:
    """Dimensions that are held fixed when ``d`` is tested: strongest carriers first, at most one per 15 donors.

    Parameters
    ----------
    called, strength : (D,) calls and statistics of the task in step 1
    shares : (D,) largest share of any covariate
    z : (units, D)
    """
    correlation = np.corrcoef(np.column_stack([z[:, d], z]), rowvar=False)[0, 1:]
    allowed = (trial.block == "axis") & (np.square(np.nan_to_num(correlation)) < TWIN)
    allowed[d] = False
    carriers = np.flatnonzero(allowed & called & (strength > strength[d]))
    carriers = carriers[np.argsort(-strength[carriers], kind="stable")]
    dominated = np.flatnonzero(allowed & (shares >= trial.options.share_dominant))
    dominated = dominated[np.argsort(-np.abs(correlation[dominated]), kind="stable")]
    ranked = list(dict.fromkeys([*carriers.tolist(), *dominated.tolist()]))
    return ranked[: max(3, donors // 15)]
