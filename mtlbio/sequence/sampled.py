"""The held-out residues of ``latents.h5ad`` in the form of a cohort, for the trial and the page."""

from __future__ import annotations

import anndata as ad
import numpy as np

from mtlbio.cohort.cohort import Cohort, parse_schema


def residue_cohort(latents: ad.AnnData) -> Cohort:
    """The held-out residues in the form of a cohort: chains are donors; there is no expression."""
    tasks, covariates = parse_schema(latents.uns["mtlbio"])
    names = tuple(np.asarray(latents.uns["genes"]).astype(str))
    empty = np.zeros((latents.n_obs, 0), dtype=np.float32)
    return Cohort(empty, names, latents.obs, tasks, covariates, {"kind": "protein"})
