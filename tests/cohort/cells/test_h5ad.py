"""AnnData in every shape that people save: values, names and descriptions come out as they went in."""

from __future__ import annotations

import shutil
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from anndata.io import write_elem
from scipy import sparse

from mtlbio.cohort.cells.h5ad import h5ad_obs
from mtlbio.cohort.cells.on_disk import OnDisk
from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.cohort.metadata import text_table
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing

CELLS, GENES, ALL_GENES = 9, 4, 6
RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(1.5, (CELLS, ALL_GENES)).astype(np.float32)
LOGGED = np.log1p(COUNTS[:, :GENES])
NAMES = [f"c{i}" for i in range(CELLS)]


def annotated() -> ad.AnnData:
    """X log-normalised, raw.X counts of more genes, layers of both."""
    genes = range(ALL_GENES)
    var = pd.DataFrame({"feature_name": [f"SYM{i}" for i in genes]}, index=[f"E{i}" for i in genes])
    obs = pd.DataFrame({"donor": ["007", "008", "009"] * 3, "age": np.arange(CELLS) + 0.5}, index=NAMES)
    whole = ad.AnnData(sparse.csr_matrix(COUNTS), obs=obs, var=var)
    adata = whole[:, :GENES].copy()
    adata.raw = whole
    adata.X = LOGGED
    adata.layers["counts"] = sparse.csc_matrix(COUNTS[:, :GENES])
    return adata


def measured(path: Path, on_disk: bool = False, **keys):
    return read_expression(Expression(path=str(path), scale="log", **keys), "sample_id", on_disk=on_disk)


SHAPES = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "dense": np.asarray}
STORES = ("h5ad", "zarr 2", "zarr 3", "zarr.zip", "zarr without consolidated metadata")


def stored(adata: ad.AnnData, folder: Path, store: str) -> Path:
    if store == "h5ad":
        adata.write_h5ad(folder / "e.h5ad")
        return folder / "e.h5ad"
    path = folder / "e.zarr"
    if store == "zarr.zip":
        with zarr.storage.ZipStore(folder / "e.zarr.zip", mode="w") as packed:
            write_elem(zarr.open_group(packed, mode="w", zarr_format=2), "/", adata)
        return folder / "e.zarr.zip"
    group = zarr.open_group(str(path), mode="w", zarr_format=3 if store == "zarr 3" else 2)
    write_elem(group, "/", adata)
    if "consolidated" not in store:
        zarr.consolidate_metadata(str(path))
    return path


