"""What a dimension follows: properties of the residue itself and of its neighbours.

Two pieces of evidence, as for gene sets, both below the false discovery rate: on the loadings, the correlation of the
dimension's covariances with the twenty letters (at the residue, or around it) with the scale; on held-out chains, the
partial correlation of the property with the dimension within chains given the covariates, tested with the chain as
cluster and by turning the signs of whole chains.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.model.residue_axes import REACH
from mtlbio.probing.design import orthonormal
from mtlbio.probing.enrichment import COLUMNS, named
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

    ``loadings``: (D, 20 (2 REACH + 1)) of :mod:`mtlbio.model.residue_axes`.
    """
    units = sample_units(trial.donors, trial.mask)
    adjustment, z = trial.adjustment(units), units.mean(trial.z)
    at = np.asarray(loadings, dtype=float).reshape(len(trial.dims), 2 * REACH + 1, 20)
    beside = np.delete(at, REACH, axis=1).mean(axis=1)
    tables = []
    names = [(name, around) for around in (False, True) for name in SCALES]
    for number, (name, around) in enumerate(track(names, "properties that name a dimension")):
        column = f"{name}{AROUND}" if around else name
        values = units.mean(trial.obs[column].to_numpy(dtype=float)[:, None])
        contrast = Contrast((values - values.mean()) / max(values.std(), 1e-12), adjustment, units)
        p = contrast.randomisation(z, trial.options.permutations, trial.options.seed * 1000 + 700 + number)
        residual, tested = contrast.residual_of_nuisance(z), contrast.a[:, 0]
        length = np.linalg.norm(tested) * np.linalg.norm(residual, axis=0)
        rows = beside if around else at[:, REACH]
        ulm = [stats.pearsonr(row, SCALES[name]) if row.std() > 0 else (0.0, 1.0) for row in rows]
        table = pd.DataFrame({"dim": trial.dims, "set": column, "genes": 20, "entry": AAINDEX[name]})
        table[["ulm", "q_ulm"]] = np.array(ulm)
        table = table.assign(p_wald=contrast.wald(z).p, p_permutation=p)
        tables.append(table.assign(correlation=(tested @ residual) / np.maximum(length, 1e-12)))
    table = pd.concat(tables, ignore_index=True)
    table["q_ulm"] = adjust(table["q_ulm"].to_numpy())
    return named(table, trial.options.alpha)[[*COLUMNS, "entry"]]


def identity_and_context(trial: ResidueTrial) -> pd.DataFrame:
    """(D rows) how much of a dimension's variance within chains is told by the residue's own letter and by its
    neighbours, each given the other: columns ``identity`` and ``context``, 0-1 and bias-corrected."""
    units = sample_units(trial.donors, trial.mask)
    adjustment, z = trial.adjustment(units), units.mean(trial.z)
    letters = trial.obs["letter"].astype(str).to_numpy()
    letter = units.mean((letters[:, None] == np.unique(letters)[None, 1:]).astype(float))
    around = units.mean(trial.obs[[f"{name}{AROUND}" for name in SCALES]].to_numpy(dtype=float))
    table = pd.DataFrame({"dim": trial.dims})
    for name, tested, other in (("identity", letter, around), ("context", around, letter)):
        basis = orthonormal(np.column_stack([adjustment.basis, units.centre(other)]))
        table[name] = share(z, tested, False, replace(adjustment, basis=basis), units)
    return table
