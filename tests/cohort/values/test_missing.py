"""Gaps in measurements: counted and located, genes dropped, or filled by the gene's median."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from kinds_of_values import measured
from scipy import sparse

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.values.missing import gaps_in, without_gaps
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import read_run


def gapped() -> Measurements:
    """GENE0 lacks two of five values, GENE1 one, GENE2 none."""
    values = np.array([[1.0, 2, 3], [np.nan, 4, 5], [3, np.nan, 7], [np.nan, 8, 9], [4, 10, 1]])
    return measured(values)


def test_gaps_are_counted_and_located():
    text = str(gaps_in(gapped()))
    assert text.startswith("3 missing values (20 %) in 2 of 3 genes and 3 of 5 samples (most in gene 'GENE0': 40%")
    assert "sample 'S1'" in text
    assert gaps_in(measured(np.ones((2, 2)))) is None
    data = measured(np.ones((2, 2)))
    assert gaps_in(Measurements(data.samples, data.genes, sparse.csr_matrix(data.matrix), "cells")) is None


def test_stop_tells_the_ways_out():
    with pytest.raises(InputError, match=r"3 missing values.*missing: drop \(2 gene\(s\) go\) or fill"):
        without_gaps(gapped(), "stop", QcList())


def test_drop_leaves_genes_without_gaps():
    qc = QcList()
    with noticing() as notes:
        data = without_gaps(gapped(), "drop", qc)
    assert data.genes.tolist() == ["GENE2"] and data.matrix.ravel().tolist() == [3, 5, 7, 9, 1]
    assert [row[:3] for row in qc.rows] == [("GENE0", "gene", "missing values"), ("GENE1", "gene", "missing values")]
    assert qc.rows[0][3] == "dropped: missing in 40% of the samples" and notes[0].doubt


def test_fill_takes_the_median_of_genes_with_few_gaps():
    qc = QcList()
    with noticing() as notes:
        data = without_gaps(gapped(), "fill", qc)
    assert data.genes.tolist() == ["GENE1", "GENE2"] and data.matrix[:, 0].tolist() == [2, 4, 6, 8, 10]
    assert [row[0] for row in qc.rows] == ["GENE0"]
    assert "1 values of 1 genes filled with the gene's median" in notes[0].text


def test_filled_counts_are_counts():
    data = without_gaps(measured(np.array([[1.0, 2], [2, 4], [3, 6], [4, 8], [np.nan, 1]] * 2)[:9]), "fill", QcList())
    assert data.matrix[4].tolist() == [2, 1]


def test_a_sample_without_any_value_goes_first():
    values = np.ones((6, 4)) * np.arange(6)[:, None]
    values[2] = np.nan
    qc = QcList()
    data = without_gaps(measured(values), "fill", qc)
    assert data.samples.tolist() == ["S0", "S1", "S3", "S4", "S5"] and len(data.genes) == 4
    assert qc.rows[0][:3] == ("S2", "sample", "no values")


def test_no_gene_left():
    values = np.where(np.eye(4) > 0, np.nan, 1.0)
    with pytest.raises(InputError, match="no gene is left by expression.missing: drop"):
        without_gaps(measured(values), "drop", QcList())


@pytest.mark.parametrize(("genes", "way", "left"), [(1, "drop", 59), (20, "fill", 60)])
def test_a_draft_proposes_a_way_with_the_number(small, genes, way, left):
    small.expression = small.expression.join(small.expression.add_suffix("b"))
    small.expression.iloc[3, :genes] = np.nan
    small.write()
    text, notes = draft(small.folder / "expression.csv", small.folder / "metadata.csv", folder=small.folder)
    expression = yaml.safe_load(text)["expression"]
    assert expression["missing"] == way
    assert any(f"{genes} missing value" in note for note in notes)
    (small.folder / "draft.yaml").write_text(text)
    cohort, _ = build_cohort(read_run(small.folder / "draft.yaml"))
    assert np.isfinite(cohort.expression).all() and len(cohort.genes) == left
