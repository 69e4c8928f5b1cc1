"""Every format gives the same cohort, and identifiers stay text."""

from __future__ import annotations

import gzip

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import mmwrite

from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.measurements import OnDisk, check_values
from mtlbio.cohort.prepare import build_cohort, build_roster
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.read import read, read_roster
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run


def loaded(small):
    qc = QcList()
    return read(read_run(small.write_run()), qc), qc


def write_expression(small, form: str) -> str:
    table, folder = small.expression, small.folder
    if form == "csv":
        table.to_csv(folder / "e.csv")
    elif form == "csv_named_column_last":
        table.assign(sample_id=table.index).to_csv(folder / "e.csv", index=False)
        return "e.csv"
    elif form == "csv_unnamed_index":
        table.rename_axis(None).to_csv(folder / "e.csv")
        return "e.csv"
    elif form == "r_write_table":  # R leaves the name of the row names out
        body = table.to_csv(sep="\t", header=False)
        (folder / "e.tsv").write_text("\t".join(table.columns) + "\n" + body)
        return "e.tsv"
    elif form == "tsv.gz":
        table.to_csv(folder / "e.tsv.gz", sep="\t")
    elif form == "parquet":
        table.to_parquet(folder / "e.parquet")
    elif form == "parquet_column":
        table.reset_index().to_parquet(folder / "e.parquet")
        return "e.parquet"
    elif form == "parquet_text_column":
        table.rename_axis("array").reset_index().to_parquet(folder / "e.parquet")
        return "e.parquet"
    elif form == "h5ad":
        ad.AnnData(table.astype(np.float32)).write_h5ad(folder / "e.h5ad")
    elif form == "h5ad_sparse_layer":
        adata = ad.AnnData(np.zeros(table.shape), obs=table[[]], var=pd.DataFrame(index=table.columns))
        adata.layers["log"] = sparse.csc_matrix(table.to_numpy(dtype=np.float32))
        adata.write_h5ad(folder / "e.h5ad")
        small.set("expression.layer", "log")
        return "e.h5ad"
    return f"e.{form}"


FORMS = [
    "csv",
    "csv_named_column_last",
    "csv_unnamed_index",
    "r_write_table",
    "tsv.gz",
    "parquet",
    "parquet_column",
    "parquet_text_column",
    "h5ad",
    "h5ad_sparse_layer",
]


@pytest.mark.parametrize("form", FORMS)
def test_every_expression_format_reads_the_same(small, form):
    small.write()
    small.set("expression.path", write_expression(small, form))
    raw, qc = loaded(small)
    assert raw.measurements.samples.tolist() == small.expression.index.tolist()
    assert raw.measurements.genes.tolist() == small.expression.columns.tolist()
    np.testing.assert_array_equal(raw.measurements.dense(), small.expression.to_numpy(dtype=np.float32))
    assert qc.rows == []
    roster = read_roster(read_run(small.write_run()), QcList())
    assert roster.measurements.samples.tolist() == raw.measurements.samples.tolist()
    assert len(roster.measurements.genes) == 0 and roster.metadata.equals(raw.metadata)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "tsv", "parquet", "bom"])
def test_every_metadata_format_reads_the_same(small, form):
    small.write()
    path = small.folder / f"m.{'csv' if form == 'bom' else form}"
    if form == "parquet":
        small.metadata.set_index("sample_id").to_parquet(path)
    else:
        encoding = "utf-8-sig" if form == "bom" else "utf-8"
        small.metadata.to_csv(path, index=False, sep="\t" if form == "tsv" else ",", encoding=encoding)
    small.set("metadata.path", path.name)
    small.set("covariates.chip", {"role": "technical"})
    raw, _ = loaded(small)
    assert raw.metadata["donor_id"].tolist() == small.metadata["donor_id"].tolist()
    assert raw.metadata["donor_id"].iloc[0] == "001"
    assert raw.metadata["chip"].iloc[0] == "5730053041"
    assert raw.metadata["age"].astype(float).tolist() == small.metadata["age"].tolist()


def test_obs_of_an_h5ad_is_metadata(small):
    obs = small.metadata.set_index("sample_id").astype({"sex": "category"})
    ad.AnnData(small.expression.to_numpy(np.float32), obs, small.expression.T[[]]).write_h5ad(small.folder / "e.h5ad")
    small.set("expression.path", "e.h5ad")
    small.run["metadata"] = {}
    raw, _ = loaded(small)
    assert raw.metadata["donor_id"].tolist() == small.metadata["donor_id"].tolist()
    assert raw.metadata["sex"].tolist() == small.metadata["sex"].tolist()
    assert raw.source.endswith("e.h5ad (obs)")


