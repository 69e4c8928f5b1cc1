"""Annotations of GEO's platforms: probes of a series matrix by their genes."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.errors import InputError
from mtlbio.intake.formats.geo_platform import symbol_in, symbols_of
from mtlbio.intake.formats.registry import description, measuring

ANNOT = tabbed(
    ("^Annotation",),
    ("!Annotation_platform = GPL570",),
    ("#ID = probe",),
    ("#Gene symbol = symbol",),
    ("!platform_table_begin",),
    ("ID", "Gene title", "Gene symbol", "Gene ID"),
    ("1007_s_at", "discoidin", "DDR1///MIR4640", "780///100616237"),
    ("1053_at", "ifi6", "IFI6", "2537"),
    ("117_at", "ifi6 again", "IFI6", "2537"),
    ("121_at", "", "", ""),
    ("!platform_table_end",),
)
FULL = tabbed(
    ("#ID = Affymetrix Probe Set ID",),
    ("#Gene Symbol =",),
    ("ID", "GB_ACC", "Gene Symbol", "ENTREZ_GENE_ID"),
    ("1007_s_at", "U48705", "DDR1 /// MIR4640", "780 /// 100616237"),
    ("1053_at", "M87338", "IFI6", "2537"),
    ("117_at", "X51757", "IFI6", "2537"),
    ("121_at", "", "---", ""),
)
ASSIGNED = tabbed(
    ("#ID = probe set",),
    ("ID", "seqname", "gene_assignment"),
    ("1007_s_at", "chr6", "NM_013994 // DDR1 // discoidin // 6p21 // 780 /// NM_1 // OTHER // o // 1 // 2"),
    ("1053_at", "chr1", "NM_002038 // IFI6 // interferon // 1p35 // 2537"),
    ("117_at", "chr1", "NM_002038 // IFI6 // interferon // 1p35 // 2537"),
    ("121_at", "---", "---"),
)
SOFT = "^DATABASE = GeoMiame\n^PLATFORM = GPL570\n!Platform_title = an array\n" + ANNOT.split("\n", 2)[2]


def series(folder, platform="GPL570"):
    lines = [("!Sample_title", '"a"', '"b"'), ("!Sample_geo_accession", '"GSM1"', '"GSM2"')]
    lines += [("!Sample_platform_id", *[f'"{platform}"'] * 2), ("!series_matrix_table_begin",)]
    lines += [('"ID_REF"', '"GSM1"', '"GSM2"')]
    rows = [('"1007_s_at"', 7, 8), ('"1053_at"', 3, 4), ('"117_at"', 5, 7), ('"121_at"', 1, 2)]
    path = folder / "GSE1_series_matrix.txt"
    path.write_text(tabbed(*lines, *rows, ("!series_matrix_table_end",)))
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GPL570.annot.gz", ANNOT),
        ("GPL570.annot", ANNOT),
        ("GPL570-55999.txt", FULL),
        ("GPL570-55999.txt.gz", ASSIGNED),
        ("GPL570_family.soft.gz", SOFT),
    ],
)
def test_probes_of_a_series_matrix_are_called_by_the_annotation_beside_it(tmp_path, name, text):
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    content, said = read(series(tmp_path), "geo_series_matrix")
    assert list(content.values.columns) == ["DDR1", "IFI6", "121_at"]
    np.testing.assert_array_equal(content.values, [[7, 4, 1], [8, 5.5, 2]])
    assert f"called by the genes of {name}" in said and "1 symbols stand for several probes each (IFI6)" in said
    assert "1 probes without a symbol keep their identifier" in said and "probes of an array" not in said


def test_another_platform_is_not_taken_and_the_right_one_is_named(tmp_path):
    (tmp_path / "GPL570.annot.gz").write_bytes(gzip.compress(ANNOT.encode()))
    content, said = read(series(tmp_path, "GPL96"), "geo_series_matrix")
    assert list(content.values.columns) == ["1007_s_at", "1053_at", "117_at", "121_at"]
    assert "probes of an array (1007_s_at)" in said and "put the annotation GPL96.annot.gz of GEO into" in said


def test_an_annotation_without_symbols_is_said(tmp_path):
    (tmp_path / "GPL570-1.txt").write_text(tabbed(("ID", "SEQUENCE"), ("1007_s_at", "ACGT")))
    content, said = read(series(tmp_path), "geo_series_matrix")
    assert list(content.values.columns)[0] == "1007_s_at"
    assert "no column of gene symbols; found: ID, SEQUENCE" in said
    assert symbols_of(tmp_path / "GPL570-1.txt") == {}


@pytest.mark.parametrize(
    ("name", "text"), [("GPL570.annot", ANNOT), ("GPL570-55999.txt", FULL), ("GPL570_family.soft", SOFT)]
)
def test_alone_it_is_refused_with_what_it_is_good_for(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=f"{name}: the annotation of a GEO platform.*put it beside the series matrix"):
        measuring(tmp_path / name).read(tmp_path / name)
    with pytest.raises(InputError, match=f"{name}: .*put it beside the series matrix"):
        description(tmp_path / name)


def test_a_symbol_in_a_cell():
    assert [symbol_in(c) for c in ("IFI6", '"IFI6"', "A /// B", "---", "", "A///B")] == [
        "IFI6",
        "IFI6",
        "A",
        "",
        "",
        "A",
    ]
