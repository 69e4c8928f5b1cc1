"""Gains in closed form against ridge regressions that are fitted again."""

import numpy as np
import pytest

from mtlbio.evaluation.panel.entering import entering


def loss(x: np.ndarray, y: np.ndarray, weights: np.ndarray, penalties: np.ndarray) -> float:
    """The ridge loss of one target, solved as a linear system."""
    rows = ~np.isnan(y) & (weights > 0)
    share = weights[rows] / weights[rows].sum() * rows.sum()
    root = np.sqrt(share)
    x, y = x[rows], y[rows]
    a, b = root[:, None] * (x - share @ x / rows.sum()), root * (y - share @ y / rows.sum())
    coefficients = np.linalg.solve(a.T @ a + np.diag(penalties * rows.sum()), a.T @ b)
    return float(np.square(b - a @ coefficients).sum() + rows.sum() * penalties @ np.square(coefficients))


def brute_force(x, y, weights, most, growth, shares, prices):
    chosen, penalties = [], np.empty(0)
    alone = [[loss(x[:, [j]], t, weights, np.array([growth])) for j in range(x.shape[1])] for t in y.T]
    units = np.array([loss(x[:, []], t, weights, penalties) for t in y.T]) - np.min(alone, axis=1)
    before = np.array([loss(x[:, []], target, weights, penalties) for target in y.T])
    for rank in range(1, most + 1):
        more = np.append(penalties, growth * rank)
        gains = {}
        for j in set(range(x.shape[1])) - set(chosen):
            after = np.array([loss(x[:, [*chosen, j]], target, weights, more) for target in y.T])
            gains[j] = shares @ ((before - after) / units) / prices[j]
        best = max(sorted(gains), key=gains.__getitem__)
        chosen, penalties = [*chosen, best], more
        before = np.array([loss(x[:, chosen], target, weights, penalties) for target in y.T])
    return chosen


@pytest.fixture
def drawn():
    """Features (40, 12) that are correlated, three targets with gaps of their own, weights of which some are 0."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 12)) + rng.normal(size=(40, 1))
    y = x[:, :3] + x[:, 3:6] + rng.normal(size=(40, 3))
    y[rng.random(y.shape) < 0.3] = np.nan
    y[:, 2] = np.where(np.isnan(y[:, 1]), np.nan, y[:, 2])
    return x, y, rng.integers(0, 3, 40).astype(float)


@pytest.mark.parametrize("growth", [0.05, 1.0])
def test_features_enter_as_if_every_regression_were_fitted_again(drawn, growth):
    x, y, weights = drawn
    shares, prices = np.array([1.0, 0.5, 2.0]), np.linspace(0.5, 2, 12)
    found = entering(x, y, weights, 6, growth, shares, prices)
    assert found.tolist() == brute_force(x, y, weights, 6, growth, shares, prices)
    assert entering(x, y, weights, 6, growth).tolist() == brute_force(x, y, weights, 6, growth, np.ones(3), np.ones(12))


def test_the_order_does_not_depend_on_order_or_names(drawn):
    x, y, weights = drawn
    rows, columns = np.random.default_rng(1).permutation(40), np.random.default_rng(2).permutation(12)
    first = entering(x, y, weights, 5)
    again = entering(x[rows][:, columns], y[rows][:, ::-1], weights[rows], 5)
    assert columns[again].tolist() == first.tolist()


def test_a_second_copy_waits_where_the_penalty_is_small_and_enters_where_it_is_large():
    rng = np.random.default_rng(0)
    first, other = rng.normal(size=(2, 400))
    x = np.column_stack([first, first + 0.05 * rng.normal(size=400), other, rng.normal(size=400)])
    y = (first + 0.5 * other + 0.3 * rng.normal(size=400))[:, None]
    assert 2 in entering(x, y, np.ones(400), 2, 0.01)
    assert sorted(entering(x, y, np.ones(400), 2, 100.0)) == [0, 1]


def test_what_costs_nothing_enters_first_and_a_dear_feature_waits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 4))
    y = (x[:, 0] + 0.8 * x[:, 1] + 0.3 * x[:, 2])[:, None]
    assert entering(x, y, np.ones(100), 3, prices=np.ones(4)).tolist() == [0, 1, 2]
    assert entering(x, y, np.ones(100), 2, prices=np.array([100.0, 1.0, 0.0, 50.0])).tolist() == [2, 1]
