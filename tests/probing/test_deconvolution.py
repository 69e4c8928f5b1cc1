import numpy as np

from mtlbio.probing.deconvolution import distribution

NOTHING = np.zeros((2000, 0))


def recorded(n, error, seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(50, 15, n), rng.normal(0, error, n)


def test_normal_values_are_drawn_to_their_mean_by_the_reliability():
    _, x, u = recorded(2000, 10)
    grid, weights = distribution(x + u, 10, NOTHING, NOTHING)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    kept, w = 225 / 325, x + u
    assert np.sqrt(np.square(weights @ grid - 50 - kept * (w - 50)).mean()) < 1
    assert abs(np.cov(weights @ grid, w)[0, 1] / w.var() - kept) < 0.03
    variance = weights @ np.square(grid) - np.square(weights @ grid)
    np.testing.assert_allclose(np.median(variance), 225 * 100 / 325, rtol=0.1)


def test_what_is_held_fixed_tells_of_the_true_value():
    """Of x = 12 t + 9 c + e, given w, t and c: the mean of two normal sources."""
    rng, _, u = recorded(2000, 10)
    t, c = rng.integers(0, 2, 2000).astype(float), rng.normal(size=2000)
    x = 12 * t + 9 * c + rng.normal(0, 8, 2000)
    grid, weights = distribution(x + u, 10, t[:, None], c[:, None])
    expected = 12 * t + 9 * c + 64 / 164 * (x + u - 12 * t - 9 * c)
    assert np.sqrt(np.square(weights @ grid - expected).mean()) < 1.2


def test_a_label_of_the_young_and_the_old_widens_what_is_known_of_them():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1.7, 1.7, 2000)
    t = (rng.random(2000) < 1 / (1 + np.exp(-2 * (np.square(x) - 1)))).astype(float)
    grid, weights = distribution(x + rng.normal(0, 0.6, 2000), 0.6, t[:, None], NOTHING)
    for label in (0, 1):
        of = t == label
        assert abs((weights[of] @ np.square(grid)).mean() - np.square(x[of]).mean()) < 0.08


def test_an_error_of_next_to_nothing_leaves_the_recorded_value():
    _, x, u = recorded(200, 1e-4)
    grid, weights = distribution(x + u, 1e-4, NOTHING[:200], NOTHING[:200])
    np.testing.assert_allclose(weights @ grid, x + u, atol=(grid[1] - grid[0]) / 2)