def write_10x(folder, counts: np.ndarray, barcodes: list[str], symbols: list[str]) -> None:
    folder.mkdir()
    with gzip.open(folder / "matrix.mtx.gz", "wb") as handle:
        mmwrite(handle, sparse.coo_matrix(counts.T.astype(int)))
    features = "".join(f"ENSG{i}\t{s}\tGene Expression\n" for i, s in enumerate(symbols))
    for name, text in (("barcodes.tsv.gz", "\n".join(barcodes) + "\n"), ("features.tsv.gz", features)):
        with gzip.open(folder / name, "wt") as handle:
            handle.write(text)


def test_10x_folder(small):
    small.counts()
    small.write()
    symbols = ["GENE2", *small.expression.columns[1:]]  # a symbol of two identifiers
    write_10x(small.folder / "tenx", small.expression.to_numpy(), list(small.expression.index), symbols)
    small.set("expression.path", "tenx")
    raw, _ = loaded(small)
    assert sparse.issparse(raw.measurements.matrix)
    np.testing.assert_array_equal(raw.measurements.dense(), small.expression.to_numpy())
    assert raw.measurements.genes[:2].tolist() == ["GENE2", "GENE2-1"]
    roster = read_roster(read_run(small.write_run()), QcList())
    assert roster.measurements.samples.tolist() == raw.measurements.samples.tolist()


def test_samples_of_one_file_only_are_dropped_and_listed(small):
    small.metadata = small.metadata.iloc[:-1]
    small.metadata.loc[0, "donor_id"] = np.nan
    small.expression = small.expression.iloc[::-1].iloc[:-2]
    small.write()
    raw, qc = loaded(small)
    assert raw.measurements.samples.tolist() == small.expression.index.tolist()[1:]
    assert raw.metadata.index.tolist() == raw.measurements.samples.tolist()
    table = qc.table()
    assert table[["item", "kind", "reason"]].to_numpy().tolist() == [
        ["S024_2", "sample", "not in metadata"],
        ["S001_1", "sample", "not in expression"],
        ["S001_2", "sample", "not in expression"],
    ]


def test_sample_without_donor_is_dropped_and_listed(small):
    small.metadata.loc[2, "donor_id"] = ""
    small.write()
    raw, qc = loaded(small)
    assert len(raw.metadata) == 47
    assert qc.rows[0][:3] == ("S002_1", "sample", "donor missing")


def test_genes_in_rows_are_seen_without_reading_the_matrix(small):
    small.write()
    small.expression.T.rename_axis("gene").to_csv(small.folder / "expression.csv")
    with pytest.raises(InputError, match="genes in rows"):
        read_roster(read_run(small.write_run()), QcList())


def test_the_roster_is_the_cohort_without_its_measurements(small):
    small.metadata.loc[2, "donor_id"] = ""
    small.write()
    run = read_run(small.write_run())
    cohort, qc = build_cohort(run)
    obs, tasks, covariates, notes = build_roster(run)
    pd.testing.assert_frame_equal(obs, cohort.obs)
    assert (tasks, covariates) == (cohort.tasks, cohort.covariates) and notes.rows == qc.rows


def test_matrix_on_disk_reads_like_one_in_memory(small, monkeypatch):
    monkeypatch.setattr("mtlbio.cohort.cells.on_disk.BLOCK", 7)
    small.counts()
    path = small.folder / "e.h5ad"
    adata = ad.AnnData(sparse.csr_matrix(small.expression), obs=small.expression[[]], var=small.expression.T[[]])
    adata.write_h5ad(path)
    expression = Expression(path=str(path), scale="counts")
    on_disk = read_expression(expression, "sample_id", on_disk=True)
    in_memory = read_expression(expression, "sample_id")
    assert isinstance(on_disk.matrix, OnDisk)
    keep = np.arange(48) % 3 != 1
    later = np.arange(keep.sum()) > 20
    for data in (on_disk, in_memory):
        np.testing.assert_array_equal(data.dense(), small.expression)
        twice = data.keep(keep).keep(later)
        np.testing.assert_array_equal(twice.dense(), small.expression[keep][later])
        assert [p.stop for p, _ in twice.blocks()][-1] == len(twice.samples) == later.sum()


def test_wrong_value_of_a_sparse_matrix_is_located(small):
    small.counts()
    values = small.expression.to_numpy(dtype=np.float32)
    values[values < 12] = 0
    values[40, 29] = -2
    path = small.folder / "e.h5ad"
    ad.AnnData(sparse.csr_matrix(values), obs=small.expression[[]], var=small.expression.T[[]]).write_h5ad(path)
    data = read_expression(Expression(path=str(path), scale="counts"), "sample_id")
    with pytest.raises(InputError, match="gene 'GENE30', sample 'S021_1': found -2"):
        check_values(data, "counts")
