"""Long reports of DIA-NN and Spectronaut: a row per precursor, of which the protein group counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from layouts import read, tabbed

from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import measuring

DIANN = ["Run", "Protein.Group", "Genes", "Precursor.Id", "PG.MaxLFQ", "Q.Value", "Global.Q.Value", "Global.PG.Q.Value"]
ROWS = [
    ("S1", "P1;P2", "IFI6", "AAK2", 1e6, 0.001, 0.001, 0.001),
    ("S1", "P1;P2", "IFI6", "CCK2", 1e6, 0.002, 0.001, 0.001),
    ("S2", "P1;P2", "IFI6", "AAK2", 3e6, 0.001, 0.001, 0.001),
    ("S2", "P3", "MX1;MX2", "DDK2", 5e6, 0.001, 0.001, 0.001),
    ("S1", "P3", "MX1;MX2", "DDK2", 9e6, 0.2, 0.001, 0.001),  # not in this run
    ("S1", "P4", "ACTB", "EEK2", 7e6, 0.001, 0.001, 0.03),  # not in this experiment
    ("S1", "Cont_P5", "KRT1", "FFK2", 7e6, 0.001, 0.001, 0.001),
]


@pytest.mark.parametrize("name", ["report.tsv", "report.parquet", "report.csv"])
def test_diann(tmp_path, name):
    path, table = tmp_path / name, pd.DataFrame(ROWS, columns=DIANN)
    if name.endswith("parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(path, sep="\t" if name.endswith("tsv") else ",", index=False)
    content, said = read(path, "diann")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["IFI6", "MX1"]
    np.testing.assert_array_equal(content.values, [[1e6, np.nan], [3e6, 5e6]])
    assert content.scale == "linear"
    assert "7 rows, column PG.MaxLFQ is read; 2 beyond 1 % of Q.Value, Global.Q.Value, Global.PG.Q.Value left" in said
    assert "1 contaminants and decoys dropped (Cont_P5)" in said


def test_decoys_and_several_values_of_a_group(tmp_path):
    table = pd.DataFrame([(*row, 0) for row in ROWS], columns=[*DIANN, "Decoy"])
    table.loc[0, "PG.MaxLFQ"] = 2e6
    table.loc[3, "Decoy"] = 1
    table.to_csv(tmp_path / "report.tsv", sep="\t", index=False)
    content, said = read(tmp_path / "report.tsv", "diann")
    np.testing.assert_array_equal(content.values, [[2e6], [3e6]])
    assert "1 protein groups have several values in one run: the largest is taken" in said


def test_nothing_within_the_rate_and_no_quantities(tmp_path):
    table = pd.DataFrame(ROWS, columns=DIANN)
    table.assign(**{"Q.Value": 0.5}).to_csv(tmp_path / "report.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="a long report of DIA-NN without a row within a false discovery rate of 1 %"):
        read(tmp_path / "report.tsv", "diann")
    table.drop(columns="PG.MaxLFQ").to_csv(tmp_path / "report.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match=r"without quantities of protein groups \(PG.MaxLFQ or .*report.pg_matrix.tsv"):
        read(tmp_path / "report.tsv", "diann")


def test_spectronaut(tmp_path):
    path = tmp_path / "20240101_Report.tsv"
    columns = [
        "R.Condition",
        "R.FileName",
        "PG.ProteinGroups",
        "PG.Genes",
        "PG.Quantity",
        "EG.PrecursorId",
        "EG.Qvalue",
    ]
    rows = [
        ("A", "S1.raw", "P1;P2", "IFI6", "1000,5", "_AAK_.2", "0,001"),
        ("A", "S1.raw", "P1;P2", "IFI6", "1000,5", "_CCK_.2", "0,001"),
        ("B", "S2.raw", "P1;P2", "IFI6", "Filtered", "_AAK_.2", "0,001"),
        ("B", "S2.raw", "P3", "", "20,25", "_DDK_.2", "0,001"),
        ("A", "S1.raw", "P3", "", "10,5", "_DDK_.2", "0,001"),
        ("A", "S1.raw", "P4", "MX1", "10,5", "_EEK_.2", "0,5"),
    ]
    path.write_text(tabbed(columns, *rows))
    content, said = read(path, "spectronaut")
    assert list(content.values.index) == ["S1", "S2"] and list(content.values.columns) == ["IFI6", "P3"]
    np.testing.assert_array_equal(content.values, [[1000.5, 10.5], [np.nan, 20.25]])
    assert "decimals are marked by a comma" in said and "1 beyond 1 % of EG.Qvalue left out" in said
    path.write_text(tabbed([c for c in columns if c != "PG.Quantity"], *[[*row[:4], *row[5:]] for row in rows]))
    with pytest.raises(InputError, match="without quantities of protein groups.*the pivot report of protein groups"):
        measuring(path).read(path)
