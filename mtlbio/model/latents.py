"""``latents.h5ad``: out-of-fold latents on canonical axes, and the final ensemble's."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, schema_json
from mtlbio.files import replacing
from mtlbio.model.ensemble import Ensemble
from mtlbio.model.matching import effective_rank


def out_of_fold(ensemble: Ensemble, cohort: Cohort, splits: pd.DataFrame) -> np.ndarray:
    """(n, d) latents of each sample from the models that never saw its donor, averaged over seeds."""
    latents = np.full((len(cohort.obs), len(ensemble.dims)), np.nan, dtype=np.float32)
    for fold in ensemble.folds:
        rows = np.flatnonzero(splits["fold"].to_numpy().astype(int) == fold)
        latents[rows] = ensemble.latents(cohort.expression[rows], fold).mean(axis=0)
    return latents


def latents_table(cohort: Cohort, splits: pd.DataFrame, canonical) -> ad.AnnData:
    """The table that probing reads; its form is an interface (``docs/tables.md``)."""
    ensemble: Ensemble = canonical.ensemble
    latents = out_of_fold(ensemble, cohort, splits)
    obs = cohort.obs.copy()
    obs.insert(1, "fold", splits["fold"].to_numpy().astype(int))
    n_genes = max(len(m.features.genes_idx) for m in ensemble.models.values())
    columns = {"block": canonical.block, "task": canonical.task, "stability": canonical.stability}
    columns["variance"] = np.where(canonical.block == "axis", (canonical.loadings**2).sum(axis=1) / n_genes, np.nan)
    var = pd.DataFrame(columns, index=pd.Index(ensemble.dims, name="dim"))
    if canonical.feature is not None:
        var["feature"] = canonical.feature
    return ad.AnnData(
        X=latents,
        obs=obs,
        var=var,
        layers={"final": ensemble.latents(cohort.expression).mean(axis=0).astype(np.float32)},
        varm={"loadings": canonical.loadings},
        uns={
            "genes": np.array(cohort.genes),
            "mtlbio": schema_json(cohort),
            "effective_rank": effective_rank(latents[:, canonical.block == "axis"]),
        },
    )


def write_latents(cohort: Cohort, splits: pd.DataFrame, canonical, path: str | Path) -> None:
    """Write :func:`latents_table`."""
    adata = latents_table(cohort, splits, canonical)
    with replacing(path) as temporary:
        adata.write_h5ad(temporary)
