"""A small planted cohort in memory, and how it is trained on."""

import anndata as ad
import numpy as np

from mtlbio.cohort.simulate import simulate

CALL = {
    "donor": "donor_id",
    "tasks": {"disease": "case", "age": {"kind": "regression"}},
    "covariates": {"age": "confounder", "batch": "technical"},
}
SMALL = {
    "splits": {"folds": 2},
    "training": {"genes": 100, "axes": 4, "curves": 40, "block": 2, "seeds": 1, "epochs": 10},
    "baselines": {"arms": ["ridge"]},
    "evaluate": {"bootstrap": 100},
    "probe": {"permutations": 199, "bootstrap": 100},
}


def planted() -> ad.AnnData:
    """100 donors, of whom one has no disease state that is known, and a sample without a donor."""
    cohort = simulate("clear", 0, donors=100, genes=300)
    adata = ad.AnnData(cohort.expression.to_numpy(dtype=np.float32), obs=cohort.metadata.set_index("sample_id"))
    adata.var_names = list(cohort.expression.columns)
    adata.obs.loc["S0003", "donor_id"] = np.nan
    adata.obs.loc["S0004", "disease"] = np.nan
    return adata
