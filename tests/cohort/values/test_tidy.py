"""What stands among the genes and is none goes, and is said; each gene once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.values.annotation import is_of_people, is_spike_in, is_summary
from mtlbio.cohort.values.gene_dates import date_names, gene_of_date
from mtlbio.cohort.values.tidy import tidied, without
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run


def measured(**genes: list) -> Measurements:
    """Genes by name; a number behind a bar is no part of it, so that a name can stand twice."""
    names = np.array([name.split("|")[0] for name in genes])
    matrix = np.array(list(genes.values()), dtype=np.float32).T
    return Measurements(np.array([f"S{i}" for i in range(len(matrix))]), names, matrix, "counts.tsv")


HTSEQ = ["__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned", "__alignment_not_unique"]
STAR = ["N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"]
OTHERS = ["no_feature", "X__no_feature", "Unassigned_Unmapped", "Unassigned_NoFeatures"]


@pytest.mark.parametrize("name", [*HTSEQ, *STAR, *OTHERS, "ERCC-00002", "ERCC_00171", "SIRV101"])
def test_lines_that_are_no_genes_go_and_are_listed(name):
    qc = QcList()
    with noticing() as notes:
        data = tidied(measured(**{"TP53": [1, 2, 3], name: [900, 800, 7], "MYC": [4, 5, 6]}), "counts", qc)
    assert data.genes.tolist() == ["TP53", "MYC"] and data.matrix.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert [row[:2] for row in qc.rows] == [(name, "gene")]
    assert "left out" in notes[0].text and name in notes[0].text


@pytest.mark.parametrize("name", ["ERCC1", "ERCC6L2", "NFE2", "MT-ND1", "AMBN", "AGER", "BMI1", "RIN3", "CASE", "SEXN"])
def test_genes_are_genes(name):
    assert not is_summary(name) and not is_spike_in(name)
    assert is_of_people(name) == (name == "CASE") and date_names([name]) == []


def test_nothing_but_summary_lines_is_refused():
    with pytest.raises(InputError, match="nothing but reads of no gene"):
        tidied(measured(N_unmapped=[1, 2], N_noFeature=[3, 4]), "counts", QcList())


@pytest.mark.parametrize("name", ["total", "library_size", "anything"])
def test_a_column_that_is_the_sum_of_the_others_goes(name):
    qc = QcList()
    data = tidied(measured(A=[1, 2, 3], B=[4, 5, 7], **{name: [5, 7, 10]}), "counts", qc)
    assert data.genes.tolist() == ["A", "B"] and qc.rows[0][:3] == (name, "gene", "total")
    other = tidied(measured(A=[1, 2, 3], B=[4, 5, 7], **{name: [5, 7, 11]}), "counts", QcList())
    assert len(other.genes) == 3


@pytest.mark.parametrize(
    ("name", "gene"),
    [
        ("2-Sep", "SEPTIN2"),
        ("Sep-07", "SEPTIN7"),
        ("1-Mar", "MARCHF1 or MTARC1"),
        ("2021-03-04", "MARCHF4"),
        ("2001-09-01 00:00:00", "SEPTIN1"),
        ("9/2/2021", "SEPTIN2"),
        ("02.09.2021", "SEPTIN2"),
        ("1. Mrz", "MARCHF1 or MTARC1"),
        ("1-Dec", "DELEC1"),
        ("14-Jul", ""),
    ],
)
def test_dates_and_the_genes_that_they_were(name, gene):
    assert date_names([name, "TP53", "HLA-A", "44075", "1.2", "MARCHF1"]) == [name]
    assert gene_of_date(name) == gene


def test_dates_among_genes_are_a_doubt():
    with noticing() as notes:
        tidied(measured(**{"TP53": [1, 2], "2-Sep": [3, 4], "1-Mar": [5, 7]}), "log2", QcList())
    assert len(notes) == 1 and notes[0].doubt
    assert "2 names of genes look like dates" in notes[0].text and "2-Sep (SEPTIN2)" in notes[0].text


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(("scale", "expected"), [("counts", [8, 10]), ("log2", [4, 5]), ("linear", [4, 5])])
def test_a_gene_that_stands_twice_is_summed_or_averaged(stored, scale, expected):
    data = measured(**{"MYC": [1, 2], "TP53": [3, 4], "MYC|2": [7, 8], "EGFR": [0, 9]})
    data = Measurements(data.samples, data.genes, stored(data.matrix), data.source)
    qc = QcList()
    with noticing() as notes:
        once = tidied(data, scale, qc)
    assert once.genes.tolist() == ["MYC", "TP53", "EGFR"]
    np.testing.assert_array_equal(once.dense(), np.array([expected, [3, 4], [0, 9]]).T)
    verb = "summed" if scale == "counts" else "averaged"
    assert verb in notes[0].text and qc.rows == [
        ("MYC", "gene", "name twice", f"{verb}: columns of one name on scale {scale}")
    ]


def test_dates_that_stand_twice_are_two_genes():
    data = tidied(measured(**{"1-Mar": [1, 2], "TP53": [3, 4], "1-Mar|2": [7, 8]}), "log2", QcList())
    assert data.genes.tolist() == ["1-Mar", "TP53", "1-Mar_2"] and data.matrix[0].tolist() == [1, 3, 7]


def test_names_of_metadata_among_genes_are_a_doubt():
    with noticing() as notes:
        tidied(measured(RIN=[7, 8], TP53=[1, 2], smoker_years=[3, 4]), "log2", QcList(), ["smoker_years"])
    assert [n.doubt for n in notes] == [True]
    assert "expression.drop: [RIN, smoker_years]" in notes[0].text


def test_columns_named_by_the_run_go():
    with noticing() as notes:
        data = without(measured(RIN=[7, 8], TP53=[1, 2]), ["RIN"])
    assert data.genes.tolist() == ["TP53"] and "expression.drop: RIN" in notes[0].text
    with pytest.raises(InputError, match="expression.drop: no column 'rin'; did you mean 'RIN'"):
        without(measured(RIN=[7, 8], TP53=[1, 2]), ["rin"])


@pytest.mark.parametrize("rows", [False, True])
def test_drop_in_a_run(small, rows):
    small.expression["RIN"] = 7.5
    small.expression["lab note"] = ["ok", *["12"] * 47]
    small.write()
    if rows:
        small.expression.T.rename_axis("gene").to_csv(small.folder / "expression.csv")
        small.set("expression.genes_in", "rows")
    small.set("expression.drop", ["RIN", "lab note"])
    cohort, _ = build_cohort(read_run(small.write_run()))
    assert cohort.genes == tuple(f"GENE{i}" for i in range(1, 31))


def test_a_gene_twice_in_a_run(small):
    small.counts()
    small.expression.columns = ["GENE2", *small.expression.columns[1:]]
    twice = small.expression["GENE2"].sum(axis=1)
    small.write()
    cohort, qc = build_cohort(read_run(small.write_run()))
    assert cohort.genes[0] == "GENE2" and len(cohort.genes) == 29
    assert ["GENE2", "gene", "name twice"] in qc.table()[["item", "kind", "reason"]].to_numpy().tolist()
    rest = small.expression.drop(columns="GENE2").sum(axis=1)
    expected = np.log1p(twice / (twice + rest) * cohort.preprocessing["size"])
    pd.testing.assert_series_equal(
        pd.Series(cohort.expression[:, 0]), expected.reset_index(drop=True), check_dtype=False
    )
