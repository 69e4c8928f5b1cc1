"""The scale of values is read from what they look like, with the other readings named."""

from __future__ import annotations

import numpy as np
import pytest
from kinds_of_values import GENES, KINDS, SAMPLES, counts, logs, measured, rng
from scipy import sparse

from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.values.guess_scale import guess_scale
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing


@pytest.mark.parametrize("kind", KINDS)
def test_scale_by_values(kind):
    values, genes, scale, reason, doubt = KINDS[kind]
    with noticing() as notes:
        found, why = guess_scale(measured(values, genes))
    assert found == scale, why
    assert reason in why
    doubts = [note.text for note in notes if note.doubt]
    assert len(doubts) == (doubt is not None), doubts
    assert doubt is None or doubt in doubts[0]


def test_gaps_do_not_change_the_reading():
    for kind in ("log2", "counts", "beta", "percent", "TPM"):
        values, genes, scale, _, _ = KINDS[kind]
        values = values.copy()
        values[rng().random(values.shape) < 0.02] = np.nan
        values[:, 3] = np.nan
        assert guess_scale(measured(values, genes))[0] == scale


def test_one_negative_count_is_located():
    values = counts()
    values[5, 7] = -1
    with pytest.raises(InputError, match=r"gene 'GENE7', sample 'S5': found -1: whole numbers .* but for 1 below 0"):
        guess_scale(measured(values))


def test_intensities_with_negative_values_are_explained():
    values = 2.0 ** logs() - 60
    with pytest.raises(InputError, match="both signs.*background correction.*log2"):
        guess_scale(measured(values))


@pytest.mark.parametrize("kind", ["log2", "z-scores", "beta", "counts"])
@pytest.mark.parametrize("code", [-999, 9999])
def test_a_code_for_missing_values_is_named(kind, code):
    if kind == "counts" and code > 0:
        return  # may be a count
    values = KINDS[kind][0].copy()
    values[3:6, 5] = code
    with pytest.raises(InputError, match=f"{code} stands 3 times far from all others: a code for missing|found -999"):
        guess_scale(measured(values))


@pytest.mark.parametrize(
    ("values", "scale"),
    [(logs() + 14, "log2"), (2 ** (logs() + 14), "linear"), (np.round(2 ** (logs() + 14)), "linear")],
)
def test_zeros_among_values_far_from_zero_are_a_doubt(values, scale):
    values = np.where(rng().random(values.shape) < 0.1, 0, values)
    with noticing() as notes:
        assert guess_scale(measured(values))[0] == scale
    assert any("if 0 stands for missing, write NA" in note.text and note.doubt for note in notes)


def test_infinite_values_are_counted():
    values = logs()
    values[2, :3] = -np.inf
    with pytest.raises(InputError, match="3 infinite values"):
        guess_scale(measured(values))


def test_a_column_of_another_kind_does_not_spoil_the_guess():
    values = logs()
    values[:, 0] = np.linspace(20, 80, SAMPLES) + 0.1
    assert guess_scale(measured(values))[0] == "log2"


@pytest.mark.parametrize("kind", ["counts", "log1p of few"])
def test_sparse_values_are_read_alike(kind):
    values, genes, scale, reason, _ = KINDS[kind]
    values = np.where(rng().random(values.shape) < 0.7, 0, values)
    data = measured(values, genes)
    found, why = guess_scale(Measurements(data.samples, data.genes, sparse.csr_matrix(data.matrix), data.source))
    assert found == scale and reason in why


def test_a_sample_that_is_on_another_scale_is_named():
    values = logs()
    values[7] = 2 ** values[7]
    names = np.array([f"S{i}" for i in range(SAMPLES)])
    data = Measurements(names, np.array([f"G{j}" for j in range(GENES)]), values, "e.csv")
    with pytest.raises(InputError, match="e.csv: sample.s. 'S7' reach .* the others end near .*: on another scale"):
        guess_scale(data)


def test_a_deep_sample_among_shallow_ones_is_none_of_another_scale():
    values = rng().poisson(2, (SAMPLES, GENES)).astype(float)
    values[7] = rng().poisson(300, GENES)
    names = np.array([f"S{i}" for i in range(SAMPLES)])
    data = Measurements(names, np.array([f"G{j}" for j in range(GENES)]), values, "e.csv")
    assert guess_scale(data)[0] == "counts"
