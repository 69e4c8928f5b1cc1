"""Measurements in memory are read as those of a file with the same content."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import sparse
from small_notebook import planted

from mtlbio.cohort.prepare import build_cohort
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run
from mtlbio.notebook.memory import genes_of, measurements_of
from mtlbio.notebook.train import _cohort, run_of

TASKS = {"disease": {"kind": "binary", "positive": "case"}}
COVARIATES = {"age": {"role": "confounder", "kind": "continuous"}, "batch": {"role": "technical"}}


def cells() -> ad.AnnData:
    """Counts of 100 donors' cells in a layer, genes named by a column in which one name stands twice."""
    whole, rng = planted(), np.random.default_rng(0)
    rows = np.repeat(np.arange(100), 22)
    counts = rng.poisson(np.exp2(np.clip(whole.X - whole.X.min(), 0, 8))[rows]).astype(np.float32)
    adata = ad.AnnData(np.log1p(counts), obs=whole.obs.iloc[rows].copy())
    adata.obs_names, adata.var_names = [f"c{i}" for i in range(2200)], [f"ENSG{i:05d}" for i in range(300)]
    adata.var["symbol"] = whole.var_names.to_numpy()
    adata.var.loc["ENSG00005", "symbol"] = adata.var.loc["ENSG00004", "symbol"]
    adata.obs["batch"] = adata.obs["batch"].astype("category")
    adata.layers["counts"] = sparse.csr_matrix(counts)
    return adata


def raw() -> ad.AnnData:
    """Log-scale values in raw.X, of more genes than there are in X."""
    adata = planted()
    adata.raw = adata.copy()
    return adata[:, :200].copy()


@pytest.mark.parametrize(
    ("make", "measured", "genes"),
    [
        (cells, {"scale": "counts", "layer": "counts", "genes": "symbol"}, 300),
        (raw, {"scale": "log2", "layer": "raw"}, 300),
    ],
)
def test_a_cohort_is_that_of_the_file(make, measured, genes, tmp_path):
    adata = make()
    adata.write_h5ad(tmp_path / "a.h5ad")
    content = {"run": "r", "expression": {"path": "a.h5ad", **measured}, "metadata": {"donor": "donor_id"}}
    content |= {"tasks": TASKS, "covariates": COVARIATES} | ({"pseudobulk": {}} if make is cells else {})
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    expected, dropped = build_cohort(read_run(tmp_path / "run.yaml"))
    named = (measured["scale"], measured.get("layer"), measured.get("genes"))
    run = run_of(adata, "r", "donor_id", TASKS, COVARIATES, *named, None, (), None, {})
    found, qc = build_cohort(run, lambda run: _cohort(adata, run))
    np.testing.assert_array_equal(found.expression, expected.expression)
    assert found.genes == expected.genes and len(found.genes) == genes
    pd.testing.assert_frame_equal(found.obs, expected.obs)
    assert found.preprocessing == expected.preprocessing
    assert [row[1:3] for row in qc.rows] == [row[1:3] for row in dropped.rows]


def test_names_that_stand_twice_are_numbered():
    adata = cells()
    names = genes_of(adata, "counts", "symbol")
    assert names[5] == f"{names[4]}-1" and genes_of(adata)[5] == "ENSG00005"
    assert measurements_of(adata, "counts", "symbol").genes.tolist() == names.tolist()


def test_what_is_not_there_is_one_line():
    adata = planted()
    with pytest.raises(InputError, match=r"^adata: layer: no layer 'counts'; found: \(none\)$"):
        measurements_of(adata, "counts")
    with pytest.raises(InputError, match="^adata: genes: no column 'symbol' in var"):
        measurements_of(adata, genes="symbol")
    with pytest.raises(InputError, match="^adata: no X in it; expected measurements$"):
        measurements_of(ad.AnnData(obs=adata.obs))
