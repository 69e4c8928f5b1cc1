"""What is dropped, and what the values become."""

from __future__ import annotations

import numpy as np
import scanpy as sc
from anndata import AnnData

from mtlbio.cohort.qc import QcList, library_size, quality_control, to_log_scale
from mtlbio.config import Qc


def controlled(values, scale, **options):
    qc = QcList()
    samples = np.array([f"s{i}" for i in range(len(values))])
    genes = np.array([f"g{i}" for i in range(values.shape[1])])
    result = quality_control(values, samples, genes, scale, Qc(**options), qc, "e.csv")
    return *result[:3], qc.table()


def test_counts_are_filtered_by_detection():
    counts = np.array([[5, 0, 3, 2, 0], [4, 1, 0, 2, 0], [6, 0, 2, 2, 0], [0, 0, 9, 0, 0], [0, 0, 0, 0, 0]])
    values, samples, genes, qc = controlled(counts, "counts", min_genes=2, min_samples=2)
    assert samples.tolist() == [True, True, True, False, False]
    assert genes.tolist() == [True, False, True, False, False]
    assert values.shape == (3, 2) and values.dtype == np.float32
    assert qc.to_numpy().tolist() == [
        ["s4", "sample", "no counts", "dropped: every count is 0"],
        ["s3", "sample", "few genes", "1 of 2 genes"],
        ["g1", "gene", "few samples", "1 of 2 samples"],
        ["g4", "gene", "few samples", "0 of 2 samples"],
        ["g3", "gene", "constant", "dropped: the same value in every sample"],
    ]


def test_normalisation_is_scanpys_with_a_round_total():
    counts = np.random.default_rng(0).poisson(20, (6, 100)).astype(float)  # libraries of about 2,000
    reference = AnnData(counts.copy())
    sc.pp.normalize_total(reference, target_sum=1000)
    sc.pp.log1p(reference)
    np.testing.assert_allclose(to_log_scale(counts, "counts", library_size(counts)), reference.X)


def test_a_sample_is_normalised_by_itself():
    counts = np.random.default_rng(0).poisson(20, (8, 100)).astype(float)
    size = library_size(counts)
    np.testing.assert_allclose(to_log_scale(counts, "counts", size)[:4], to_log_scale(counts[:4], "counts", size))


def test_total_is_at_most_a_million():
    counts = np.full((2, 3), 1e8)
    np.testing.assert_allclose(to_log_scale(counts, "counts", library_size(counts)), np.log1p(1e6 / 3))


def test_beta_becomes_m_values():
    beta = np.array([[0.0, 0.5, 0.25], [1.0, 0.5, 0.75]])
    values, _, genes, qc = controlled(beta, "beta")
    assert genes.tolist() == [True, False, True]
    np.testing.assert_allclose(values[:, 1], np.log2([0.251 / 0.751, 0.751 / 0.251]), rtol=1e-6)
    np.testing.assert_allclose(values[:, 0], [np.log2(0.001 / 1.001), np.log2(1.001 / 0.001)], rtol=1e-6)
    assert qc["item"].tolist() == ["g1"]


def test_log_scales_stay_as_they_are():
    values = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    result, samples, genes, qc = controlled(values, "z", min_genes=3)
    np.testing.assert_array_equal(result, values)
    assert samples.all() and genes.all() and not len(qc)


def test_many_cells_are_one_line():
    qc = QcList()
    qc.add([f"c{i}" for i in range(5000)], "cell", "not in metadata", "dropped")
    assert qc.rows == [("5000 cells", "cell", "not in metadata", "dropped")]
