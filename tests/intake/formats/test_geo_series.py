"""Series matrices of GEO, with the lines that real ones have."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from layouts import read, tabbed

from mtlbio.cohort.metadata import read_metadata
from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import description, measuring
from mtlbio.intake.notes import noticing

ABOUT = (
    ("!Series_title", '"Blood of patients"'),
    ("!Series_geo_accession", '"GSE1"'),
    ("!Series_supplementary_file", '"ftp://ftp.ncbi.nlm.nih.gov/geo/series/GSE1nnn/GSE1/suppl/GSE1_counts.txt.gz"'),
    (),
    ("!Sample_title", '"Patient 1, blood [P1]"', '"Patient 2, blood [P2]"', '"Patient 3, blood [P3]"'),
    ("!Sample_geo_accession", '"GSM1"', '"GSM2"', '"GSM3"'),
    ("!Sample_status", *['"Public on Jan 01 2020"'] * 3),
    ("!Sample_source_name_ch1", *['"whole blood"'] * 3),
    ("!Sample_organism_ch1", *['"Homo sapiens"'] * 3),
    ("!Sample_characteristics_ch1", '"disease state: SLE"', '"disease state: healthy"', '"disease state: SLE"'),
    ("!Sample_characteristics_ch1", '"age: 34"', '"Sex: F"', '"age: 51"'),
    ("!Sample_characteristics_ch1", '"sex: F"', '"age: 40"', '""'),
    ("!Sample_characteristics_ch1", '"treatment: HCQ: 200 mg"', '"treatment: None"', '"treatment: NA"'),
    ("!Sample_extract_protocol_ch1", *['"PAXgene, with ""quotes"""'] * 3),
    ("!Sample_description", '"lib-1"', '"lib-2"', '"lib-3"'),
    ("!Sample_platform_id", *['"GPL570"'] * 3),
    ("!Sample_contact_country", '"UK"', '"UK"', '"France"'),
)
HEADER = ('"ID_REF"', '"GSM1"', '"GSM2"', '"GSM3"')
END = ("!series_matrix_table_end",)


def series(path, *rows, about=ABOUT, ends=(END,)):
    text = tabbed(*about, ("!series_matrix_table_begin",), HEADER, *rows, *ends)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["GSE1_series_matrix.txt.gz", "GSE1-GPL570_series_matrix.txt"])
def test_values_are_read_as_samples_by_probes(tmp_path, name):
    path = series(tmp_path / name, ('"1007_s_at"', 7.5, "null", 8.25), ('"1053_at"', 3, 4, 5.5))
    content, said = read(path, "geo_series_matrix")
    assert list(content.values.index) == ["GSM1", "GSM2", "GSM3"]
    assert list(content.values.columns) == ["1007_s_at", "1053_at"]
    np.testing.assert_array_equal(content.values, [[7.5, 3], [np.nan, 4], [8.25, 5.5]])
    assert content.scale is None
    assert "3 samples x 2 rows" in said and "probes of an array (1007_s_at)" in said


def test_characteristics_are_columns_by_their_key_wherever_they_stand(tmp_path):
    path = series(tmp_path / "GSE1_series_matrix.txt.gz", ('"1053_at"', 3, 4, 5.5))
    with noticing() as notes:
        table = read_metadata(path)
    assert table["geo_accession"].tolist() == ["GSM1", "GSM2", "GSM3"]
    assert table["disease state"].tolist() == ["SLE", "healthy", "SLE"]
    assert table["age"].tolist() == ["34", "40", "51"]
    assert table["Sex" if "Sex" in table else "sex"].tolist() == ["F", "F", None]
    assert table["treatment"].tolist() == ["HCQ: 200 mg", "None", "NA"]
    assert table["description"].tolist() == ["lib-1", "lib-2", "lib-3"]
    assert table["title in brackets"].tolist() == ["P1", "P2", "P3"]
    assert not {"status", "contact_country", "extract_protocol_ch1", "organism_ch1"} & set(table)
    said = "\n".join(map(str, notes))
    assert "the same for every sample, left out" in said and "organism_ch1: Homo sapiens" in said


def test_samples_go_by_their_titles_where_the_metadata_does(tmp_path):
    about = [("!Sample_title", '"S1"', '"S2"', '"S3"') if row[:1] == ("!Sample_title",) else row for row in ABOUT]
    path = series(tmp_path / "GSE1_series_matrix.txt", ('"1053_at"', 3, 4, 5.5), about=about)
    content, _ = read(path, "geo_series_matrix")
    assert list(content.named_as(["S3", "S1", "S2"]).values.index) == ["S1", "S2", "S3"]
    assert list(content.named_as(["GSM1", "S1"]).values.index) == ["GSM1", "GSM2", "GSM3"]


def test_sequencing_has_no_values_but_describes_its_samples(tmp_path):
    path = series(tmp_path / "GSE1_series_matrix.txt.gz")
    with pytest.raises(InputError, match=r"supplementary files \(ftp.*GSE1_counts.txt.gz\).*mtlbio init COUNTS GSE1"):
        measuring(path).read(path)
    assert description(path)["age"].tolist() == ["34", "40", "51"]


def test_a_cut_download_is_said(tmp_path):
    path = series(tmp_path / "GSE1_series_matrix.txt", ('"1053_at"', 3, 4, 5.5), ends=())
    content, said = read(path, "geo_series_matrix")
    assert content.values.shape == (3, 1) and "is the download complete?" in said
    path.write_text(tabbed(*ABOUT))
    with pytest.raises(InputError, match="without !series_matrix_table_begin"):
        measuring(path).read(path)


def test_text_among_the_values_is_named(tmp_path):
    path = series(tmp_path / "GSE1_series_matrix.txt", ('"1053_at"', 3, "high", 5.5))
    with pytest.raises(InputError, match="column 'GSM2', row '1053_at': found 'high'"):
        measuring(path).read(path)


def test_saved_by_a_spreadsheet_with_commas(tmp_path):
    path = series(tmp_path / "GSE1_series_matrix.csv", ('"1053_at"', 3, 4, 5.5))
    path.write_text(path.read_text().replace("Patient 1, blood", "Patient 1 blood").replace("\t", ","))
    content, _ = read(path, "geo_series_matrix")
    np.testing.assert_array_equal(content.values.to_numpy().ravel(), [3, 4, 5.5])
    assert read_metadata(path)["age"].tolist() == ["34", "40", "51"]


@pytest.mark.parametrize("encoding, word", [("latin-1", "Windows-1252"), ("utf-16", "UTF-16"), ("utf-8-sig", None)])
def test_other_encodings(tmp_path, encoding, word):
    about = [("!Series_summary", '"Müller, 5 µg"'), *ABOUT]
    path = series(tmp_path / "GSE1_series_matrix.txt", ('"1053_at"', 3, 4, 5.5), about=about)
    path.write_bytes(path.read_text().encode(encoding))
    content, said = read(path, "geo_series_matrix")
    np.testing.assert_array_equal(content.values.to_numpy().ravel(), [3, 4, 5.5])
    assert word is None or f"its text is in {word}" in said


def test_words_for_nothing_and_for_little_are_missing(tmp_path):
    rows = (('"1053_at"', 3, "n.d.", 5.5), ('"117_at"', "<LOD", 4, "not measured"))
    content, said = read(series(tmp_path / "GSE1_series_matrix.txt", *rows), "geo_series_matrix")
    np.testing.assert_array_equal(content.values, [[3, np.nan], [np.nan, 4], [5.5, np.nan]])
    assert "3 cells of text are taken for missing values; 1 of them are below a limit of detection" in said
