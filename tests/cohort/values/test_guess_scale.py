"""The scale of values is read from what they look like, with the other readings named."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.values.guess_scale import guess_scale
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing

SAMPLES, GENES = 40, 200


def logs(seed: int = 0) -> np.ndarray:
    """log2 values of a bulk cohort: genes between 4 and 12."""
    rng = np.random.default_rng(seed)
    return rng.uniform(4, 12, GENES) + rng.normal(0, 0.6, (SAMPLES, GENES)) + rng.normal(0, 0.2, (SAMPLES, 1))


def counts(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(2.0 ** (logs(seed) - 2)).astype(float)


def tpm(of: np.ndarray | None = None) -> np.ndarray:
    reads = counts() + 0.1 if of is None else of
    return reads / reads.sum(axis=1, keepdims=True) * 1e6


def methylation(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sites = np.where(rng.random(GENES) < 0.5, 0.12, 0.8)
    return np.clip(sites + rng.normal(0, 0.05, (SAMPLES, GENES)), 0.003, 0.997)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def measured(values: np.ndarray, genes: list[str] | None = None) -> Measurements:
    genes = [f"GENE{i}" for i in range(values.shape[1])] if genes is None else genes
    samples = np.array([f"S{i}" for i in range(len(values))])
    return Measurements(samples, np.array(genes), np.asarray(values, dtype=np.float32), "table.csv")


CPGS = [f"cg{i:08d}" for i in range(GENES)]
# what it is -> values, names, scale, a word of the reason, a word of the doubt (none where there is no doubt)
KINDS = {
    "log2": (logs(), None, "log2", "from ", None),
    "log2(TPM + 1) of all genes": (np.log2(tpm(rng().gamma(0.05, 50, (SAMPLES, GENES))) + 1), None, "log2", "", None),
    "log1p of few": (np.log1p(counts() / 100), None, "log", "", None),
    "counts": (counts(), None, "counts", "whole numbers from 0", None),
    "counts of 10 and more": (counts() + 50, None, "counts", "", "linear"),
    "salmon": (counts() * 20 * 1.0173, None, "counts", "estimated counts", "linear"),
    "RSEM": (counts() * 9 + 0.37 * (rng().random((SAMPLES, GENES)) < 0.5), None, "counts", "nearly", "linear"),
    "TPM": (tpm(), None, "linear", "sums to 1,000,000", None),
    "FPKM below 50": (2 ** (logs() - 8), None, "linear", "FPKM", "log2"),
    "CPM of some genes": (tpm()[:, : GENES // 2], None, "linear", "linear", "counts"),
    "array intensities": (2 ** (logs() * 0.5 + 5) + 0.5, None, "linear", "intensities", "counts"),
    "intensities of mass spectrometry": (np.round(2.0 ** (logs() + 16)), None, "linear", "intensities", "counts"),
    "beta": (methylation(), CPGS, "beta", "methylation", None),
    "percent": (methylation() * 100, CPGS, "percent", "percent", None),
    "whole percent": (np.round(methylation() * 100), CPGS, "percent", "percent", None),
    "percent of other names": (methylation() * 100, None, "percent", "percent", None),
    "proportions": (tpm() / 1e6, None, "beta", "between 0 and 1", "sums to 1"),
    "M values": (np.log2(methylation() / (1 - methylation())), CPGS, "z", "M values", None),
    "z-scores": (rng().normal(0, 1, (SAMPLES, GENES)), None, "z", "both signs", None),
    "mutations": ((rng().random((SAMPLES, GENES)) < 0.1) * 1.0, None, "z", "only 0 and 1", "counts"),
    "genotypes": (rng().binomial(2, 0.3, (SAMPLES, GENES)) * 1.0, None, "z", "genotypes", "counts"),
    "copy numbers": (rng().integers(-2, 3, (SAMPLES, GENES)) * 1.0, None, "z", "copy number", None),
    "Ct": (np.minimum(rng().normal(30, 6, (SAMPLES, GENES)).clip(12), 40), None, "log2", "Ct", "not detected"),
    "LFQ": (rng().uniform(20, 34, GENES) + rng().normal(0, 0.5, (SAMPLES, GENES)), None, "log2", "Ct", None),
}  # fmt: skip


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
