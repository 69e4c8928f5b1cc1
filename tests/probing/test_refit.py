"""Many ridge heads fitted at once are the heads that one would fit one by one."""

import numpy as np
import pytest

from mtlbio.probing import refit


@pytest.fixture
def cohort():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(90, 6)) * np.array([1, 2, 1, 0.1, 1, 1])
    y = (rng.random(90) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    donors = np.array([f"d{i % 45:02d}" for i in range(90)])
    return x, y, donors


def _newton(x, y, penalty):
    """One ridge logistic regression with free intercept, to machine precision."""
    design, ridge = np.column_stack([np.ones(len(x)), x]), penalty * np.diag([0.0, *[1.0] * x.shape[1]])
    beta = np.zeros(design.shape[1])
    for _ in range(200):
        p = 1 / (1 + np.exp(-design @ beta))
        step = np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]) + ridge, design.T @ (y - p) - ridge @ beta)
        beta = beta + step * min(1.0, 2.0 / np.abs(step).max())
    return beta


def test_batched_logistic_fits_are_those_of_one_at_a_time(cohort):
    x, y, _ = cohort
    rows = (np.random.default_rng(0).random((8, 90)) < 0.7).astype(float)
    penalties = np.array([0.3, 3.0, 30.0, 3000.0] * 2)
    found, hessian = refit._logistic(x, y, rows, penalties)
    for b, kept in enumerate(rows.astype(bool)):
        np.testing.assert_allclose(found[b], _newton(x[kept], y[kept], penalties[b]), atol=1e-8)
        alone, inverse = refit._fit(refit._logistic, x[kept], y[kept], penalties[b])
        np.testing.assert_allclose(found[b], alone, atol=1e-10)
        np.testing.assert_allclose(np.linalg.inv(hessian[b]), inverse, atol=1e-10)


def test_penalty_is_that_of_a_plain_loop_over_folds_of_donors(cohort):
    x, y, donors = cohort
    fold = np.unique(donors, return_inverse=True)[1] % 5
    design = np.column_stack([np.ones(len(x)), x])
    for target, logistic in ((y, True), (x[:, 1] + 3 * np.random.default_rng(1).normal(size=90), False)):
        losses = []
        for penalty in refit.PENALTIES:
            total = 0.0
            for f in range(5):
                fits = refit._logistic if logistic else refit._linear
                score = design[fold == f] @ refit._fit(fits, x[fold != f], target[fold != f], penalty)[0]
                signed = np.where(target[fold == f] == 1, -score, score)
                total += (np.logaddexp(0, signed) if logistic else np.square(target[fold == f] - score)).sum()
            losses.append(total)
        assert refit._choose(x, target, donors, logistic) == refit.PENALTIES[int(np.argmin(losses))]


def test_linear_fit_is_ridge_with_a_free_intercept(cohort):
    x, y, _ = cohort
    beta, inverse = refit._fit(refit._linear, x, y, 3.0)
    centred = x - x.mean(axis=0)
    slopes = np.linalg.solve(centred.T @ centred + 3 * np.eye(6), centred.T @ (y - y.mean()))
    np.testing.assert_allclose(beta, [y.mean() - x.mean(axis=0) @ slopes, *slopes], atol=1e-10)
    assert inverse.shape == (7, 7)
