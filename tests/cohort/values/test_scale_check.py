"""A scale and data that disagree: an error with both readings, or a doubt; estimated counts are rounded."""

from __future__ import annotations

import numpy as np
import pytest
from kinds_of_values import KINDS, SAMPLES, counts, logs, measured

from mtlbio.cohort.measurements import check_values
from mtlbio.cohort.qc import to_log_scale
from mtlbio.cohort.values.scale_check import as_counts, check_scale
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing

# what the values are, what the run says -> words of the error
REFUSED = [
    ("counts", "log2", ["scale: log2, but", "whole numbers", "scale: counts"]),
    ("counts", "log", ["scale: counts"]),
    ("TPM", "counts", ["scale: counts, but", "every sample sums to 1,000,000", "scale: linear"]),
    ("log2", "counts", ["scale: counts, but", "scale: log2"]),
    ("z-scores", "counts", ["scale: counts, but", "scale: z"]),
    ("beta", "counts", ["methylation", "scale: beta"]),
    ("FPKM below 50", "log2", ["linear (TPM, FPKM", "scale: linear", "as they are: scale: z"]),
    ("TPM", "log2", ["scale: linear"]),
    ("salmon", "log2", ["estimated counts", "scale: counts"]),
    ("intensities of mass spectrometry", "log2", ["intensities", "scale: linear"]),
    ("beta", "log2", ["methylation", "scale: beta", "as they are: scale: z"]),
    ("percent", "log2", ["scale: percent"]),
    ("percent", "beta", ["scale: beta, but", "scale: percent"]),
    ("beta", "percent", ["scale: percent, but", "scale: beta"]),
]
DOUBTED = [
    ("FPKM below 50", "z", "scale: linear?"),
    ("beta", "z", "scale: beta?"),
    ("counts", "linear", "scale: counts?"),
    ("log2", "linear", "scale: log2?"),
    ("mutations", "log2", "scale: z?"),
    ("mutations", "beta", "scale: z?"),
]


@pytest.mark.parametrize(("kind", "scale", "words"), REFUSED)
def test_disagreement_is_an_error_with_both_readings(kind, scale, words):
    values, genes, *_ = KINDS[kind]
    with pytest.raises(InputError) as caught:
        check_scale(measured(values, genes), scale)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("kind", "scale", "words"), DOUBTED)
def test_possible_disagreement_is_a_doubt(kind, scale, words):
    values, genes, *_ = KINDS[kind]
    with noticing() as notes:
        check_scale(measured(values, genes), scale)
    assert [note.doubt for note in notes] == [True]
    assert words in notes[0].text


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("salmon", "RSEM")])
def test_what_is_guessed_is_accepted(kind):
    values, genes, scale, *_ = KINDS[kind]
    with noticing() as notes:
        check_scale(measured(values, genes), scale)
        check_values(measured(values, genes), scale)
    assert notes == []


@pytest.mark.parametrize("scale", ["log", "log2", "z"])
def test_few_values_out_of_range_are_left_to_the_check_that_locates_them(scale):
    values = logs()
    values[3, 4] = 5000
    check_scale(measured(values), scale)
    with pytest.raises(InputError, match="gene 'GENE4', sample 'S3': found 5000"):
        check_values(measured(values), scale)


def test_an_age_among_logarithms_is_named():
    values = logs()
    values[:, 4] = np.linspace(20.5, 80, SAMPLES)
    genes = [f"GENE{i}" for i in range(values.shape[1])]
    genes[4] = "age"
    with pytest.raises(InputError, match=r"'age' looks like a number of another kind \(median 50.*drop: \[age\]"):
        check_scale(measured(values, genes), "log2")


@pytest.mark.parametrize(
    ("kind", "scale", "why"),
    [("counts", "counts", "not whole where all others are"), ("beta", "beta", "where the others are from 0 to 1")],
)
def test_a_rin_among_counts_or_beta_values_is_named(kind, scale, why):
    values = KINDS[kind][0].copy()
    values[:, 4] = np.linspace(6.05, 9.2, SAMPLES)
    with pytest.raises(InputError, match=f"scale: {scale}, but column 'GENE4' .*{why}.*drop"):
        check_scale(measured(values), scale)


def test_a_label_of_zero_and_one_among_logarithms_is_a_doubt():
    values = logs()
    values[:, 4] = np.arange(SAMPLES) % 2
    with noticing() as notes:
        check_scale(measured(values), "log2")
    assert [note.doubt for note in notes] == [True]
    assert "'GENE4' looks like a number of another kind (whole numbers (0 to 1) where no other is)" in notes[0].text


def test_one_negative_count_is_located():
    values = counts()
    values[5, 7] = -1
    with pytest.raises(InputError, match="gene 'GENE7', sample 'S5': found -1"):
        check_scale(measured(values), "counts")


@pytest.mark.parametrize("kind", ["salmon", "RSEM"])
def test_estimated_counts_are_rounded_and_said(kind):
    values, *_ = KINDS[kind]
    with noticing() as notes:
        rounded = as_counts(measured(values), "counts")
    np.testing.assert_array_equal(rounded.matrix, np.round(values.astype(np.float32)))
    assert "estimated counts rounded to whole numbers" in notes[0].text and not notes[0].doubt
    check_scale(rounded, "counts")
    check_values(rounded, "counts")


@pytest.mark.parametrize("kind", ["TPM", "log2", "counts"])
def test_what_is_no_estimate_is_not_rounded(kind):
    data = measured(KINDS[kind][0])
    assert as_counts(data, "counts") is data


def test_linear_and_percent_scales_become_logs_and_m_values():
    np.testing.assert_allclose(to_log_scale(np.array([[0.0, 1.0, 7.0]]), "linear", None), [[0, 1, 3]])
    share = np.array([[0.2, 0.5]])
    np.testing.assert_allclose(to_log_scale(100 * share, "percent", None), to_log_scale(share, "beta", None))
    np.testing.assert_allclose(to_log_scale(share, "beta", None)[0, 1], 0, atol=1e-12)


@pytest.mark.parametrize(("scale", "value", "words"), [("linear", -2.0, "from 0"), ("percent", 130.0, "from 0 to 100")])
def test_values_out_of_a_scale_are_located(scale, value, words):
    values = KINDS["percent"][0].copy()
    values[1, 2] = value
    with pytest.raises(InputError, match=f"gene 'GENE2', sample 'S1': found {value:g}.*{words}"):
        check_values(measured(values), scale)
