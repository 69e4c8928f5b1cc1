"""Missing genes are filled with their conditional mean, by as many factors as do it best."""

import numpy as np
import pytest

from mtlbio.training.new_samples.factor import Factors, best_rank, fit_factors, patterns


def planted(n: int, p: int = 60, q: int = 3, noise: float = 0.5, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, q)) @ np.random.default_rng(9).standard_normal((q, p))
    z += noise * rng.standard_normal((n, p))
    return (z - z.mean(0)) / z.std(0)


def test_the_fill_is_the_conditional_mean_of_the_joint_normal():
    rng = np.random.default_rng(1)
    factors = Factors(rng.standard_normal((6, 2)), rng.uniform(0.2, 1, 6))
    covariance = factors.loadings @ factors.loadings.T + np.diag(factors.noise)
    z, missing = rng.standard_normal(6), np.array([True, False, False, True, False, False])
    there = ~missing
    wanted = covariance[np.ix_(missing, there)] @ np.linalg.solve(covariance[np.ix_(there, there)], z[there])
    found = factors.filled(np.where(missing, np.nan, z)[None])
    np.testing.assert_allclose(found[0, missing], wanted)
    np.testing.assert_array_equal(found[0, there], z[there])


def test_every_sample_is_filled_by_what_it_has_itself():
    (factors,) = fit_factors(planted(200), 3)
    z = planted(5, seed=2)
    z[1, :10], z[3, 20:] = np.nan, np.nan
    together = factors.filled(z)
    for i in range(5):
        np.testing.assert_allclose(factors.filled(z[i : i + 1])[0], together[i])
    nothing = factors.filled(np.full((1, 60), np.nan))
    assert np.abs(nothing).max() == 0  # the training mean


def test_held_out_genes_are_told_by_the_others():
    (factors,) = fit_factors(planted(300), 3)
    truth = planted(100, seed=5)
    gaps = truth.copy()
    gaps[:, ::2] = np.nan
    error = np.square(factors.filled(gaps) - truth)[:, ::2].mean()
    assert error < 0.25 * np.square(truth[:, ::2]).mean()


@pytest.mark.parametrize("n", [40, 300])
def test_more_samples_than_genes_or_fewer_give_the_same_kind_of_factors(n):
    z = planted(n)
    small, large = fit_factors(z, 2, 500)
    assert small.loadings.shape == (60, 2) and large.loadings.shape[1] < 60
    modelled = np.square(small.loadings).sum(axis=1) + small.noise
    assert modelled == pytest.approx(1.0, abs=0.06)  # every gene keeps its variance


def test_the_number_of_factors_is_chosen_on_samples_held_out_and_stays_the_same():
    group = np.arange(300) % 5
    assert best_rank(planted(300), group) == 5 == best_rank(planted(300), group)
    assert best_rank(planted(300, q=25, noise=0.2, p=300), group) > 10


def test_samples_that_lack_the_same_genes_are_filled_together():
    missing = np.zeros((4, 9), dtype=bool)
    missing[[0, 2], 8] = True
    found = {tuple(rows.tolist()): mask.sum() for rows, mask in patterns(missing)}
    assert found == {(0, 2): 1, (1, 3): 0}
