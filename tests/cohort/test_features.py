import numpy as np
import pytest

from mtlbio.cohort.features import donor_weights, fit_features, row_space


def test_most_variable_genes_are_chosen_and_standardised_on_training_samples_only():
    rng = np.random.default_rng([1])
    scales = np.array([1.0, 5.0, 0.0, 3.0, 2.0])
    train = (rng.normal(size=(50, 5)) * scales + 7).astype(np.float32)
    test = (rng.normal(size=(20, 5)) * scales + 9).astype(np.float32)
    features = fit_features(train, n_genes=2)
    assert features.genes_idx.tolist() == [1, 3]
    x = features.transform(train)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-6)
    expected = (test[:, [1, 3]] - train[:, [1, 3]].mean(0, dtype=float)) / train[:, [1, 3]].std(0, dtype=float)
    np.testing.assert_allclose(features.transform(test), expected, rtol=1e-5, atol=1e-6)


def test_constant_genes_are_never_kept_and_none_keeps_the_rest():
    train = np.array([[1.0, 0.1, 4.0], [2.0, 0.1, 6.0], [3.0, 0.1, 5.0]], dtype=np.float32)
    assert fit_features(train).genes_idx.tolist() == [0, 2]
    assert fit_features(train, n_genes=10).genes_idx.tolist() == [0, 2]


def test_weights_equal_repeated_rows():
    rng = np.random.default_rng([2])
    train, copies = rng.normal(size=(12, 4)), rng.integers(1, 4, size=12)
    weighted, repeated = fit_features(train, weights=copies), fit_features(np.repeat(train, copies, axis=0))
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-12)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-12)


def test_donor_weights_give_every_donor_the_same_total():
    donors = np.array(["a", "b", "a", "a", "c", "c"])
    weights = donor_weights(donors)
    assert weights.mean() == pytest.approx(1)
    totals = [weights[donors == d].sum() for d in "abc"]
    np.testing.assert_allclose(totals, 2.0)


@pytest.mark.parametrize("shape", [(20, 300), (80, 15)])
def test_row_space_is_lossless_and_orthonormal(shape):
    x = np.random.default_rng([3]).normal(size=shape)
    x = (x - x.mean(axis=0)).astype(np.float32)
    basis, scores = row_space(x)
    assert basis.shape == (shape[1], min(shape[0] - 1, shape[1]))
    np.testing.assert_allclose(scores @ basis.T, x, atol=1e-5)
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(scores, axis=0), np.linalg.svd(x)[1][: basis.shape[1]], rtol=1e-4)
    assert (basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])] > 0).all()


def test_data_without_variation_have_no_direction():
    assert [part.shape for part in row_space(np.zeros((4, 3)))] == [(3, 0), (4, 0)]
    assert [part.shape for part in row_space(np.zeros((4, 0)))] == [(0, 0), (4, 0)]
