"""A planted cohort with the latents of another model: principal components of all donors, rotated by varimax."""

from functools import partial
from pathlib import Path

import anndata as ad
import numpy as np

from mtlbio.cohort.simulate import simulate, write_files
from mtlbio.model.blocks import standardised
from mtlbio.model.rotation import principal_components, varimax

AXES = 12  # components that are kept and rotated together
_RUN = """\
# Latents that another model made, on trial: principal components of all donors. truth.csv knows what drives what.
run: {name}
latents: {{path: cohort.h5ad, key: X_pca, loadings: PCs, saw: donors, corrected_for: [], kept: []}}
expression: {{path: cohort.h5ad, scale: log2}}   # gene sets are scored on it
metadata: {{donor: donor_id}}
tasks:
  disease:  {{kind: binary, positive: case}}
  response: {{kind: binary, positive: responder}}   # missing for controls and some cases
covariates:
  age:   {{role: confounder, kind: continuous}}
  sex:   {{role: confounder}}
  batch: {{role: technical}}
gene_sets: builtin
"""


def plant(directory: str | Path, name: str | None, seed: int, design: str = "clear", **sizes: int) -> Path:
    """Write ``cohort.h5ad`` with ``obsm["X_pca"]`` and ``varm["PCs"]``, ``truth.csv`` and ``run.yaml``.

    ``design``, ``sizes``: as :func:`mtlbio.cohort.simulate.simulate` takes them. Gives the path of the YAML.
    """
    planted = simulate(design, seed, **sizes)
    expression = planted.expression
    latents, weights = rotated_components(expression.to_numpy(dtype=float), AXES)
    obs = planted.metadata.set_index("sample_id").loc[expression.index]
    adata = ad.AnnData(expression.to_numpy(dtype=np.float32), obs=obs)
    adata.var_names = list(expression.columns)
    adata.obsm["X_pca"], adata.varm["PCs"] = latents, weights
    tables = {
        "cohort.h5ad": adata.write_h5ad,
        "truth.csv": partial(planted.truth.to_csv, float_format="%.6g"),
    }
    return write_files(directory, tables, _RUN.format(name=name or "planted_latents"))


def rotated_components(values: np.ndarray, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of standardised columns, rotated by varimax of their weights (Kaiser 1958).

    Parameters
    ----------
    values : (n, genes)
    axes : how many are kept

    Returns
    -------
    latents : (n, axes), each with variance 1
    weights : (genes, axes)
    """
    scores, weights = principal_components(standardised(values), axes)
    rotation = varimax(weights)
    return scores @ rotation, weights @ rotation
