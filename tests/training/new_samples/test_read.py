"""Files of new samples as they lie: transposed, with genes twice, under names of another column."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.training.new_samples.read import read_new

GENES = [f"GENE{i}" for i in range(30)]
TABLE = pd.DataFrame(
    np.round(np.random.default_rng(0).normal(8, 2, (5, 30)), 3), [f"s{i}" for i in range(5)], GENES
).rename_axis("sample_id")


def read(path, **preprocessing):
    with noticing() as notes:
        data = read_new(path, {"scale": "log2"} | preprocessing, GENES)
    return data, [note.text for note in notes]


def write(table: pd.DataFrame, path, **options):
    table.to_csv(path, **options)
    return path


def test_samples_in_rows_are_read_without_a_word(tmp_path):
    data, said = read(write(TABLE, tmp_path / "new.csv"))
    assert data.samples.tolist() == list(TABLE.index) and said == []
    np.testing.assert_allclose(data.dense(), TABLE, rtol=1e-6)


@pytest.mark.parametrize("ending", ["csv", "parquet", "h5ad"])
def test_genes_in_rows_are_read_so(tmp_path, ending):
    path, turned = tmp_path / f"new.{ending}", TABLE.T.rename_axis("gene")
    if ending == "csv":
        turned.to_csv(path)
    elif ending == "parquet":
        turned.to_parquet(path)
    else:
        ad.AnnData(sparse.csr_matrix(turned.to_numpy()), turned[[]], pd.DataFrame(index=TABLE.index)).write_h5ad(path)
    data, said = read(path)
    assert data.samples.tolist() == list(TABLE.index) and data.genes.tolist() == GENES
    np.testing.assert_allclose(data.dense(), TABLE, rtol=1e-6)
    assert len(said) == 1 and "genes in rows" in said[0]


def test_genes_twice_are_summed_or_averaged_and_unnamed_ones_go(tmp_path):
    twice = pd.concat([TABLE, TABLE[["GENE3"]] + 1, TABLE[["GENE4"]].rename(columns={"GENE4": " "})], axis=1)
    path = write(twice, tmp_path / "new.csv")
    data, said = read(path)
    np.testing.assert_allclose(data.dense()[:, data.genes == "GENE3"][:, 0], TABLE["GENE3"] + 0.5, rtol=1e-6)
    assert len(data.genes) == 30 and any("GENE3 stand twice: averaged" in line for line in said)
    data, said = read(path, scale="counts")
    np.testing.assert_allclose(data.dense()[:, data.genes == "GENE3"][:, 0], 2 * TABLE["GENE3"] + 1, rtol=1e-6)
    assert any("summed" in line for line in said)


def test_a_sample_twice_is_one_line(tmp_path):
    with pytest.raises(InputError, match="new.csv: .*s0.* twice"):
        read(write(pd.concat([TABLE, TABLE.iloc[:1]]), tmp_path / "new.csv"))


def test_columns_of_text_that_are_no_genes_are_left_out(tmp_path):
    table = TABLE.assign(sex=["female", "male", "male", "female", "male"])
    data, said = read(write(table, tmp_path / "new.csv"))
    assert data.genes.tolist() == GENES and any("no genes: left out: 'sex'" in line for line in said)


def test_the_column_that_names_the_genes_is_found_and_what_describes_them_left_out(tmp_path):
    table = TABLE.T.rename_axis("gene_name").reset_index()
    table.insert(0, "gene_id", [f"ENSG{i:011d}.1" for i in range(30)])
    table.insert(1, "length", 1000)
    data, said = read(write(table, tmp_path / "new.csv", index=False))
    assert data.samples.tolist() == list(TABLE.index) and data.genes.tolist() == GENES
    assert any("genes in rows, genes named by column 'gene_name'" in line for line in said)


def test_a_column_of_var_that_names_the_genes_is_found(tmp_path):
    var = pd.DataFrame({"feature_name": GENES}, [f"ENSG{i:011d}" for i in range(30)])
    ad.AnnData(TABLE.to_numpy(), pd.DataFrame(index=TABLE.index), var).write_h5ad(tmp_path / "new.h5ad")
    data, said = read(tmp_path / "new.h5ad")
    assert data.genes.tolist() == GENES and any("genes named by column 'feature_name'" in line for line in said)


def test_the_layer_of_the_training_cohort_is_read_where_it_is_there(tmp_path):
    var, obs = pd.DataFrame(index=GENES), pd.DataFrame(index=TABLE.index)
    adata = ad.AnnData(np.zeros((5, 30)), obs, var, layers={"logs": TABLE.to_numpy()})
    adata.write_h5ad(tmp_path / "both.h5ad")
    np.testing.assert_allclose(read(tmp_path / "both.h5ad", layer="logs")[0].dense(), TABLE, rtol=1e-6)
    ad.AnnData(TABLE.to_numpy(), obs, var).write_h5ad(tmp_path / "x.h5ad")
    data, said = read(tmp_path / "x.h5ad", layer="logs")
    np.testing.assert_allclose(data.dense(), TABLE, rtol=1e-6)
    assert said == ["no layer of that name, so X: read so"]


def test_an_unreadable_file_is_the_readers_line(tmp_path):
    (tmp_path / "new.csv").write_text("sample_id,GENE1\ns0,high\n")
    with pytest.raises(InputError, match="new.csv: .*GENE1.*high"):
        read(tmp_path / "new.csv")


def test_samples_without_names_are_refused(tmp_path):
    table = TABLE + 0.0001  # three decimals or more
    with pytest.raises(InputError, match="no column names the samples, and the first holds measurements"):
        read(write(table, tmp_path / "new.csv", index=False))
    visits = TABLE.set_axis([f"{i}.{i % 2}" for i in range(5)]).rename_axis("visit")
    assert read(write(visits, tmp_path / "visits.csv"))[0].samples.tolist() == list(visits.index)
