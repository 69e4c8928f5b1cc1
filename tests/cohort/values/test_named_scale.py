"""The name of a file decides where its values leave a doubt, and nothing where they leave none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kinds_of_values import KINDS, counts, measured, tpm

from mtlbio.cohort.values.guess_scale import guess_scale
from mtlbio.cohort.values.scale_check import as_counts, check_scale
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing


def guessed(values, name):
    with noticing() as notes:
        scale, why = guess_scale(replace(measured(values), source=f"/data/{name}"))
    return scale, why, [note.text for note in notes if note.doubt]


@pytest.mark.parametrize("name", ["salmon.merged.gene_counts.tsv", "GSE1_raw_counts.csv.gz", "expected_count.txt"])
@pytest.mark.parametrize("kind", ["salmon", "RSEM"])
def test_estimated_counts_by_name_leave_no_doubt(kind, name):
    scale, why, doubts = guessed(KINDS[kind][0], name)
    assert scale == "counts" and "counts by the file's name" in why and not doubts


def test_libraries_of_nearly_one_size_are_counts_by_name_and_linear_without():
    rates = tpm(counts() * 3.0 + 0.4)
    values = rates * np.random.default_rng(0).normal(1, 0.03, (len(rates), 1)) / 10
    assert guessed(values, "expression.tsv")[0] == "linear"
    scale, _, doubts = guessed(values, "salmon.merged.gene_counts_length_scaled.tsv")
    assert scale == "counts" and "if they were normalised: scale: linear" in doubts[0]
    named = replace(measured(values), source="gene_counts.tsv")
    check_scale(named, "counts")
    np.testing.assert_array_equal(as_counts(named, "counts").matrix, np.round(named.matrix))
    with pytest.raises(InputError, match="scale: counts, but the values are"):
        check_scale(replace(named, source="expression.tsv"), "counts")


@pytest.mark.parametrize("name", ["normalized_counts.csv", "counts_CPM.tsv", "rsem_tpm.txt", "counts_per_million.csv"])
def test_what_was_made_of_counts_is_linear_by_name(name):
    scale, why, doubts = guessed(KINDS["RSEM"][0], name)
    assert scale == "linear" and "by the file's name" in why and "scale: counts" in doubts[0]


def test_whole_numbers_of_an_array_or_of_deep_libraries_are_counts_by_name():
    for kind in ("counts of 10 and more", "intensities of mass spectrometry"):
        scale, why, doubts = guessed(KINDS[kind][0], "read_counts.csv")
        assert scale == "counts" and "counts by the file's name" in why and not doubts


@pytest.mark.parametrize("kind", ["log2", "beta", "percent", "z-scores", "TPM"])
def test_values_without_doubt_outdo_a_name(kind):
    values, genes, scale, _, _ = KINDS[kind]
    assert guess_scale(replace(measured(values, genes), source="counts.csv"))[0] == scale
