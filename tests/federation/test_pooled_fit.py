"""Sums of sites give the fit of the pooled data, to 1e-8; the pooled fits are written out here from rows."""

import numpy as np
import pytest
from scipy.special import expit

from mtlbio.federation.heads import predictions_of, shared_head
from mtlbio.federation.rehearsal import federate
from mtlbio.federation.study import PENALTIES
from mtlbio.labels.cox import fit_cox
from mtlbio.model.axes import sparse_axes
from mtlbio.model.rotation import principal_components, rotated_start
from tests.federation.planted_sites import pooled, sites

CLOSE = {"rtol": 1e-8, "atol": 1e-8}


class Together:
    """The pooled rows in the order of the sites, with the folds that the sites drew."""

    def __init__(self, parts, own=True):
        x = np.concatenate([part.x for part in parts])
        self.mean, self.scale = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
        self.x = np.nan_to_num((x - self.mean) / self.scale)
        self.site = np.repeat(np.arange(len(parts)), [len(part.x) for part in parts])
        self.parts, self.own = parts, own

    def task(self, name, k):
        """Columns of the sites, x, y of the donors who train set k, and of those held out."""
        y = np.concatenate([part.whole.y(name) for part in self.parts])
        fold = np.full(len(y), -2)
        start = np.cumsum([0, *(len(part.x) for part in self.parts)])
        for part, first in zip(self.parts, start, strict=False):
            fold[part.labelled[name].rows + first] = part.labelled[name].fold
        inside = (fold > -2) & (fold != k - 1 if k else True)
        return y, inside, (fold == k - 1) & (k > 0)

    @property
    def level(self):
        """Indicators of sites, or one column of 1."""
        return np.eye(len(self.parts))[self.site] if self.own else np.ones((len(self.x), 1))


def ridge(x, level, y, penalty):
    """Slopes with free intercepts."""
    full = np.column_stack([level, x])
    free = np.append(np.zeros(level.shape[1]), np.full(x.shape[1], penalty * len(y)))
    return np.linalg.solve(full.T @ full + np.diag(free), full.T @ y)


def logistic(x, level, y, penalty):
    full = np.column_stack([level, x])
    free = np.append(np.zeros(level.shape[1]), np.full(x.shape[1], penalty * len(y)))
    beta = np.zeros(full.shape[1])
    for _ in range(60):
        p = expit(full @ beta)
        beta = beta - np.linalg.solve(
            full.T @ ((p * (1 - p))[:, None] * full) + np.diag(free), full.T @ (p - y) + free * beta
        )
    return beta


def chosen(together, name, fit, loss):
    """Coefficients of every set of donors with the penalty of the least held-out loss."""
    total = np.square(together.x).sum() / len(together.x)
    losses, found = np.zeros(len(PENALTIES)), []
    for penalty in PENALTIES * total:
        betas = []
        for k in range(4):
            y, inside, out = together.task(name, k)
            betas.append(fit(together.x[inside], together.level[inside], y[inside], penalty))
            if out.any():
                losses[len(found)] += loss(y[out], np.column_stack([together.level, together.x])[out] @ betas[-1])
        found.append(betas)
    return PENALTIES[losses.argmin()], np.array(found[losses.argmin()])


@pytest.fixture(scope="module")
def study():
    rows, site = pooled()
    parts = sites(rows, site)
    return parts, federate(parts)


def test_sites_are_split_and_differ(study):
    parts, _ = study
    assert {part.labelled["sick"].fold.max() for part in parts} == {1, 2}  # two folds at one, three at the others
    assert len({len(part.x) for part in parts}) == 3


def test_means_and_scales_are_those_of_the_pooled_donors(study):
    parts, state = study
    together = Together(parts)
    np.testing.assert_allclose(state.arrays["mean"], together.mean, rtol=1e-12)
    np.testing.assert_allclose(state.arrays["scale"], together.scale, rtol=1e-12)


def test_ridge_is_the_pooled_ridge(study):
    parts, state = study
    penalty, slopes = chosen(Together(parts), "dose", ridge, lambda y, eta: np.square(y - eta).sum())
    assert state.header["tasks"]["dose"]["penalty"] == penalty
    np.testing.assert_allclose(state.arrays["slopes.dose"], slopes[:, 3:], **CLOSE)
    levels = [shared_head(part, state, "dose").intercept for part in parts]
    np.testing.assert_allclose(levels, slopes[0, :3], **CLOSE)


