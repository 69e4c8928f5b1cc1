"""Step 4 of a table of features: which of its columns names a dimension.

A gene set has two pieces of evidence, and so has a feature: that the dimension is built of it (its share of the
loadings), and that the dimension of held-out donors follows it once the covariates are given (the multiple correlation
with its levels, or with its number). A feature that is a covariate itself leaves nothing to follow: the covariate names
such a dimension.
"""

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.cohort.cohort import Cohort
from mtlbio.probing.design import orthonormal
from mtlbio.probing.enrichment import COLUMNS, LEAST_CORRELATION
from mtlbio.probing.families import adjust
from mtlbio.probing.trial import Trial

# A column whose variance the covariates explain but for this share is one of them.
_LEFT = 1e-3


def features_of_table(trial: Trial, cohort: Cohort, loadings: np.ndarray) -> pd.DataFrame:
    """Every feature against every dimension.

    Parameters
    ----------
    cohort : samples in the order of ``trial``; its table says which coded columns are one feature
    loadings : (D, columns)

    Returns
    -------
    DataFrame with the columns of :mod:`mtlbio.probing.enrichment`: ``set`` is the feature, ``genes`` the number of its
    coded columns, ``ulm`` its share of the dimension's squared loadings, ``correlation`` the multiple correlation given
    the covariates (signed for a single column), ``p`` of its F test; no permutation. ``names`` marks features that may
    name the dimension
    """
    units = trial.donor_units
    adjustment = trial.adjustment(units)
    z = adjustment.residual(units.mean(trial.z))
    total = np.maximum(np.square(z).sum(axis=0), 1e-300)
    mass = np.maximum(np.square(loadings).sum(axis=1), 1e-300)
    values = cohort.expression.astype(float)
    filled = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    tables = []
    for name, places in cohort.coding.places.items():
        columns = units.mean(filled[:, places])
        columns = columns - columns.mean(axis=0)
        before = np.square(columns).sum(axis=0)
        left = adjustment.residual(columns)
        left = left[:, np.square(left).sum(axis=0) > _LEFT * np.maximum(before, 1e-300)]
        basis = orthonormal(left)
        k = basis.shape[1]
        share = np.square(loadings[:, places]).sum(axis=1) / mass
        explained = np.square(basis.T @ z).sum(axis=0) / total
        freedom = units.clusters - adjustment.rank - k
        r = np.sqrt(np.clip(explained, 0, 1))
        if k == 1:
            r = r * np.sign(left[:, 0] @ z)
        p = np.full(len(trial.dims), np.nan)
        if k and freedom > 3:
            p = stats.f.sf(explained / k / np.maximum((1 - explained) / freedom, 1e-12), k, freedom)
        table = pd.DataFrame({"dim": trial.dims, "set": name, "genes": len(places), "ulm": share, "q_ulm": np.nan})
        tables.append(table.assign(correlation=r if k else np.nan, p_wald=p, p_permutation=np.nan, p=p))
    table = pd.concat(tables, ignore_index=True)
    table["q"] = adjust(table["p"].to_numpy())
    built = table["ulm"] >= np.square(LEAST_CORRELATION)
    follows = (table["q"] <= trial.options.alpha) & (table["correlation"].abs() >= LEAST_CORRELATION)
    table["names"] = built & follows
    return table[COLUMNS]
