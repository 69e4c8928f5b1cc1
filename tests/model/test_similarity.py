import numpy as np
import pytest

from mtlbio.model.similarity import canonical_correlations, linear_cka, svcca


def two_sets(seed=0, n=60):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 2))
    a = np.column_stack([shared, rng.normal(size=n)]) @ rng.normal(size=(3, 3)) + 5
    return a, np.column_stack([shared + 0.5 * rng.normal(size=(n, 2)), rng.normal(size=(n, 2))]), rng


def slow_cka(a, b):
    """Kornblith et al. 2019, eq. 3 and 4: from the centred kernels of all pairs of samples."""
    n = len(a)
    centre = np.eye(n) - 1 / n

    def hsic(k, m):
        return np.trace(centre @ k @ centre @ m) / (n - 1) ** 2

    k, m = a @ a.T, b @ b.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def slow_correlations(a, b):
    """Roots of the eigenvalues of Saa^-1 Sab Sbb^-1 Sba (Hotelling 1936)."""
    s = np.cov(np.column_stack([a, b]), rowvar=False)
    k = a.shape[1]
    product = np.linalg.solve(s[:k, :k], s[:k, k:]) @ np.linalg.solve(s[k:, k:], s[k:, :k])
    return np.sqrt(np.sort(np.linalg.eigvals(product).real)[::-1])[: min(k, b.shape[1])]


def rotation(k, rng):
    return np.linalg.qr(rng.normal(size=(k, k)))[0]


def test_equal_to_the_definitions():
    a, b, _ = two_sets()
    np.testing.assert_allclose(linear_cka(a, b), slow_cka(a, b), rtol=1e-10)
    np.testing.assert_allclose(canonical_correlations(a, b), slow_correlations(a, b), rtol=1e-8)
    assert 0.8 < canonical_correlations(a, b)[1] < 0.97 and canonical_correlations(a, b)[2] < 0.5
    np.testing.assert_allclose(svcca(a, b, 1.0), slow_correlations(a, b).mean(), rtol=1e-8)


def test_cka_is_invariant_to_rotation_and_scale_only():
    a, b, rng = two_sets(1)
    turned = 3 * a @ rotation(3, rng) + 7
    np.testing.assert_allclose(linear_cka(turned, b), linear_cka(a, b), rtol=1e-10)
    assert abs(linear_cka(a * [10, 1, 1], b) - linear_cka(a, b)) > 0.01
    np.testing.assert_allclose(linear_cka(a, turned), 1.0)


def test_canonical_correlations_are_invariant_to_any_invertible_map():
    a, b, rng = two_sets(2)
    mapped = a @ rng.normal(size=(3, 3)) * 100 - 4
    np.testing.assert_allclose(canonical_correlations(mapped, b), canonical_correlations(a, b), rtol=1e-7)
    np.testing.assert_allclose(svcca(mapped, b, 1.0), svcca(a, b, 1.0), rtol=1e-7)
    np.testing.assert_allclose(svcca(a @ rotation(3, rng), b, 0.9), svcca(a, b, 0.9), rtol=1e-7)
    np.testing.assert_allclose(canonical_correlations(a, mapped), np.ones(3))


def test_svcca_leaves_small_components_out():
    a, _, rng = two_sets(3)
    noise = 1e-3 * rng.normal(size=(60, 2))
    noisy, other = np.column_stack([a, noise]), np.column_stack([a, 1e-3 * rng.normal(size=(60, 2))])
    np.testing.assert_allclose(svcca(noisy, other, 0.99), 1.0, atol=1e-4)
    assert svcca(noisy, other, 1.0) < 0.8


def test_what_is_not_spanned_counts_as_zero():
    a, _, _ = two_sets(4)
    collapsed = np.column_stack([a[:, 0], 2 * a[:, 0], np.ones(60)])
    np.testing.assert_allclose(canonical_correlations(collapsed, a), [1, 0, 0], atol=1e-8)
    assert np.isnan(linear_cka(np.ones((5, 2)), np.eye(5))) and np.isnan(svcca(np.ones((5, 2)), np.eye(5)))
    with pytest.raises(ValueError, match="found 60 and 59"):
        linear_cka(a, a[1:])
