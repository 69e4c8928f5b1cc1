"""Recognition looks at heads only, knows its own and leaves ordinary tables alone."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.formats.head import look
from mtlbio.intake.formats.registry import LAYOUTS, describes_samples, recognise

ORDINARY = (
    "sample_id,IFI6,MX1\nS1,1,2\nS2,3,4\n",
    "sample_id;IFI6;MX1\nS1;1,5;2\nS2;3;4\n",
    "IFI6\tMX1\nS1\t1\t2\nS2\t3\t4\n",
    "gene\tS1\tS2\nIFI6\t1\t2\n__no_feature\t3\t4\n",
    "# exported on Monday\nsample_id,disease,age\nS1,SLE,30\n",
    "gene_id,gene_name,S1,S2\nENSG1,IFI6,1,2\n",
    "SampleID,Assay,age\nS1,ELISA,30\n",
    "PATIENT_ID,SAMPLE_ID,age\nP1,S1,30\n",
    "ID_REF\tGSM1\tGSM2\ncg00000029\t0.5\t0.25\n",
    "Name,Length,Weight\nS1,180,80\n",
    "sample,Intensity,Reverse\nS1,1,2\n",
    "!important,a\nS1,2\n",
    "\n\n\n",
    "",
)


@pytest.mark.parametrize("text", ORDINARY)
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt"])
def test_ordinary_tables_are_not_recognised(tmp_path, text, name):
    (tmp_path / name).write_text(text)
    assert recognise(tmp_path / name) is None
    assert not describes_samples(tmp_path / name)


def test_what_is_no_file_is_left_to_the_readers(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    for name in ("nothing.csv", "pipe", "empty", "a\0b"):
        assert recognise(tmp_path / name) is None


def test_only_the_head_is_read(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("sample_id,IFI6\n" + "S1,1\n" * 200_000)
    assert len(look(path).lines) == 200
    path.write_text("x," * 2_000_000)
    assert sum(map(len, look(path).lines)) <= 300_000


def test_a_layout_is_named_or_forbidden(tmp_path):
    path = tmp_path / "npx.csv"
    path.write_text("SampleID;Assay;NPX\nS1;IL6;1.5\nS2;IL6;2.5\n")
    read = read_expression(Expression(path=str(path), scale="log2"), "SampleID")
    assert read.genes.tolist() == ["IL6"] and read.suggested == ("log2", "NPX, Olink's log2 scale")
    np.testing.assert_array_equal(read.matrix, [[1.5], [2.5]])
    assert sample_names(Expression(path=str(path), scale="log2"), "SampleID").tolist() == ["S1", "S2"]
    assert recognise(path, "table") is None
    assert recognise(path, "maxquant").name == "maxquant"
    with pytest.raises(InputError, match="expression.format: found 'olinc'; valid: table, geo_series_matrix"):
        read_expression(Expression(path=str(path), scale="log2", format="olinc"), "SampleID")
    with pytest.raises(InputError, match="no column Majority protein IDs|without intensities"):
        read_expression(Expression(path=str(path), scale="log2", format="maxquant"), "SampleID")
    with pytest.raises(InputError, match="only h5ad files have layers"):
        read_expression(Expression(path=str(path), scale="log2", layer="raw"), "SampleID")


def test_a_sample_twice(tmp_path):
    path = tmp_path / "a.gct"
    path.write_text("#1.2\n1\t2\nName\tDescription\tS1\tS1\nE1\tA\t1\t2\n")
    with pytest.raises(InputError, match="S1 stand twice"):
        read_expression(Expression(path=str(path), scale="log2"), "id")


def test_names_of_layouts():
    names = [layout.name for layout in LAYOUTS]
    assert len(names) == len(set(names)) and "table" not in names
    assert all(layout.read or layout.describe for layout in LAYOUTS)


def test_a_parquet_that_is_no_olink(tmp_path):
    pd.DataFrame({"sample_id": ["S1"], "NPX": [1.0]}).to_parquet(tmp_path / "a.parquet")
    assert recognise(tmp_path / "a.parquet") is None


def test_whoever_names_the_column_of_genes_means_a_table(tmp_path):
    path = tmp_path / "counts.txt"
    header = "Geneid\tChr\tStart\tEnd\tStrand\tLength\tgene_name\tS1\tS2\n"
    path.write_text(f"{header}E1\tchr1\t1\t9\t+\t9\tIFI6\t1\t2\nE2\tchr1\t1\t9\t+\t9\tMX1\t3\t4\n")
    assert recognise(path).name == "featurecounts"
    given = {"path": str(path), "scale": "counts", "genes_in": "rows"}
    for more in ({}, {"genes": "gene_name"}, {"genes": "Geneid"}):
        read = read_expression(Expression(**given, **more), "id", ["S1", "S2"])
        assert read.samples.tolist() == ["S1", "S2"]
        assert read.genes.tolist() == (["E1", "E2"] if more.get("genes") == "Geneid" else ["IFI6", "MX1"])
        np.testing.assert_array_equal(read.matrix, [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        (["Protein IDs", "Majority protein IDs", "Gene names", "LFQ intensity S1"], "proteinGroups.txt of MaxQuant"),
        (["SampleID", "OlinkID", "Assay", "NPX"], "Olink NPX in the long layout"),
    ],
)
def test_text_of_software_that_a_workbook_holds(tmp_path, columns, title):
    pd.DataFrame([["a", "b", "c", 1.5]], columns=columns).to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(InputError, match=f"{title}, in a workbook; expected the text file"):
        recognise(tmp_path / "t.xlsx")
    assert recognise(tmp_path / "t.xlsx", "table") is None


def test_an_ordinary_workbook_is_not_recognised(tmp_path):
    pd.DataFrame({"SampleID": ["S1"], "Assay": ["ELISA"], "age": [30]}).to_excel(tmp_path / "t.xlsx", index=False)
    assert recognise(tmp_path / "t.xlsx") is None
