"""Counts are found where people keep them, and chosen."""

from __future__ import annotations

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata.io import write_elem
from scipy import sparse

from mtlbio.cohort.cells.layers import Choice, _glance, choose_layer, looks, tell_averages
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.config import Expression
from mtlbio.intake.notes import noticing

RNG = np.random.default_rng(1)
COUNTS = RNG.poisson(2.0, (40, 12)).astype(np.float32)
LOGGED = np.log1p(COUNTS)
SCALED = (LOGGED - LOGGED.mean(axis=0)) / LOGGED.std(axis=0)
SYMBOLS = builtin_sets()["INTERFERON_RESPONSE"][:12]


def test_kinds_of_values():
    assert [looks(values) for values in (COUNTS, LOGGED, SCALED, 7.5 * COUNTS, COUNTS > 1)] == [
        "counts",
        "log-normalised",
        "scaled",
        "linear, not logged",
        "between 0 and 1",
    ]


def file(tmp_path, x, layers=None, raw=None):
    adata = ad.AnnData(x, layers=layers or {})
    adata.var_names = SYMBOLS
    if raw is not None:
        adata.raw = ad.AnnData(raw, var=pd.DataFrame(index=[f"g{i}" for i in range(raw.shape[1])]))
    adata.write_h5ad(tmp_path / "e.h5ad")
    return tmp_path / "e.h5ad"


MORE = RNG.poisson(2.0, (40, 20)).astype(np.float32)
CASES = {
    "X alone": ({"x": LOGGED}, None),
    "X counts": ({"x": COUNTS, "layers": {"norm": LOGGED}}, None),
    "raw.X counts": ({"x": LOGGED, "raw": sparse.csr_matrix(COUNTS)}, "raw"),
    "a layer of counts": ({"x": SCALED, "layers": {"counts": sparse.csc_matrix(COUNTS), "norm": LOGGED}}, "counts"),
    "a layer of counts beside raw.X logged": ({"x": SCALED, "layers": {"umi": COUNTS}, "raw": LOGGED}, "umi"),
    "both counts, more genes in raw.X": ({"x": LOGGED, "layers": {"counts": COUNTS}, "raw": MORE}, "raw"),
    "raw.X logged, X scaled": ({"x": SCALED, "raw": LOGGED}, "raw"),
    "spliced counts are no counts of the gene": (
        {"x": LOGGED, "layers": {"spliced": COUNTS, "unspliced": COUNTS}},
        None,
    ),
    "a mask is no count": ({"x": LOGGED, "layers": {"detected": (COUNTS > 0).astype(int)}}, None),
    "methylation with its reads": ({"x": COUNTS / 50, "layers": {"reads": COUNTS}}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_counts_are_preferred(tmp_path, case):
    made, layer = CASES[case]
    choice = choose_layer(file(tmp_path, **made))
    assert choice.layer == layer and choice.genes is None and choice.modality is None
    assert bool(choice.notes) == (len(made) > 1)


def test_what_there_is_is_said(tmp_path):
    path = file(tmp_path, SCALED, {"counts": COUNTS}, LOGGED)
    assert choose_layer(path).notes == (
        "matrices: X (scaled, 12 genes), raw.X (log-normalised, 12 genes), counts (counts, 12 genes); layer counts is "
        "used, because X looks scaled",
    )
    assert choose_layer(tmp_path / "e.csv") == Choice()


def test_symbols_in_a_column_of_var(tmp_path):
    adata = ad.AnnData(COUNTS)
    adata.var_names = [f"ENSG{i:011d}.2" for i in range(12)]
    adata.var["length"], adata.var["feature_name"] = 1.0, SYMBOLS
    adata.write_h5ad(tmp_path / "e.h5ad")
    choice = choose_layer(tmp_path / "e.h5ad")
    assert choice.keys == {"genes": "feature_name"}
    assert choice.notes == (
        "genes: column feature_name of var, whose names the built-in gene sets know, unlike those of ENSG00000000000.2",
    )
    adata.var["feature_name"] = [f"x{i}" for i in range(12)]
    adata.write_h5ad(tmp_path / "e.h5ad")
    assert choose_layer(tmp_path / "e.h5ad") == Choice()


def test_the_modality_of_expression(tmp_path):
    adata = ad.AnnData(LOGGED, layers={"counts": COUNTS})
    with h5py.File(tmp_path / "m.h5mu", "w") as out:
        for name in ("atac", "RNA"):
            write_elem(out, f"mod/{name}", adata)
    choice = choose_layer(tmp_path / "m.h5mu")
    assert choice.keys == {"layer": "counts", "modality": "RNA"}
    assert choice.notes[0] == "modality: RNA, of RNA, atac"


@pytest.mark.parametrize(
    ("scale", "made", "words", "doubt"),
    [
        ("log", {"x": LOGGED}, "values on scale log are averaged over the cells of a sample", False),
        ("log", {"x": LOGGED, "raw": COUNTS}, "are summed: expression: {scale: counts, layer: raw}", True),
        ("z", {"x": SCALED, "layers": {"counts": COUNTS}}, "expression: {scale: counts, layer: counts}", True),
        ("z", {"x": SCALED}, "z-scores of cells say little of donors: counts are better", True),
    ],
)
def test_averages_are_told(tmp_path, scale, made, words, doubt):
    path = file(tmp_path, **made)
    with noticing() as notes:
        tell_averages(Expression(path=str(path), scale=scale))
    assert len(notes) == 1 and notes[0].text.endswith(words) and notes[0].doubt == doubt


def test_a_matrix_that_claims_a_million_columns_in_chunks_of_one_is_looked_at_in_a_moment(tmp_path):
    ad.AnnData(np.ones((4, 3), np.float32)).write_h5ad(tmp_path / "e.h5ad")
    with h5py.File(tmp_path / "e.h5ad", "a") as file:
        attributes = dict(file["X"].attrs)
        del file["X"]
        claimed = file.create_dataset("X", shape=(10**12, 10**6), dtype="f4", chunks=(238_419, 1))
        claimed.attrs.update(attributes)
        assert len(_glance(claimed)) == 3 * 3125 * 64 and not _glance(claimed).any()
