"""What was trained on a small planted cohort."""

import pytest
from small_notebook import CALL, SMALL, planted

import mtlbio as mb


@pytest.fixture(scope="session")
def trained():
    """The AnnData with what training left in it, and the result."""
    adata = planted()
    return adata, mb.train(adata, scale="log2", gene_sets="builtin", **CALL, **SMALL)
