"""Cox models against statsmodels and against plain loops over the risk sets."""

import numpy as np
import pytest
from statsmodels.duration.hazard_regression import PHReg

from mtlbio.labels.cox import Cox, fit_cox
from mtlbio.probing.design import spline

BETA = np.array([0.5, -0.3, 0.0])


def cohort(seed: int, n: int = 150, ties: bool = False, entry: bool = False, strata: bool = False):
    """Columns, and the keywords of ``fit_cox``. With ties, times are eighths, and entries lie between them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    dies, leaves = rng.exponential(1 / np.exp(x @ BETA)), rng.exponential(2, n)
    time, event = np.minimum(dies, leaves) + 0.05, dies <= leaves
    late = time * rng.uniform(0, 0.6, n)
    if ties:
        late = np.maximum(np.floor(late * 8) - 0.5, 0) / 8
        time = np.ceil(time * 8) / 8
    more = {"entry": late} if entry else {}
    return x, time, event, more | ({"strata": rng.integers(0, 3, n)} if strata else {})


def plain(x, time, event, entry=None, strata=None, weights=None):
    """Loglik as a function of the coefficients, and the cumulative hazard of donors who have ``x`` 0, by loops."""
    n = len(time)
    entry = np.full(n, -np.inf) if entry is None else entry
    strata = np.zeros(n) if strata is None else strata
    weights = np.ones(n) if weights is None else weights

    def value(beta, own=False):
        risk, total, expected = np.exp(x @ beta), 0.0, np.zeros(n)
        for s, t in {(s, t) for s, t, e in zip(strata, time, event, strict=True) if e}:
            there = (strata == s) & (entry < t) & (time >= t)
            dead = there & (time == t) & event.astype(bool)
            d = dead.sum()
            total += (weights * (x @ beta))[dead].sum()
            for k in range(d):
                seen = (weights * risk)[there].sum() - k / d * (weights * risk)[dead].sum()
                mean = weights[dead].mean()
                total -= mean * np.log(seen)
                expected += mean / seen * (there - k / d * dead)
        return expected if own else total

    return value


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("entry", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_equals_statsmodels(ties, entry, strata):
    x, time, event, more = cohort(1, ties=ties, entry=entry, strata=strata)
    fit = fit_cox(x, time, event, **more)
    model = PHReg(time, x, status=event.astype(int), ties="efron", **more)
    other = model.fit()
    np.testing.assert_allclose(fit.coefficients, other.params, atol=1e-6)
    np.testing.assert_allclose(fit.loglik, model.loglike(other.params), atol=1e-6)
    np.testing.assert_allclose(fit.information, -model.hessian(other.params), rtol=1e-6, atol=1e-6)
    assert fit.converged and fit.events == event.sum() and fit.loglik > fit.null


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("entry", [False, True])
def test_residuals_and_baseline_equal_statsmodels_without_ties(entry, strata):
    """What is called cumulative hazard there is that just before each event, and its residuals lack the own event."""
    x, time, event, more = cohort(2, entry=entry, strata=strata)
    fit = fit_cox(x, time, event, **more)
    other = PHReg(time, x, status=event.astype(int), ties="efron", **more).fit()
    rows, residuals = fit.schoenfeld()
    np.testing.assert_allclose(residuals, other.schoenfeld_residuals[rows], atol=1e-6)
    for (times, hazard), (theirs, before, _) in zip(
        fit.baseline().values(), other.baseline_cumulative_hazard, strict=True
    ):
        np.testing.assert_array_equal(times, theirs)
        np.testing.assert_allclose(np.concatenate([[0], hazard[:-1]]), before, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("entry", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_equals_loops_over_risk_sets(ties, entry, weighted):
    x, time, event, more = cohort(3, n=60, ties=ties, entry=entry, strata=True)
    if weighted:
        more["weights"] = np.random.default_rng(0).integers(0, 4, 60).astype(float)
        event = event & (more["weights"] > 0)  # the loops know no event that does not count
    fit = fit_cox(x, time, event, **more)
    value = plain(x, time, event, **more)
    at, step = fit.coefficients, 1e-4 * np.eye(3)
    np.testing.assert_allclose(fit.loglik, value(at), rtol=1e-12)
    np.testing.assert_allclose(fit.null, value(0 * at), rtol=1e-12)
    slopes = [(value(at + s) - value(at - s)) / 2e-4 for s in step]
    np.testing.assert_allclose(slopes, 0, atol=1e-5)
    curves = [
        [(value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b)) / 4e-8 for b in step]
        for a in step
    ]
    np.testing.assert_allclose(fit.information, -np.array(curves), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(fit.martingale(), event - np.exp(x @ at) * value(at, own=True), atol=1e-10)


def test_columns_see_no_martingale_residual_of_their_own_model():
    x, time, event, more = cohort(4, ties=True, entry=True, strata=True)
    residual = fit_cox(x, time, event, **more).martingale()
    np.testing.assert_allclose(x.T @ residual, 0, atol=1e-6)
    np.testing.assert_allclose(np.bincount(more["strata"], residual), 0, atol=1e-10)
    assert residual.max() < 1


def test_without_columns_the_hazard_is_that_of_nelson_and_aalen():
    fit = fit_cox(np.empty((4, 0)), [1, 2, 3, 4], [1, 0, 1, 1])
    times, hazard = fit.baseline()[0]
    assert times.tolist() == [1, 3, 4]
    np.testing.assert_allclose(hazard, np.cumsum([1 / 4, 1 / 2, 1]))
    np.testing.assert_allclose(fit.martingale(), [1 - 1 / 4, -1 / 4, 1 - 3 / 4, 1 - 7 / 4])


def test_order_unit_and_scale_do_not_matter():
    x, time, event, more = cohort(5, ties=True, entry=True, strata=True)
    fit, order = fit_cox(x, time, event, **more), np.random.default_rng(1).permutation(len(x))
    moved = fit_cox(x[order], time[order], event[order], **{k: v[order] for k, v in more.items()})
    np.testing.assert_allclose(moved.coefficients, fit.coefficients, rtol=1e-9)
    np.testing.assert_allclose(moved.martingale(), fit.martingale()[order], atol=1e-10)
    days = more | {"entry": more["entry"] * 32}
    np.testing.assert_allclose(fit_cox(x, time * 32, event, **days).coefficients, fit.coefficients, rtol=1e-12)
    stretched = fit_cox(7 + 1e5 * x, time, event, **more)
    np.testing.assert_allclose(stretched.coefficients * 1e5, fit.coefficients, rtol=1e-6)
    np.testing.assert_allclose(stretched.se * 1e5, fit.se, rtol=1e-6)


def test_an_entry_before_all_times_is_none():
    x, time, event, _ = cohort(5, ties=True)
    fit, whole = fit_cox(x, time, event, np.full(len(x), -np.inf)), fit_cox(x, time, event)
    np.testing.assert_allclose(fit.coefficients, whole.coefficients, rtol=1e-12)


def test_score_residuals_sum_to_the_score_and_to_differences_of_the_fit():
    x, time, event, more = cohort(5, n=400, ties=True, entry=True, strata=True)
    fit = fit_cox(x, time, event, **more)
    each = fit.score_residuals()
    np.testing.assert_allclose(each.sum(axis=0), 0, atol=1e-6)
    moved = each @ fit.covariance
    for i in (0, 7, 100, 399):
        rest = np.arange(len(x)) != i
        without = fit_cox(x[rest], time[rest], event[rest], **{k: v[rest] for k, v in more.items()})
        np.testing.assert_allclose(fit.coefficients - without.coefficients, moved[i], atol=2e-3)


def test_score_residuals_equal_statsmodels_without_ties():
    x, time, event, more = cohort(6, entry=True, strata=True)
    fit = fit_cox(x, time, event, **more)
    other = PHReg(time, x, status=event.astype(int), ties="breslow", **more).fit()
    known = ~np.isnan(other.score_residuals).any(axis=1)
    np.testing.assert_allclose(fit.score_residuals()[known], other.score_residuals[known], atol=1e-6)


def test_a_donor_of_weight_two_without_ties_of_events_is_two_censored_donors():
    x, time, event, _ = cohort(6, n=80)
    weights = np.where(event, 1, 2)
    twice = np.concatenate([np.arange(80), np.flatnonzero(~event)])
    weighted = fit_cox(x, time, event, weights=weights)
    np.testing.assert_allclose(weighted.coefficients, fit_cox(x[twice], time[twice], event[twice]).coefficients)


def test_splines_on_any_scale_converge():
    rng = np.random.default_rng(7)
    age = rng.uniform(20, 90, 200)
    time = rng.exponential(1 / np.exp(((age - 55) / 20) ** 2))
    scaled, unscaled = spline(age, 4), np.column_stack([age, age**2, age**3, np.clip(age - 55, 0, None) ** 3])
    fit, raw = fit_cox(scaled, time, np.ones(200)), fit_cox(unscaled, time, np.ones(200))
    assert fit.converged and raw.converged
    assert abs(fit.loglik - fit_cox(scaled @ np.triu(np.ones((4, 4))), time, np.ones(200)).loglik) < 1e-6
    tests = [np.corrcoef(f.x @ f.coefficients, ((age - 55) / 20) ** 2)[0, 1] for f in (fit, raw)]
    assert min(tests) > 0.95


def test_columns_that_say_the_same_and_hazards_that_separate_do_not_run_away():
    x, time, event, _ = cohort(8)
    fit, twice = fit_cox(x, time, event), fit_cox(np.column_stack([x, x[:, 0]]), time, event)
    assert abs(twice.loglik - fit.loglik) < 1e-6 and twice.converged
    np.testing.assert_allclose(twice.coefficients[[0, 3]], fit.coefficients[0] / 2, atol=1e-4)
    apart = fit_cox(np.arange(20.0)[:, None], np.arange(20.0, 0, -1), np.ones(20))
    assert apart.converged and np.isfinite(apart.coefficients).all() and apart.loglik > -1e-3


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"event": np.zeros(4)}, "at least one event"),
        ({"event": np.full(4, 2)}, "event holds something else than 0 and 1"),
        ({"time": np.array([1, 2, np.nan, 3])}, r"time has 1 value\(s\) that are missing"),
        ({"entry": np.array([0, 0, 3, 0])}, r"entry is not before time in 1 row\(s\)"),
        ({"weights": np.array([1, 1, -1, 1])}, "weights hold a number below 0"),
        ({"x": np.zeros((3, 1))}, "x is of 3 donors, time of 4"),
        ({"x": np.zeros(4)}, "x has 1 dimension"),
    ],
)
def test_what_cannot_be_fitted_is_said(change, line):
    given = {"x": np.arange(4.0)[:, None], "time": np.array([1.0, 2, 3, 4]), "event": np.ones(4)}
    with pytest.raises(ValueError, match=line):
        fit_cox(**given | change)


def test_many_donors_take_a_moment():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(20_000, 5))
    time = np.round(rng.exponential(1 / np.exp(0.3 * x[:, 0])), 3)
    fit: Cox = fit_cox(x, time, rng.random(20_000) < 0.5, strata=rng.integers(0, 50, 20_000))
    assert abs(fit.coefficients[0] - 0.3) < 4 * fit.se[0] and fit.se[0] < 0.02