@pytest.mark.parametrize("store", STORES)
@pytest.mark.filterwarnings("ignore")
def test_every_store_gives_x_layers_and_raw(tmp_path, store):
    path = stored(annotated(), tmp_path, store)
    for on_disk in (False, True):
        np.testing.assert_array_equal(measured(path, on_disk).dense(), LOGGED)
        counts = measured(path, on_disk, layer="counts")
        np.testing.assert_array_equal(counts.dense(), COUNTS[:, :GENES])
        raw = measured(path, on_disk, layer="raw")
        np.testing.assert_array_equal(raw.dense(), COUNTS)
        assert raw.genes.tolist() == [f"E{i}" for i in range(ALL_GENES)] and counts.genes.tolist()[-1] == "E3"
        assert measured(path, on_disk, layer="raw", genes="feature_name").genes.tolist()[-1] == "SYM5"
    assert sample_names(Expression(path=str(path), scale="log"), "x").tolist() == NAMES
    assert h5ad_obs(path)["donor"].astype(str).tolist()[:3] == ["007", "008", "009"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int64", "uint8", ">f4"])
def test_matrices_of_every_layout_and_type(tmp_path, monkeypatch, shape, dtype):
    monkeypatch.setattr("mtlbio.cohort.cells.on_disk.BLOCK", 2)
    path = tmp_path / "e.h5ad"
    kept = "float32" if dtype in ("float16", ">f4") else dtype
    ad.AnnData(SHAPES[shape](COUNTS.astype(kept)), obs=pd.DataFrame(index=NAMES)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        key = "X" if shape == "dense" else "X/data"
        values, attributes = file[key][()], dict(file[key].attrs)
        del file[key]
        file.create_dataset(key, data=values.astype(dtype)).attrs.update(attributes)
    data, there = measured(path, on_disk=True), measured(path)
    assert isinstance(data.matrix, OnDisk) and data.matrix.layout == shape
    keep = np.arange(CELLS) % 3 != 1
    for found in (data, there):
        np.testing.assert_array_equal(found.dense(), COUNTS)
        np.testing.assert_array_equal(found.keep(keep).dense(), COUNTS[keep])
        total = np.zeros((int(keep.sum()), ALL_GENES))
        for rows, columns, block in found.keep(keep).parts():
            total[rows, columns] += block if isinstance(block, np.ndarray) else block.toarray()
        np.testing.assert_array_equal(total, COUNTS[keep])


def test_a_layer_that_is_not_there_names_those_that_are(tmp_path):
    path = stored(annotated(), tmp_path, "h5ad")
    with pytest.raises(InputError, match=r"expression.layer: no layer 'count'; found: raw, counts$"):
        measured(path, layer="count")
    with h5py.File(path, "r+") as file:
        del file["X"]
    with pytest.raises(InputError, match=r"no X in it; expression.layer may name another matrix; found: raw, counts$"):
        measured(path)
    np.testing.assert_array_equal(measured(path, layer="raw").dense(), COUNTS)
    with pytest.raises(InputError, match="expression.genes: var has no column 'symbol'; found: feature_name"):
        measured(path, layer="raw", genes="symbol")
    with pytest.raises(InputError, match="expression.modality: 'rna' given, but this is no MuData"):
        measured(path, layer="raw", modality="rna")


def test_a_layer_called_raw_goes_before_raw_x(tmp_path):
    adata = annotated()
    adata.layers["raw"] = COUNTS[:, :GENES] + 1
    path = stored(adata, tmp_path, "h5ad")
    np.testing.assert_array_equal(measured(path, layer="raw").dense(), COUNTS[:, :GENES] + 1)
    np.testing.assert_array_equal(measured(path, layer="raw.X").dense(), COUNTS)


def test_obs_of_every_type_becomes_text(tmp_path):
    adata = annotated()
    adata.obs = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3] * 3, dtype="Int64"),
            "yes": pd.array([True, None, False] * 3, dtype="boolean"),
            "text": pd.array(["a ", None, "b"] * 3, dtype="string"),
            "category": pd.Categorical(["x", None, "y"] * 3),
            "numbered": pd.Categorical([2, 1, 2] * 3),
            "donor": ["007", "008", "009"] * 3,
        },
        index=NAMES,
    )
    ad.settings.allow_write_nullable_strings = True
    try:
        adata.write_h5ad(tmp_path / "e.h5ad")
    finally:
        ad.settings.allow_write_nullable_strings = False
    table = text_table(h5ad_obs(tmp_path / "e.h5ad")).iloc[:3].fillna("-")
    assert table.to_dict("list") == {
        "whole": ["1", "-", "3"],
        "yes": ["True", "-", "False"],
        "text": ["a", "-", "b"],
        "category": ["x", "-", "y"],
        "numbered": ["2", "1", "2"],
        "donor": ["007", "008", "009"],
    }


def test_a_column_that_cannot_be_read_is_left_out_and_told(tmp_path):
    path = stored(annotated(), tmp_path, "h5ad")
    with h5py.File(path, "r+") as file:
        file["obs/donor"].attrs["encoding-type"] = "of a later version"
    with noticing() as notes:
        assert list(h5ad_obs(path)) == ["age"]
    assert [(n.text, n.doubt) for n in notes] == [("obs: column(s) donor cannot be read and are left out", True)]


def test_blanks_around_names_go(tmp_path):
    adata = annotated()
    adata.obs_names = [f"{name} " if i else name for i, name in enumerate(NAMES)]
    path = stored(adata, tmp_path, "h5ad")
    with noticing() as notes:
        assert measured(path).samples.tolist() == NAMES
    assert [n.text for n in notes] == ["8 sample names have blanks before or behind them: dropped"]
    assert h5ad_obs(path).index.tolist() == NAMES


