import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.shares import share
from mtlbio.probing.units import donor_units, sample_units


def given_nothing(units):
    n = len(units)
    if units.within:
        return Nuisance(np.zeros((n, 0)), np.zeros(n, int), (), units.donors)
    return Nuisance(np.full((n, 1), n**-0.5), np.zeros(n, int), ())


def independent(n):
    return donor_units(np.array([f"d{i:04d}" for i in range(n)]), np.ones(n, bool))


def test_orthogonal_design_gives_epsilon_squared():
    rng = np.random.default_rng(0)
    level = np.repeat(np.arange(4), 15)
    z = rng.normal(size=(60, 2)) + np.array([0, 0.5, 1, 2])[level][:, None] * [1, 0]
    units = independent(60)
    shares = share(z, np.eye(4)[level], True, given_nothing(units), units)
    fit = smf.ols("z ~ C(level)", pd.DataFrame({"z": z[:, 0], "level": level})).fit()
    np.testing.assert_allclose(shares[0], fit.rsquared_adj, rtol=1e-9)  # epsilon squared is the adjusted R2


def test_a_hundred_levels_win_nothing_by_counting():
    rng = np.random.default_rng(1)
    level = rng.integers(0, 100, 400)
    units = independent(400)
    shares = share(rng.normal(size=(400, 50)), np.eye(100)[level], True, given_nothing(units), units)
    assert shares.mean() < 0.03 and shares.max() < 0.2


def test_chips_that_nest_donors_get_nothing_from_the_donors():
    rng = np.random.default_rng(2)
    donors = np.repeat(np.arange(150), 5)
    home = rng.integers(0, 60, 150)[donors]
    chip = np.where(rng.random(750) < 0.6, home, rng.integers(0, 60, 750))
    person = rng.normal(size=(150, 40))[donors]
    z = np.column_stack([person + 0.3 * rng.normal(size=(750, 40)), rng.normal(size=(60, 10))[chip]])
    z[:, 40:] += 0.5 * rng.normal(size=(750, 10))
    units = sample_units(np.array([f"d{d:03d}" for d in donors]), np.ones(750, bool))
    shares = share(units.mean(z), units.mean(np.eye(60)[chip]), True, given_nothing(units), units)
    assert shares[:40].mean() < 0.02
    np.testing.assert_allclose(shares[40:].mean(), 0.8, atol=0.06)


def test_share_does_not_shrink_when_the_covariate_goes_with_the_nuisance():
    rng = np.random.default_rng(3)
    n = 4000
    disease = rng.integers(0, 2, n)
    batch = np.where(rng.random(n) < 0.85, disease, 1 - disease)
    z = (2 * batch - 1)[:, None] * np.sqrt(0.9) + np.sqrt(0.1) * rng.normal(size=(n, 1))
    units = independent(n)
    given = Nuisance(orthonormal(np.column_stack([np.ones(n), disease])), np.zeros(n, int), ())
    np.testing.assert_allclose(share(z, np.eye(2)[batch], True, given, units), 0.9, atol=0.02)
    np.testing.assert_allclose(share(z, batch[:, None].astype(float), False, given, units), 0.9, atol=0.02)


def test_what_is_aliased_has_no_share():
    units = independent(50)
    x = np.random.default_rng(0).normal(size=(50, 1))
    given = Nuisance(orthonormal(np.column_stack([np.ones(50), x])), np.zeros(50, int), ())
    assert np.isnan(share(x, x, False, given, units)).all()


def test_levels_that_go_with_the_disease_are_not_exchangeable():
    """Four batches of which two hold most cases: as a variance component a pure batch dimension got a share of .55."""
    rng = np.random.default_rng(4)
    n = 4000
    disease = rng.integers(0, 2, n)
    half = np.where(rng.random(n) < 0.85, disease, 1 - disease)
    level = 2 * half + rng.integers(0, 2, n)
    z = np.linspace(-1.3, 1.3, 4)[level][:, None] + 0.3 * rng.normal(size=(n, 1))
    units = independent(n)
    given = Nuisance(orthonormal(np.column_stack([np.ones(n), disease])), np.zeros(n, int), ())
    expected = 1 - 0.09 / z.var()
    np.testing.assert_allclose(share(z, np.eye(4)[level], True, given, units), expected, atol=0.02)
