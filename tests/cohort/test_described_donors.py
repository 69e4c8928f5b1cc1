"""A table of donors beside a file of cells is told as such."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.described_donors import check_described
from mtlbio.cohort.drafts.draft import draft
from mtlbio.errors import InputError

COUNTS = np.random.default_rng(0).poisson(2.0, (60, 5)).astype(np.float32)
DONORS = pd.DataFrame({"patient": [f"P{i}" for i in range(6)], "disease": ["case", "control"] * 3})


def test_a_table_of_donors(tmp_path):
    obs = pd.DataFrame({"donor": [f"P{i % 6}" for i in range(60)]}, index=[f"c{i}" for i in range(60)])
    path = tmp_path / "e.h5ad"
    ad.AnnData(COUNTS, obs=obs).write_h5ad(path)
    DONORS.to_csv(tmp_path / "m.csv", index=False)
    words = r"m.csv: describes no rows of .*e.h5ad, but what obs\['donor'\] of it holds, in column 'patient'"
    with pytest.raises(InputError, match=words):
        draft(path, tmp_path / "m.csv")
    check_described(path, DONORS.assign(cell=[f"c{i}" for i in range(6)]), "m.csv")
    check_described(path, DONORS.assign(patient=[f"Q{i}" for i in range(6)]), "m.csv")
    check_described(tmp_path / "e.csv", DONORS, "m.csv")
    # following the advice
    adata = ad.read_h5ad(path)
    adata.obs = adata.obs.join(DONORS.set_index("patient"), on="donor")
    adata.write_h5ad(path)
    assert "disease: {kind: binary, positive: case}" in draft(path)[0]
