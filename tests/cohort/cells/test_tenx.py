"""Cells as matrix, barcodes and features, under every name and in every shape that tools and repositories give them."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import io as scipy_io
from scipy import sparse

from mtlbio.cohort.cells.on_disk import OnDisk
from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.intake.tenx_files import find_tenx

CELLS, GENES = 6, 4
VALUES = np.random.default_rng(0).poisson(1.0, (CELLS, GENES))
BARCODES = [f"AAAC{i}-1" for i in range(CELLS)]
SYMBOLS = ["MME", "CD3E", "IFI6", "MX1"]
IDS = [f"ENSG{i:011d}" for i in range(GENES)]
FEATURES = [f"{i}\t{s}\tGene Expression" for i, s in zip(IDS, SYMBOLS, strict=True)]


def write(folder: Path, matrix="matrix.mtx", barcodes="barcodes.tsv", features="features.tsv", values=VALUES, **lines):
    """The three files under any names; gzipped where a name says so."""
    folder.mkdir(parents=True, exist_ok=True)
    scipy_io.mmwrite(folder / "m.mtx", sparse.coo_matrix(values.T))
    texts = {matrix: (folder / "m.mtx").read_text()}
    (folder / "m.mtx").unlink()
    texts[barcodes] = "\n".join(lines.get("cells", BARCODES)) + "\n"
    texts[features] = "\n".join(lines.get("genes", FEATURES)) + "\n"
    for name, text in texts.items():
        with (gzip.open if name.endswith(".gz") else open)(folder / name, "wt") as handle:
            handle.write(text)
    return folder


def measured(path: Path, described=None, on_disk=False):
    return read_expression(Expression(path=str(path), scale="counts"), "sample_id", described, on_disk)


NAMES = {
    "Cell Ranger 2": ("matrix.mtx", "barcodes.tsv", "genes.tsv"),
    "Cell Ranger 3": ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"),
    "STARsolo": ("matrix.mtx", "barcodes.tsv", "features.tsv"),
    "half packed": ("matrix.mtx.gz", "barcodes.tsv", "features.tsv.gz"),
    "GEO": ("GSM1_S1_matrix.mtx.gz", "GSM1_S1_barcodes.tsv.gz", "GSM1_S1_features.tsv.gz"),
    "GEO, the word in the middle": ("GSM1_matrix_S1.mtx.gz", "GSM1_barcodes_S1.tsv.gz", "GSM1_genes_S1.tsv.gz"),
    "GEO, dots": ("GSM1.S1.matrix.mtx", "GSM1.S1.barcodes.tsv", "GSM1.S1.genes.tsv"),
    "prefixes that differ": ("GSE1_counts.mtx.gz", "GSE1_all_barcodes.tsv.gz", "genes.tsv"),
    "cells and genes": ("counts.mtx", "cells.txt", "genes.txt"),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_of_files(tmp_path, case):
    folder = write(tmp_path / "m", *NAMES[case])
    for path in (folder, folder / NAMES[case][0]):
        data = measured(path)
        np.testing.assert_array_equal(data.dense(), VALUES)
        assert data.samples.tolist() == BARCODES and data.genes.tolist() == SYMBOLS
        assert sample_names(Expression(path=str(path), scale="counts"), "x").tolist() == BARCODES


FEATURE_FILES = {
    "one column": (SYMBOLS, SYMBOLS, None),
    "two columns": ([f"{i}\t{s}" for i, s in zip(IDS, SYMBOLS, strict=True)], SYMBOLS, None),
    "identifier and type": ([f"{i}\tGene Expression" for i in IDS], IDS, None),
    "a header": (
        ["gene_id\tgene_name", *FEATURES],
        SYMBOLS,
        "the first line is a header (gene_id, gene_name): skipped",
    ),
    "as R writes it": (['"","x"', *(f'"{i}","{s}"' for i, s in enumerate(SYMBOLS, 1))], SYMBOLS, "the first line is"),
    "positions of Cell Ranger ARC": ([f"{line}\tchr1\t1\t9" for line in FEATURES], SYMBOLS, None),
    "a symbol twice": (["a\tMME", "b\tMME", "c\tX", "d\tY"], ["MME", "MME-1", "X", "Y"], "1 features have the name of"),
}


@pytest.mark.parametrize("case", FEATURE_FILES)
def test_features(tmp_path, case):
    lines, genes, words = FEATURE_FILES[case]
    name = "features.csv" if "R writes" in case else "features.tsv"
    folder = write(tmp_path / "m", features=name, genes=lines)
    with noticing() as notes:
        data = measured(folder)
    assert data.genes.tolist() == genes
    np.testing.assert_array_equal(data.dense(), VALUES)
    assert [n.text.startswith(words) for n in notes] == ([True] if words else [])


def test_counts_of_text_take_as_little_room_as_those_of_an_h5(tmp_path):
    matrix = measured(write(tmp_path / "m")).matrix
    assert matrix.dtype == np.float32 and (matrix.toarray() == VALUES).all()


def test_barcodes_with_a_header_or_row_names(tmp_path):
    folder = write(tmp_path / "m", cells=["barcode", *BARCODES])
    assert measured(folder).samples.tolist() == BARCODES
    folder = write(tmp_path / "n", cells=["\tx", *(f"{i}\t{b}" for i, b in enumerate(BARCODES, 1))])
    assert measured(folder).samples.tolist() == BARCODES
    assert sample_names(Expression(path=str(folder), scale="counts"), "x").tolist() == BARCODES


def test_cells_in_rows_are_seen(tmp_path):
    folder = write(
        tmp_path / "m", "cells_x_genes.mtx", "cells_x_genes.barcodes.txt", "cells_x_genes.genes.txt", VALUES.T
    )
    (folder / "cells_x_genes.genes.names.txt").write_text("\n".join(SYMBOLS))
    with noticing() as notes:
        data = measured(folder)
    np.testing.assert_array_equal(data.dense(), VALUES)
    assert data.samples.tolist() == BARCODES and data.genes.tolist() == SYMBOLS
    assert [n.text for n in notes] == ["cells in rows (6 barcodes): read so"]
    folder = write(tmp_path / "alevin", "quants_mat.mtx", "quants_mat_rows.txt", "quants_mat_cols.txt", VALUES.T)
    np.testing.assert_array_equal(measured(folder).dense(), VALUES)


def test_barcodes_as_the_metadata_write_them(tmp_path):
    cores = [f"ACGTACGTAC{'ACGT'[i % 4]}{'ACGT'[i // 4]}" for i in range(CELLS)]
    folder = write(tmp_path / "m", cells=[f"{core}-1" for core in cores])
    assert measured(folder, cores).samples.tolist() == cores
    assert sample_names(Expression(path=str(folder), scale="counts"), "x", cores).tolist() == cores


def test_only_genes_of_several_kinds_of_features(tmp_path):
    lines = [*FEATURES[:3], "CD4\tCD4\tAntibody Capture"]
    with noticing() as notes:
        data = measured(write(tmp_path / "m", genes=lines))
    assert data.genes.tolist() == SYMBOLS[:3]
    np.testing.assert_array_equal(data.dense(), VALUES[:, :3])
    assert [n.text for n in notes] == ["the 3 features of Gene Expression are read, not 1 of Antibody Capture"]
    antibodies = [line.replace("Gene Expression", "Antibody Capture") for line in FEATURES]
    assert measured(write(tmp_path / "n", genes=antibodies)).genes.tolist() == SYMBOLS


@pytest.mark.parametrize(
    ("places", "chosen"),
    [
        (["outs/filtered_feature_bc_matrix", "outs/raw_feature_bc_matrix"], "outs/filtered_feature_bc_matrix"),
        (["filtered_gene_bc_matrices/hg19"], "filtered_gene_bc_matrices/hg19"),
        (["Solo.out/Gene/raw", "Solo.out/Gene/filtered", "Solo.out/GeneFull/filtered"], "Solo.out/Gene/filtered"),
    ],
)
def test_the_matrix_in_a_folder_below(tmp_path, places, chosen):
    for place in places:
        write(tmp_path / place, values=VALUES if place == chosen else VALUES + 1)
    with noticing() as notes:
        np.testing.assert_array_equal(measured(tmp_path).dense(), VALUES)
    assert [n.text for n in notes] == [f"the matrix is read from {chosen} in it"]


def test_raw_barcodes_are_told(tmp_path):
    folder = write(tmp_path / "raw_feature_bc_matrix")
    with noticing() as notes:
        measured(folder)
    assert [n.text.split(",")[0] for n in notes] == ["raw barcodes"]


@pytest.mark.parametrize("name", ["GSE1_RAW", "strawberries"])
def test_a_folder_that_only_sounds_raw(tmp_path, name):
    with noticing() as notes:
        measured(write(tmp_path / name))
    assert notes == []


def test_several_matrices_in_one_folder(tmp_path):
    for label, values in (("GSM1_a", VALUES), ("GSM2_b", VALUES + 1)):
        write(tmp_path, f"{label}_matrix.mtx.gz", f"{label}_barcodes.tsv.gz", f"{label}_features.tsv.gz", values)
    with noticing() as notes:
        data = measured(tmp_path)
    assert data.samples.tolist() == [f"{label}_{b}" for label in ("GSM1_a", "GSM2_b") for b in BARCODES]
    np.testing.assert_array_equal(data.dense(), np.vstack([VALUES, VALUES + 1]))
    words = "2 matrices (GSM1_a, GSM2_b): cells are called by both names, such as GSM1_a_<barcode>"
    assert [n.text for n in notes] == [words]
    expression = Expression(path=str(tmp_path), scale="counts")
    assert sample_names(expression, "x").tolist() == data.samples.tolist()
    np.testing.assert_array_equal(measured(tmp_path / "GSM2_b_matrix.mtx.gz").dense(), VALUES + 1)


def test_matrices_that_the_metadata_calls_samples(tmp_path):
    for label, values in (("S1", VALUES), ("S2", VALUES + 1)):
        write(tmp_path / label / "outs/filtered_feature_bc_matrix", values=values)
    described = ["S1", "S2", "S3"]
    with noticing() as notes:
        data = measured(tmp_path, described)
    assert data.samples.tolist() == ["S1", "S2"]
    np.testing.assert_array_equal(data.dense(), [VALUES.sum(axis=0), (VALUES + 1).sum(axis=0)])
    assert "summed to the sample that the metadata names" in notes[0].text
    expression = Expression(path=str(tmp_path), scale="counts")
    assert sample_names(expression, "x", described).tolist() == ["S1", "S2"]
    assert measured(tmp_path, [f"S2_{BARCODES[0]}", "S1"]).samples[6] == f"S2_{BARCODES[0]}"


def test_matrices_of_different_features_keep_those_of_all(tmp_path):
    write(tmp_path, "A_matrix.mtx", "A_barcodes.tsv", "A_features.tsv")
    write(
        tmp_path, "B_matrix.mtx", "B_barcodes.tsv", "B_features.tsv", VALUES[:, :3], genes=["a\tMX1", "b\tMME", "c\tX"]
    )
    with noticing() as notes:
        data = measured(tmp_path)
    assert data.genes.tolist() == ["MME", "MX1"]
    np.testing.assert_array_equal(data.dense(), np.vstack([VALUES[:, [0, 3]], VALUES[:, [1, 0]]]))
    assert notes[0].doubt and notes[0].text.startswith(
        "the matrices have different features (A 4, B 3): the 2 that all"
    )


def test_features_may_be_shared(tmp_path):
    write(tmp_path, "A_matrix.mtx", "A_barcodes.tsv", "features.tsv")
    write(tmp_path, "B_matrix.mtx", "B_barcodes.tsv", "features.tsv")
    assert len(measured(tmp_path).samples) == 2 * CELLS
    (tmp_path / "B_barcodes.tsv").unlink()
    with pytest.raises(InputError, match="B_matrix.mtx: no barcodes beside it .found: A_barcodes.tsv, A_matrix.mtx"):
        measured(tmp_path)


def h5(path: Path, version: int, types=None, values=VALUES) -> Path:
    matrix = sparse.csr_matrix(values.astype(np.int32))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "GRCh38")
        group["barcodes"] = np.array(BARCODES, dtype="S")
        group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr
        group["shape"] = np.array(values.shape[::-1], dtype=np.int32)
        if version == 3:
            group["features/id"], group["features/name"] = np.array(IDS, dtype="S"), np.array(SYMBOLS, dtype="S")
            group["features/feature_type"] = np.array(types or ["Gene Expression"] * GENES, dtype="S")
        else:
            group["genes"], group["gene_names"] = np.array(IDS, dtype="S"), np.array(SYMBOLS, dtype="S")
    return path


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("on_disk", [False, True])
def test_h5(tmp_path, version, on_disk):
    data = measured(h5(tmp_path / "e.h5", version), on_disk=on_disk)
    assert isinstance(data.matrix, OnDisk) == on_disk
    np.testing.assert_array_equal(data.dense(), VALUES)
    assert data.samples.tolist() == BARCODES and data.genes.tolist() == SYMBOLS
    assert sample_names(Expression(path=str(tmp_path / "e.h5"), scale="counts"), "x").tolist() == BARCODES


@pytest.mark.parametrize("on_disk", [False, True])
def test_h5_of_genes_and_antibodies(tmp_path, on_disk):
    kinds = ["Gene Expression", "Antibody Capture", "Gene Expression", "Antibody Capture"]
    data = measured(h5(tmp_path / "e.h5", 3, kinds), on_disk=on_disk)
    assert data.genes.tolist() == ["MME", "IFI6"]
    np.testing.assert_array_equal(data.dense(), VALUES[:, ::2])
    keep = np.arange(CELLS) > 2
    np.testing.assert_array_equal(data.keep(keep).dense(), VALUES[keep][:, ::2])


def test_h5_of_several_samples_in_a_folder(tmp_path):
    for label in ("GSM1_S1", "GSM2_S2"):
        h5(tmp_path / f"{label}_filtered_feature_bc_matrix.h5", 3)
        h5(tmp_path / f"{label}_raw_feature_bc_matrix.h5", 3, values=VALUES + 1)
    data = measured(tmp_path)
    assert len(find_tenx(tmp_path)) == 2
    assert data.samples[[0, -1]].tolist() == ["GSM1_S1_AAAC0-1", "GSM2_S2_AAAC5-1"]
    np.testing.assert_array_equal(data.dense(), np.vstack([VALUES, VALUES]))


def test_an_anndata_that_is_called_h5(tmp_path):
    path = tmp_path / "e.h5"
    ad.AnnData(VALUES.astype(np.float32), obs=pd.DataFrame(index=BARCODES)).write_h5ad(path)
    np.testing.assert_array_equal(measured(path).dense(), VALUES)


def test_h5_of_something_else(tmp_path):
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["molecule_idx"], file["umi"] = [1], [1]
    with pytest.raises(InputError, match=r"no matrix in it; found: molecule_idx, umi .the file of molecules: "):
        measured(tmp_path / "e.h5")
    h5(tmp_path / "f.h5", 2)
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        file.copy("GRCh38", "mm10")
    with pytest.raises(InputError, match=r"holds several genomes \(GRCh38, mm10\); expected one"):
        measured(tmp_path / "f.h5")


def test_what_is_no_10x_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=r"a folder without matrix.mtx\(.gz\) \(found: a.txt, sub/\); expected"):
        measured(tmp_path)
    velocyto = write(tmp_path / "velocyto", "spliced.mtx")
    with pytest.raises(InputError, match="holds spliced and unspliced counts apart"):
        measured(velocyto)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/quants_mat.gz").write_bytes(b"x")
    with pytest.raises(InputError, match="the binary matrix of salmon alevin"):
        measured(tmp_path / "old")
    thirds = [f"g{end}" for end in ("", "-U", "-A")] + ["h", "h-U", "h-A"]
    folder = write(tmp_path / "fry", "quants_mat.mtx", "quants_mat_rows.txt", "quants_mat_cols.txt",
                   np.arange(36).reshape(6, 6), genes=thirds)  # fmt: skip
    with pytest.raises(InputError, match="spliced, unspliced and ambiguous counts apart"):
        measured(folder)


def test_hidden_and_double_files_do_no_harm(tmp_path):
    write(tmp_path)
    with gzip.open(tmp_path / "matrix.mtx.gz", "wb") as packed:
        packed.write((tmp_path / "matrix.mtx").read_bytes())
    shutil.copy(tmp_path / "matrix.mtx", tmp_path / "._matrix.mtx")
    assert [part.matrix.name for part in find_tenx(tmp_path)] == ["matrix.mtx"]
    np.testing.assert_array_equal(measured(tmp_path).dense(), VALUES)
