"""Tables of protein groups: MaxQuant, DIA-NN, FragPipe, Spectronaut."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import measuring

MAXQUANT = ["Protein IDs", "Majority protein IDs", "Protein names", "Gene names", "Fasta headers", "Intensity"]
MAXQUANT += ["Intensity S1", "Intensity S2", "LFQ intensity S1", "LFQ intensity S2", "MS/MS count"]
MAXQUANT += ["Only identified by site", "Reverse", "Potential contaminant", "id"]


def maxquant(path, *rows, columns=MAXQUANT):
    body = []
    for protein, gene, lfq, marks in rows:
        full = [protein, protein, "a protein", gene, 'sp|x "quoted', sum(lfq), 1, 2, *lfq, 7, *marks, 0]
        body.append([cell for name, cell in zip(MAXQUANT, full, strict=True) if name in columns])
    path.write_text(tabbed(columns, *body))
    return path


def test_maxquant(tmp_path):
    path = maxquant(
        tmp_path / "proteinGroups.txt",
        ("P1;P1-2", "IFI6;G1P3", (1.5e7, 0), ("", "", "")),
        ("P2", "MX1", (2e7, 3e7), ("", "", "")),
        ("P3", "", (4e7, 5e7), ("", "", "")),
        ("P4", "MX1", (1e6, 2e6), ("", "", "")),
        ("REV__P5", "X", (1e6, 2e6), ("", "+", "")),
        ("CON__P6", "KRT1", (1e6, 2e6), ("", "", "+")),
        ("P7", "Y", (1e6, 2e6), ("+", "", "")),
        ("P8", "Z", (0, 0), ("", "", "")),
    )
    content, said = read(path, "maxquant")
    assert list(content.values.index) == ["S1", "S2"]
    assert list(content.values.columns) == ["IFI6", "MX1_P2", "P3", "MX1_P4"]
    np.testing.assert_array_equal(content.values, [[1.5e7, 2e7, 4e7, 1e6], [np.nan, 3e7, 5e7, 2e6]])
    assert content.scale == "linear"
    for text in (
        "1 protein groups marked 'Reverse' dropped",
        "1 protein groups marked 'Potential contaminant' dropped",
        "1 protein groups marked 'Only identified by site' dropped",
        "1 protein groups without any value dropped",
        "MaxQuant, LFQ intensity",
        "12% of the values are missing (1 zeros, which mean not detected), in 1 of 4 proteins",
    ):
        assert text in said


def test_maxquant_without_lfq_and_genes(tmp_path):
    columns = [c for c in MAXQUANT if not c.startswith("LFQ") and c != "Gene names"]
    content, said = read(
        maxquant(tmp_path / "p.txt", ("P1;P2", "", (1, 1), ("", "", "")), columns=columns), "maxquant"
    )  # fmt: skip
    assert list(content.values.columns) == ["P1"] and "MaxQuant, Intensity" in said
    np.testing.assert_array_equal(content.values, [[1], [2]])


@pytest.mark.parametrize("more", [[], ["N.Sequences", "N.Proteotypic.Sequences"]])
def test_diann(tmp_path, more):
    about = ["Protein.Group", "Protein.Names", "Genes", "First.Protein.Description", *more]
    path = tmp_path / "report.pg_matrix.tsv"
    rows = (
        [*about, r"D:\runs\S1.raw", r"D:\runs\S2.raw"],
        ["P1;P2", "A_HUMAN", "IFI6", "x", *[2] * len(more), 1e6, ""],
        ["P3", "B_HUMAN", "MX1;MX2", "x", *[2] * len(more), 2e6, 3e6],
        ["Cont_P4", "K_HUMAN", "KRT1", "x", *[2] * len(more), 2e6, 3e6],
    )
    path.write_text(tabbed(*rows))
    content, said = read(path, "diann")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["IFI6", "MX1"]
    np.testing.assert_array_equal(content.values, [[1e6, 2e6], [np.nan, 3e6]])
    assert "1 contaminants and decoys dropped (Cont_P4)" in said and "25% of the values are missing" in said


def test_precursors_of_diann(tmp_path):
    path = tmp_path / "report.pr_matrix.tsv"
    path.write_text(tabbed(["Protein.Group", "Genes", "Stripped.Sequence", "Precursor.Id", "S1.raw"]))
    with pytest.raises(InputError, match="precursors of DIA-NN, not proteins; give its report.pg_matrix.tsv"):
        measuring(path).read(path)


@pytest.mark.parametrize("maxlfq", [True, False])
def test_fragpipe(tmp_path, maxlfq):
    about = ["Protein", "Protein ID", "Entry Name", "Gene", "Combined Total Peptides"]
    path = tmp_path / "combined_protein.tsv"
    values = ["S1 Spectral Count", "S1 Intensity", "S2 Intensity"]
    values += ["S1 MaxLFQ Intensity", "S2 MaxLFQ Intensity"] if maxlfq else []
    rows = ([*about, *values], ["sp|P1|A", "P1", "A", "IFI6", 3, 9, 100, 200, *([300, 0] if maxlfq else [])])
    path.write_text(tabbed(*rows))
    content, _ = read(path, "fragpipe")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["IFI6"]
    np.testing.assert_array_equal(content.values, [[300], [np.nan]] if maxlfq else [[100], [200]])


def test_spectronaut(tmp_path):
    path = tmp_path / "report.tsv"
    header = ["PG.ProteinGroups", "PG.Genes", "[1] S1.raw.PG.Quantity", "[2] S2.raw.PG.Quantity", "PG.Qvalue"]
    path.write_text(tabbed(header, ["P1;P2", "IFI6", 1000.5, "Filtered", 0.1], ["P3", "", 10, 20, 0.1]))
    content, _ = read(path, "spectronaut")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["IFI6", "P3"]
    np.testing.assert_array_equal(content.values, [[1000.5, 10], [np.nan, 20]])


def test_maxquant_that_a_spreadsheet_saved(tmp_path):
    columns = ["Majority protein IDs", "Protein names", "Gene names", "LFQ intensity S1", "LFQ intensity S2"]
    path = tmp_path / "proteinGroups.csv"
    path.write_text(",".join(columns) + '\r\nP1;P2,"kinase, beta",MX1,1500000,2000000\r\nCON__P3,keratin,,7,8\r\n')
    content, said = read(path, "maxquant")
    np.testing.assert_array_equal(content.values, [[1.5e6], [2e6]])
    assert list(content.values.columns) == ["MX1"] and "1 contaminants and decoys dropped (CON__P3)" in said
    path.write_text(";".join(columns) + '\r\n"P1;P2";kinase;MX1;1500000,5;2000000\r\n')
    content, said = read(path, "maxquant")
    np.testing.assert_array_equal(content.values, [[1500000.5], [2e6]])
    assert "decimals are marked by a comma" in said
    path.write_text(";".join(columns) + "\nP1;P2;kinase;MX1;1500000;2000000\n")
    with pytest.raises(InputError, match="a row has 6 fields, the header 5: cells that hold a ';' are not quoted"):
        read(path, "maxquant")
