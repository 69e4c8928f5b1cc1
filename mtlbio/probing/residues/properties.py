"""What a dimension follows: properties of the residue itself and of its neighbours.

Two pieces of evidence, as for gene sets, both below the false discovery rate: on the loadings, the correlation of the
dimension's covariances with the twenty letters (at the residue, or around it) with the scale; on held-out chains, the
partial correlation of the property with the dimension within chains given the covariates, tested with the chain as
cluster and by turning the signs of whole chains.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.model.residue_axes import REACH
from mtlbio.probing.design import nuisance, orthonormal
from mtlbio.probing.enrichment import COLUMNS, LEAST_CORRELATION
from mtlbio.probing.families import adjust
from mtlbio.probing.inference import Contrast
from mtlbio.probing.residues.trial import ResidueTrial
from mtlbio.probing.shares import share
from mtlbio.probing.units import sample_units
from mtlbio.progress import track
from mtlbio.sequence.scales import AAINDEX, SCALES
from mtlbio.training.chains.latents import AROUND


def properties(trial: ResidueTrial, loadings: np.ndarray) -> pd.DataFrame:
    """Every property against every dimension, in the columns of ``enrichment.tsv``.

    ``set`` is the property (``hydrophobicity``, or ``hydrophobicity_around`` of the neighbours), ``genes`` the number
    of letters, ``ulm`` the correlation of the loadings with the scale, ``correlation`` the partial correlation within
    chains; ``entry`` names the AAindex entry.

    Parameters
    ----------
    loadings : (D, 20 (2 REACH + 1)) of :mod:`mtlbio.model.residue_axes`
    """
    units = sample_units(trial.donors, trial.mask)
    given = nuisance(trial.obs, list(trial.covariates.values()), units, trial.options.spline_df, False)
    z = units.mean(trial.z)
    at = np.asarray(loadings, dtype=float).reshape(len(trial.dims), 2 * REACH + 1, 20)
    beside = np.delete(at, REACH, axis=1).mean(axis=1)
    tables = []
    names = [(name, around) for around in (False, True) for name in SCALES]
    for number, (name, around) in enumerate(track(names, "properties that name a dimension")):
        column = f"{name}{AROUND}" if around else name
        values = units.mean(trial.obs[column].to_numpy(dtype=float)[:, None])
        contrast = Contrast((values - values.mean()) / max(values.std(), 1e-12), given, units)
        wald = contrast.wald(z)
        p = contrast.randomisation(z, trial.options.permutations, trial.options.seed * 1000 + 700 + number)
        left, own = contrast.residual_of_nuisance(z), contrast.a[:, 0]
        r = (own @ left) / np.maximum(np.linalg.norm(own) * np.linalg.norm(left, axis=0), 1e-12)
        estimates = [
            stats.pearsonr(row, SCALES[name]) if row.std() > 0 else (0.0, 1.0)
            for row in (beside if around else at[:, REACH])
        ]
        table = pd.DataFrame({"dim": trial.dims, "set": column, "genes": 20, "correlation": r, "entry": AAINDEX[name]})
        table = table.assign(
            ulm=[t[0] for t in estimates], q_ulm=[t[1] for t in estimates], p_wald=wald.p, p_permutation=p
        )
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    table["p"] = table[["p_wald", "p_permutation"]].max(axis=1, skipna=False)
    table["q"], table["q_ulm"] = adjust(table["p"].to_numpy()), adjust(table["q_ulm"].to_numpy())
    alpha = trial.options.alpha
    strong = table["correlation"].abs() >= LEAST_CORRELATION
    same = np.sign(table["correlation"]) == np.sign(table["ulm"])
    table["names"] = (table["q"] <= alpha) & (table["q_ulm"] <= alpha) & strong & same
    return table[[*COLUMNS, "entry"]]


def identity_and_context(trial: ResidueTrial) -> pd.DataFrame:
    """(D rows) how much of a dimension's variance within chains is told by the residue's own letter and by its
    neighbours, each given the other: columns ``identity`` and ``context``, 0-1 and bias-corrected."""
    units = sample_units(trial.donors, trial.mask)
    given = nuisance(trial.obs, list(trial.covariates.values()), units, trial.options.spline_df, False)
    z = units.mean(trial.z)
    letters = trial.obs["letter"].astype(str).to_numpy()
    own = units.mean((letters[:, None] == np.unique(letters)[None, 1:]).astype(float))
    around = units.mean(trial.obs[[f"{name}{AROUND}" for name in SCALES]].to_numpy(dtype=float))
    found = {}
    for name, tested, other in (("identity", own, around), ("context", around, own)):
        basis = orthonormal(np.column_stack([given.basis, units.centre(other)]))
        found[name] = share(z, tested, False, type(given)(basis, given.strata, given.terms, given.absorbed), units)
    return pd.DataFrame(found, index=pd.Index(trial.dims, name="dim")).reset_index()