def test_logistic_ridge_is_the_pooled_one(study):
    parts, state = study
    penalty, slopes = chosen(Together(parts), "sick", logistic, lambda y, eta: (np.logaddexp(0, eta) - y * eta).sum())
    assert state.header["tasks"]["sick"]["penalty"] == penalty
    np.testing.assert_allclose(state.arrays["slopes.sick"], slopes[:, 3:], **CLOSE)
    levels = [shared_head(part, state, "sick").intercept for part in parts]
    np.testing.assert_allclose(levels, slopes[0, :3], **CLOSE)


def test_cox_is_the_pooled_one_with_sites_as_strata(study):
    parts, state = study
    together, times = Together(parts), parts[0].whole.labels["death"].follow_up
    total = np.square(together.x).sum() / len(together.x)

    def fit(k, penalty):
        y, inside, _ = together.task("death", k)
        time, event, *_ = times(y[inside])
        x = together.x[inside]
        ridge = penalty / np.square(x.std(axis=0))
        return fit_cox(x, time, event, strata=together.site[inside], ridge=ridge)

    losses = []
    for penalty in PENALTIES * total:
        gain = 0.0
        for k in range(1, 4):
            found, whole = fit(k, penalty), fit(0, penalty)
            at = whole.sets.at(whole.x, whole.x @ found.coefficients).loglik
            gain += at - found.loglik
        losses.append(-gain)
    place = int(np.argmin(losses))
    assert state.header["tasks"]["death"]["penalty"] == PENALTIES[place]
    for k in range(4):
        expected = fit(k, (PENALTIES * total)[place])
        assert expected.converged
        np.testing.assert_allclose(state.arrays["slopes.death"][k], expected.coefficients, **CLOSE)


def test_one_intercept_for_all_is_the_pooled_fit_without_sites():
    rows, site = pooled()
    parts = sites(rows, site, intercept="shared")
    state = federate(parts)
    for name, fit in (("dose", ridge), ("sick", logistic)):
        together = Together(parts, own=False)
        y, inside, _ = together.task(name, 0)
        total = np.square(together.x).sum() / len(together.x)
        penalty = state.header["tasks"][name]["penalty"] * total
        expected = fit(together.x[inside], together.level[inside], y[inside], penalty)
        np.testing.assert_allclose(state.arrays[f"slopes.{name}"][0], expected, **CLOSE)


@pytest.mark.parametrize("trunk", ["pca", "sparse"])
def test_axes_are_those_of_the_pooled_rows(trunk):
    rows, site = pooled(p=12)
    parts = sites(rows, site, trunk=trunk)
    state, together = federate(parts), Together(parts)
    z = together.x @ state.arrays["trunk"]
    if trunk == "pca":
        scores, _ = principal_components(together.x, 4)
        np.testing.assert_allclose(z / np.sqrt(np.square(z).mean(axis=0)), scores, **CLOSE)
        np.testing.assert_allclose(state.arrays["trunk"].T @ state.arrays["trunk"], np.eye(4), atol=1e-12)
    else:
        expected = sparse_axes(together.x, rotated_start(together.x, 4), 0.5)
        assert expected.n_axes > 1
        np.testing.assert_allclose(state.arrays["trunk"], expected.encoder, **CLOSE)
    y, inside, _ = together.task("dose", 0)
    penalty = state.header["tasks"]["dose"]["penalty"] * np.square(z).sum() / len(z)
    expected = ridge(z[inside], together.level[inside], y[inside], penalty)
    np.testing.assert_allclose(state.arrays["slopes.dose"][0], expected[3:], **CLOSE)


def test_donors_are_predicted_by_heads_that_have_not_seen_them(study):
    parts, state = study
    for part in parts:
        predicted, fold = predictions_of(part, state, "sick", "federated_shared")
        x = part.read_by_heads(state)
        for k in range(3):
            expected = shared_head(part, state, "sick", k + 1).predict(x)
            np.testing.assert_array_equal(predicted[fold == k], expected[fold == k])
        assert (fold == -2).sum() == np.isnan(part.whole.y("sick")).sum()