@pytest.mark.filterwarnings("ignore:Observation names")
def test_cells_of_one_name_are_told_apart_where_obs_describes_them(tmp_path):
    adata = annotated()
    adata.obs_names = [f"c{i % 5}" for i in range(CELLS)]
    path = stored(adata, tmp_path, "h5ad")
    with noticing() as notes:
        obs = h5ad_obs(path)
    assert obs.index.tolist()[4:] == ["c4", "c0-1", "c1-1", "c2-1", "c3-1"]
    assert [n.text for n in notes] == ["obs: 4 names stand a second time; they are numbered (name-1, ...)"]
    expression = Expression(path=str(path), scale="log")
    assert read_expression(expression, "x", obs.index).samples.tolist() == obs.index.tolist()
    assert sample_names(expression, "x", obs.index).tolist() == obs.index.tolist()
    with pytest.raises(InputError, match="c0, c1, c2, c3 stand twice"):
        read_expression(expression, "x", ["c0", "c1", "c2", "c3", "c4"])


@pytest.mark.filterwarnings("ignore:Variable names")
def test_genes_of_one_name_are_numbered_and_told(tmp_path):
    adata = ad.AnnData(COUNTS, obs=pd.DataFrame(index=NAMES))
    adata.var_names = ["A", "B", "A", "C", "D", "E"]
    adata.var["symbol"] = ["a", "b", "c", None, "b", "e"]
    with noticing() as notes:
        assert measured(stored(adata, tmp_path, "h5ad")).genes.tolist() == ["A", "B", "A-1", "C", "D", "E"]
    assert [n.text for n in notes] == ["1 gene names stand for several genes (A): numbered (A-1)"]
    with noticing() as notes:
        found = measured(tmp_path / "e.h5ad", genes="symbol").genes.tolist()
    assert found == ["a", "b", "c", "C", "b-1", "e"]
    assert notes[0].text == "expression.genes: 1 genes have no symbol: they keep their identifier"


def test_obs_as_records_with_categories_in_uns(tmp_path):
    """As anndata wrote it before 0.7."""
    path = tmp_path / "e.h5ad"
    with h5py.File(path, "w") as file:
        file["X"] = COUNTS
        kinds = [("index", "S4"), ("donor", "i1"), ("age", "f8")]
        file["obs"] = np.array([(n.encode(), i % 2, i) for i, n in enumerate(NAMES)], dtype=kinds)
        file["var"] = np.array([(f"g{i}".encode(),) for i in range(ALL_GENES)], dtype=[("index", "S4")])
        file["uns/donor_categories"] = np.array([b"D1", b"D2"])
        file["raw.X"] = COUNTS + 1
        file["raw.var"] = file["var"][()]
    obs = text_table(h5ad_obs(path))
    assert obs["donor"].tolist()[:3] == ["D1", "D2", "D1"] and obs["age"].tolist()[:3] == ["0", "1", "2"]
    data = measured(path)
    np.testing.assert_array_equal(data.dense(), COUNTS)
    assert data.samples.tolist() == NAMES and data.genes.tolist()[-1] == "g5"
    np.testing.assert_array_equal(measured(path, layer="raw").dense(), COUNTS + 1)


def test_obs_as_records_in_zarr(tmp_path):
    """As anndata wrote it before 0.7, too."""
    group = zarr.open_group(str(tmp_path / "e.zarr"), mode="w", zarr_format=2)
    kinds = [("index", "S4"), ("donor", "i1")]
    group.create_array("X", data=COUNTS)
    group.create_array("obs", data=np.array([(n.encode(), i % 2) for i, n in enumerate(NAMES)], dtype=kinds))
    group.create_array("var", data=np.array([(f"g{i}".encode(),) for i in range(ALL_GENES)], dtype=[("index", "S4")]))
    group.create_array("uns/donor_categories", data=np.array([b"D1", b"D2"]))
    data = measured(tmp_path / "e.zarr")
    np.testing.assert_array_equal(data.dense(), COUNTS)
    assert data.samples.tolist() == NAMES and data.genes.tolist()[-1] == "g5"
    assert h5ad_obs(tmp_path / "e.zarr")["donor"].tolist()[:3] == ["D1", "D2", "D1"]


def test_old_sparse_matrices(tmp_path):
    path = stored(ad.AnnData(sparse.csr_matrix(COUNTS), obs=pd.DataFrame(index=NAMES)), tmp_path, "h5ad")
    with h5py.File(path, "r+") as file:
        shape = file["X"].attrs["shape"]
        for name in list(file["X"].attrs):
            del file["X"].attrs[name]
        file["X"].attrs.update({"h5sparse_format": "csr", "h5sparse_shape": shape})
    np.testing.assert_array_equal(measured(path).dense(), COUNTS)


