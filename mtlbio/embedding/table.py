"""``latents.h5ad`` of latents that another model made, in memory and on disk."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, schema_json
from mtlbio.files import replacing
from mtlbio.model.blocks import standardised
from mtlbio.model.matching import effective_rank

MEASURED = "latents"  # ``scale`` of a cohort whose measurements are its latents


def measured(cohort: Cohort) -> bool:
    """Whether a cohort has measurements beside the latents."""
    return cohort.preprocessing["scale"] != MEASURED


def latents_table(
    cohort: Cohort, splits: pd.DataFrame, values: np.ndarray, dims: tuple[str, ...], stability: np.ndarray
) -> ad.AnnData:
    """The table that the trial reads, in the form of a trained model's (``docs/tables.md``).

    Parameters
    ----------
    values : (n, D) latents of the samples of ``cohort``, which lie as in ``splits``
    stability : (D,), NaN where it is not known

    Returns
    -------
    AnnData whose ``varm["loadings"]`` are those that were given, else the correlations of every gene with every
    dimension, else none
    """
    obs = cohort.obs.copy()
    obs.insert(1, "fold", splits["fold"].to_numpy().astype(int))
    var = pd.DataFrame({"block": "axis", "task": "", "stability": stability}, index=pd.Index(dims, name="dim"))
    spread = np.square(values - values.mean(axis=0)).mean(axis=0)
    var["variance"] = spread / spread.sum()
    loadings, genes = loadings_of(cohort, values)
    varm = {} if loadings is None else {"loadings": loadings}
    uns = {"genes": np.array(genes, dtype=str), "mtlbio": schema_json(cohort), "effective_rank": effective_rank(values)}
    return ad.AnnData(X=np.asarray(values, dtype=np.float64), obs=obs, var=var, varm=varm, uns=uns)


def loadings_of(cohort: Cohort, values: np.ndarray) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """(D, genes) weights and the genes: as given, or correlations with the measurements; None without either."""
    given = cohort.given
    if given is not None and given.loadings is not None:
        return np.asarray(given.loadings, dtype=float), given.genes
    if not measured(cohort):
        return None, ()
    genes = np.asarray(cohort.expression, dtype=float)
    return standardised(values).T @ standardised(genes) / len(values), cohort.genes


def write_latents(latents: ad.AnnData, path: Path) -> None:
    """Write ``latents.h5ad``, or nothing."""
    with replacing(path) as temporary:
        latents.write_h5ad(temporary)
