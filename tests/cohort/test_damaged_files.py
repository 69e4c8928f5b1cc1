"""Files that claim what they do not hold: refused before memory is allowed or an index followed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import io as scipy_io
from scipy import sparse

from mtlbio import reading
from mtlbio.cohort.cells import hdf5
from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.cohort.measurements import check_values
from mtlbio.cohort.metadata import read_metadata, text_table
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.parquet import parquet_schema

CELLS, GENES = 6, 4
VALUES = np.array(
    [[0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 4, 0], [1, 1, 0, 0], [0, 0, 0, 5], [2, 0, 1, 0]], dtype=np.float32
)


def h5ad(path: Path, matrix) -> Path:
    obs = pd.DataFrame(index=[f"c{i}" for i in range(CELLS)])
    ad.AnnData(matrix, obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(GENES)])).write_h5ad(path)
    return path


def measured(path: Path, on_disk: bool = False):
    data = read_expression(Expression(path=str(path), scale="counts"), "sample_id", on_disk=on_disk)
    check_values(data, "counts")
    return data.dense()


def put(key: str, place: int, value: int) -> Callable[[h5py.File], None]:
    def spoil(file: h5py.File) -> None:
        file[key][place] = value

    return spoil


def again(key: str, **options) -> Callable[[h5py.File], None]:
    """Another data set in the place of one, with its attributes."""

    def spoil(file: h5py.File) -> None:
        attributes = dict(file[key].attrs)
        del file[key]
        made = file.create_dataset(key, **options)
        made.attrs.update(attributes)

    return spoil


def shape(lie: list[int]) -> Callable[[h5py.File], None]:
    def spoil(file: h5py.File) -> None:
        file["X"].attrs["shape"] = lie

    return spoil


SPARSE = {
    "an index beyond the genes": (put("X/indices", 3, 10**9), "/X: indices hold 1000000000; expected 0 to 3"),
    "an index below zero": (put("X/indices", 0, -1), "/X: indices hold -1; expected 0 to 3"),
    "pointers that jump": (
        put("X/indptr", 2, 10**9),
        "/X: indptr does not run from 0 to the 9 indices without falling",
    ),
    "pointers that fall": (put("X/indptr", 2, -5), "/X: indptr does not run from 0 to the 9 indices without falling"),
    "pointers that begin late": (put("X/indptr", 0, 1), "/X: indptr does not run from 0 to the 9 indices"),
    "fewer pointers": (again("X/indptr", data=[0, 11]), "/X: indptr has 2 values; expected 7 for a matrix of 6"),
    "fewer values": (again("X/data", data=[1.0, 2.0]), "/X: 9 indices of 2 values; expected one for each"),
    "text as values": (again("X/data", data=["a"] * 9), "/X: data is of type object; expected numbers"),
    "pointers with decimals": (
        again("X/indptr", data=np.ones(7)),
        "/X: indices and indptr are no lists of whole numbers",
    ),
    "no values": (lambda file: file["X"].__delitem__("data"), "/X: no data in it; expected a sparse matrix"),
    "another shape": (shape([6, 5]), "/X has shape (6, 5); obs and var say (6, 4)"),
    "a huge shape": (shape([10**12, 10**12]), "/X has shape (1000000000000, 1000000000000); obs and var say (6, 4)"),
}


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("case", SPARSE)
def test_a_sparse_matrix_is_checked_before_it_is_followed(tmp_path, case, on_disk):
    """An index out of range was once a segmentation fault."""
    path = h5ad(tmp_path / "e.h5ad", sparse.csr_matrix(VALUES))
    assert (measured(path, on_disk) == VALUES).all()
    spoil, words = SPARSE[case]
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(InputError) as caught:
        measured(path, on_disk)
    assert str(caught.value).startswith(f"{path}: {words}") and "\n" not in str(caught.value)


def test_columns_may_be_compressed_too(tmp_path):
    path = h5ad(tmp_path / "e.h5ad", sparse.csc_matrix(VALUES))
    assert (measured(path) == VALUES).all()
    with h5py.File(path, "r+") as file:
        file["X/indices"][0] = 6
    with pytest.raises(InputError, match="/X: indices hold 6; expected 0 to 5: a damaged file"):
        measured(path)


DENSE = {
    "text": (again("X", data=[["a"] * GENES] * CELLS), "/X is of type object; expected numbers"),
    "another shape": (again("X", data=VALUES[:3]), "/X has shape (3, 4); obs and var say (6, 4)"),
    "a huge shape": (
        again("X", shape=(10**12, 10**12), dtype="f4", chunks=(100, 100)),
        "/X has shape (1000000000000, 1000000000000); obs and var say (6, 4)",
    ),
    "names that were never written": (
        again("obs/_index", shape=(10**14,), dtype="S16", chunks=(1000,)),
        "/obs/_index needs 1,600,000 GB of memory; there are ",
    ),
    "many names that were never written": (
        again("obs/_index", shape=(10**7,), dtype="S16", chunks=(1000,)),
        "/obs/_index claims 160,000,000 bytes and holds 0: a damaged file",
    ),
}


@pytest.mark.parametrize("case", DENSE)
def test_a_dense_matrix_and_names_are_what_they_claim(tmp_path, case):
    path = h5ad(tmp_path / "e.h5ad", VALUES)
    assert (measured(path) == VALUES).all()
    spoil, words = DENSE[case]
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(InputError) as caught:
        measured(path)
    assert words in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_matrix_that_fits_nowhere_is_not_read(tmp_path, monkeypatch):
    path = h5ad(tmp_path / "e.h5ad", VALUES)
    monkeypatch.setattr(reading, "memory_bytes", lambda: 90)
    monkeypatch.setattr("mtlbio.cohort.cells.frames.check_claims", lambda *_: None)
    with pytest.raises(InputError, match="/X needs 0.0 GB of memory"):
        measured(path)


def tenx(folder: Path, head: str = "4 6 3", banner: str = "%%MatrixMarket matrix coordinate integer general") -> Path:
    folder.mkdir()
    (folder / "matrix.mtx").write_text(f"{banner}\n%\n{head}\n1 1 5\n2 3 1\n4 6 2\n")
    (folder / "genes.tsv").write_text("".join(f"E{i}\tg{i}\n" for i in range(GENES)))
    (folder / "barcodes.tsv").write_text("".join(f"c{i}\n" for i in range(CELLS)))
    return folder


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("1000000000000 6 3", "claims 1,000,000,000,000 where genes.tsv has 4 lines; expected the same number"),
        ("4 1000000000000 3", "claims 1,000,000,000,000 where barcodes.tsv has 6 lines; expected the same number"),
        (
            "4 6 1000000000000",
            "claims 1,000,000,000,000 entries of 4 x 6 in 87 bytes; expected at most 14: a damaged file",
        ),
        ("4 6", "found '4 6' for its size; expected genes, cells and entries"),
        ("4 6 -3", "found '4 6 -3' for its size; expected genes, cells and entries"),
    ],
)
def test_the_head_of_a_matrix_market_file_is_not_believed(tmp_path, head, words):
    with pytest.raises(InputError) as caught:
        measured(tenx(tmp_path / "x", head))
    assert str(caught.value) == f"{tmp_path}/x/matrix.mtx: {words}"


def test_a_matrix_market_file_is_one_of_counts(tmp_path):
    assert measured(tenx(tmp_path / "sound")).sum() == 8
    words = "begins with '%%MatrixMarket matrix array real general'; expected %%MatrixMarket matrix coordinate integer"
    with pytest.raises(InputError, match=words):
        measured(tenx(tmp_path / "x", banner="%%MatrixMarket matrix array real general"))
    (tmp_path / "sound" / "barcodes.tsv").unlink()
    with pytest.raises(InputError, match="matrix.mtx: no barcodes beside it .found: genes.tsv."):
        measured(tmp_path / "sound")
    scipy_io.mmwrite(tmp_path / "x/matrix.mtx", sparse.coo_matrix(VALUES.T.astype(int)))
    assert (measured(tmp_path / "x") == VALUES).all()


def test_an_entry_beyond_the_matrix_is_refused(tmp_path):
    folder = tenx(tmp_path / "x")
    (folder / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n4 6 1\n9 9 5\n")
    with pytest.raises(InputError, match="x/matrix.mtx: not readable as a matrix in MatrixMarket format"):
        measured(folder)


def test_a_parquet_file_that_claims_more_than_the_memory_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "m.parquet"
    pd.DataFrame({"sample_id": ["a"] * 100_000, "age": 1.0}).to_parquet(path)
    assert parquet_schema(path).names == ["sample_id", "age"] and path.stat().st_size < 10_000
    monkeypatch.setattr(reading, "memory_bytes", lambda: 100_000)
    with pytest.raises(InputError, match="m.parquet: a table of 100,000 rows and 2 columns needs 0.0 GB of memory"):
        read_metadata(path)


def test_a_library_that_does_not_come_back_is_left(tmp_path, monkeypatch):
    """A damaged file once sent the HDF5 library into a loop without end."""
    path = h5ad(tmp_path / "e.h5ad", VALUES)

    def loop(item) -> None:
        while True:
            pass

    monkeypatch.setattr(hdf5, "_look_at", loop)
    monkeypatch.setattr(hdf5, "SECONDS", 0.2)
    before = time.process_time()
    with pytest.raises(InputError) as caught:
        measured(path)
    words = "the HDF5 library does not come back from it; a damaged file"
    assert str(caught.value) == f"{path}: not a readable HDF5 file, as AnnData or 10x Cell Ranger writes it: {words}"
    assert time.process_time() - before < 5  # the child's time is not this process's


def test_a_library_that_crashes_is_told(tmp_path, monkeypatch):
    path = h5ad(tmp_path / "e.h5ad", VALUES)
    monkeypatch.setattr(hdf5, "_look_at", lambda item: os.kill(os.getpid(), signal.SIGSEGV))
    with pytest.raises(InputError, match=r"the HDF5 library crashes on it \(signal 11\); a damaged file$"):
        sample_names(Expression(path=str(path), scale="counts"), "sample_id")
    monkeypatch.undo()
    walked = []
    monkeypatch.setattr(os, "fork", lambda: walked.append(1) or pytest.fail("forked again"))
    hdf5._survived.add((str(path), path.stat().st_ino, path.stat().st_size, path.stat().st_mtime_ns))
    assert measured(path).shape == (CELLS, GENES) and not walked


def test_a_parquet_index_of_two_levels_names_no_sample(tmp_path):
    path = tmp_path / "e.parquet"
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["sample_id", "visit"])
    pd.DataFrame({"g1": [1.0, 2.0]}, index=index).to_parquet(path)
    with pytest.raises(InputError, match="e.parquet: an index of 2 levels; expected one column that names the samples"):
        read_expression(Expression(path=str(path), scale="log"), "sample")


def test_bytes_that_are_no_text_are_shown(tmp_path):
    path = tmp_path / "m.parquet"
    pd.DataFrame({"sample_id": [b"\xffa", b"b"]}).to_parquet(path)
    assert text_table(read_metadata(path))["sample_id"].tolist() == ["\\xffa", "b"]


def test_columns_without_a_name_that_a_spreadsheet_left_do_no_harm(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("sample_id,age,,\na,1,,\nb,2,,x\n")
    assert list(text_table(read_metadata(path)).columns) == ["sample_id", "age", ""]
    path.write_text("age,sex\nr1,1,f\nr2,2,m\n")  # as R writes it, with row names
    assert read_metadata(path)[""].tolist() == ["r1", "r2"]