def test_mudata_by_its_modalities(tmp_path):
    path = tmp_path / "m.h5mu"
    rna = annotated()
    protein = ad.AnnData(COUNTS[:, :2], obs=pd.DataFrame(index=NAMES), var=pd.DataFrame(index=["CD3", "CD4"]))
    common = pd.DataFrame({"batch": list("abcabcabc"), "donor": "other"}, index=NAMES[::-1])
    with h5py.File(path, "w") as file:
        write_elem(file, "obs", common)
        write_elem(file, "var", pd.DataFrame(index=["x"]))
        file.create_group("mod")
        write_elem(file, "mod/rna", rna)
        write_elem(file, "mod/prot", protein)
    with pytest.raises(InputError, match=r"modalities prot, rna: name one, such as expression: {modality: rna}"):
        measured(path)
    with pytest.raises(InputError, match="no modality 'RNA'; did you mean 'rna'"):
        measured(path, modality="RNA")
    for on_disk in (False, True):
        np.testing.assert_array_equal(measured(path, on_disk, modality="rna", layer="raw").dense(), COUNTS)
        assert measured(path, on_disk, modality="prot").genes.tolist() == ["CD3", "CD4"]
    obs = h5ad_obs(path, "rna")
    assert obs["batch"].tolist() == list("cbacbacba") and obs["donor"].tolist()[:2] == ["007", "008"]


def test_loom_has_genes_in_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("mtlbio.cohort.cells.on_disk.BLOCK", 4)
    path = tmp_path / "e.loom"
    with h5py.File(path, "w") as file:
        file["matrix"], file["layers/spliced"] = COUNTS.T, COUNTS.T + 1
        file["row_attrs/Gene"] = np.array([f"G{i}" for i in range(ALL_GENES)], dtype="S")
        file["row_attrs/Accession"] = np.array([f"E{i}" for i in range(ALL_GENES)], dtype="S")
        file["col_attrs/CellID"], file["col_attrs/donor"] = np.array(NAMES, dtype="S"), np.array(["D1"] * 9, dtype="S")
    for on_disk in (False, True):
        np.testing.assert_array_equal(measured(path, on_disk).dense(), COUNTS)
        np.testing.assert_array_equal(measured(path, on_disk, layer="spliced").dense(), COUNTS + 1)
    assert measured(path, genes="Accession").genes.tolist()[:2] == ["E0", "E1"]
    assert h5ad_obs(path)["donor"].tolist() == ["D1"] * 9 and h5ad_obs(path).index.tolist() == NAMES


def test_a_zipped_folder(tmp_path):
    path = stored(annotated(), tmp_path, "zarr 2")
    shutil.make_archive(str(tmp_path / "packed.zarr"), "zip", tmp_path, path.name)
    for on_disk in (False, True):
        np.testing.assert_array_equal(
            measured(tmp_path / "packed.zarr.zip", on_disk, layer="counts").dense(), COUNTS[:, :GENES]
        )


def test_a_file_that_is_compressed_as_a_whole(tmp_path):
    (tmp_path / "GSE1_cells.h5ad.gz").write_bytes(b"x")
    with pytest.raises(InputError, match=r"GSE1_cells.h5ad.gz: compressed as a whole.*: unpack it first \(gunzip -k"):
        measured(tmp_path / "GSE1_cells.h5ad.gz")


def test_a_zarr_store_of_python_objects_is_not_opened(tmp_path):
    path = tmp_path / "e.zarr"
    (path / "obs").mkdir(parents=True)
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    (path / "obs" / ".zarray").write_text('{"filters": [{"id": "pickle"}], "compressor": null}')
    with pytest.raises(InputError, match="holds arrays of Python objects"):
        measured(path)


def test_a_zarr_store_of_something_else_says_what_is_in_it(tmp_path):
    group = zarr.open_group(str(tmp_path / "e.zarr"), mode="w", zarr_format=2)
    group.create_group("tables/cells")
    with pytest.raises(InputError, match=r"a SpatialData store: give the path of a table in it .tables/cells."):
        measured(tmp_path / "e.zarr")
    zarr.open_group(str(tmp_path / "f.zarr"), mode="w", zarr_format=2).create_group("images")
    with pytest.raises(InputError, match=r"no obs, var in it \(found: images\)"):
        measured(tmp_path / "f.zarr")
