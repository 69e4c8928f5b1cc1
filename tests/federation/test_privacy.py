"""Noise: how much of it epsilon and delta need, what a donor can move, and that it is added once."""

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import norm

from mtlbio.errors import InputError
from mtlbio.federation.heads import shared_head
from mtlbio.federation.merge import joined, without
from mtlbio.federation.privacy import (
    clipped,
    deviation_of,
    heads_from_products,
    noise,
    noise_of,
    part_of,
    products_of_parts,
)
from mtlbio.federation.rehearsal import federate
from mtlbio.federation.study import PENALTIES
from mtlbio.federation.wire import SUMS
from tests.federation.planted_sites import pooled, sites

rng = np.random.default_rng(0)


def private(epsilon, **changed):
    """The planted hospitals without times, and with noise."""
    rows, site = pooled()
    del rows.labels["death"]
    bounds = {f"x{j}": [-6.0, 6.0] for j in range(5)} | {"dose": [-4.0, 6.0]}
    privacy = {"epsilon": epsilon, "delta": 1e-5, "clip": 3.0, "releases": 1} | changed
    return sites(rows, site, privacy=privacy, bounds=bounds)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.3, 1e-5), (1.0, 1e-6), (8.0, 1e-3)])
def test_noise_is_the_least_that_epsilon_and_delta_allow(epsilon, delta):
    """delta is the mass by which one normal density exceeds e^epsilon times the other, moved by 1."""
    sigma = noise_of(epsilon, delta)

    def above(t):
        return max(norm.pdf(t, 1, sigma) - np.exp(epsilon) * norm.pdf(t, 0, sigma), 0.0)

    ends = 1 - 12 * sigma, 1 + 12 * sigma
    start = sigma**2 * epsilon + 0.5  # where the ratio is e^epsilon
    assert integrate.quad(above, max(ends[0], start), ends[1], epsabs=1e-13)[0] == pytest.approx(delta, rel=1e-4)
    assert noise_of(epsilon, delta, 9) == pytest.approx(3 * sigma)


def test_no_donor_moves_the_sums_by_more_than_the_noise_is_made_for():
    options = {"privacy": {"epsilon": 1.0, "delta": 1e-5, "clip": 2.0, "releases": 1}, "tasks": {"a": "", "b": ""}}
    reach = deviation_of(options) / noise_of(1.0, 1e-5)
    donors = np.repeat(np.arange(30), rng.integers(1, 4, 30)).astype(str)
    weights = 1 / np.array([(donors == d).sum() for d in donors])
    x, part = clipped(rng.normal(size=(len(donors), 4)) * 10, 2.0), part_of(donors, 3, "s")
    ys = [rng.choice([-1.0, 1.0], len(donors)), rng.normal(size=len(donors)) * 9]

    def sums(rows):
        return np.array([products_of_parts(x[rows], y[rows], weights[rows], part[rows], 3) for y in ys])

    whole, moved = sums(slice(None)), []
    for donor in np.unique(donors):
        change = whole - sums(donors != donor)
        assert (np.abs(change).sum(axis=(0, 2, 3)) > 0).sum() == 1  # of one part only
        moved.append(np.sqrt(np.square(change).sum()))
    assert 0.9 * reach < max(moved) <= reach * (1 + 1e-12)


def test_a_clipped_row_keeps_its_direction():
    x = rng.normal(size=(50, 3)) * 4
    short = clipped(x, 2.0)
    assert np.sqrt(np.square(short).sum(axis=1)).max() <= 2 + 1e-12
    np.testing.assert_allclose(short / np.linalg.norm(short, axis=1)[:, None], x / np.linalg.norm(x, axis=1)[:, None])
    inside = np.linalg.norm(x, axis=1) <= 2
    np.testing.assert_array_equal(short[inside], x[inside])


def test_noise_is_of_the_key_and_the_question_and_of_the_size_that_is_said():
    a, again, other = (noise(b"k", text, 3, 40, 2.5) for text in ("q", "q", "r"))
    np.testing.assert_array_equal(a, again)
    np.testing.assert_array_equal(a, np.swapaxes(a, 1, 2))
    assert (a != other).all() and (a != noise(b"l", "q", 3, 40, 2.5)).all()
    assert np.concatenate([part[np.triu_indices(40)] for part in a]).std() == pytest.approx(2.5, rel=0.05)


def test_without_noise_the_heads_are_the_ridge_of_clipped_rows():
    n, parts = 200, 4
    x, y, part = clipped(rng.normal(size=(n, 5)), 2.0), np.clip(rng.normal(size=n), -1, 1), np.arange(n) % 4
    heads, place = heads_from_products(products_of_parts(x, y, np.ones(n), part, parts), PENALTIES, 0.0)
    full, losses = np.column_stack([np.ones(n), x]), []

    def fit(inside, penalty):
        free = np.diag(np.append(0.0, np.full(5, penalty * inside.sum())))
        return np.linalg.solve(full[inside].T @ full[inside] + free, full[inside].T @ y[inside])

    for penalty in PENALTIES:
        losses.append(sum(np.square(y - full @ fit(part != k, penalty))[part == k].sum() for k in range(parts)))
    assert place == int(np.argmin(losses))
    for k in range(parts + 1):
        expected = fit(part != k - 1 if k else np.ones(n, dtype=bool), PENALTIES[place])
        np.testing.assert_allclose(heads[k], expected, rtol=1e-9, atol=1e-12)


def test_less_privacy_is_nearer_to_no_noise():
    near = []
    for epsilon in (1.0, 30.0, 1000.0):
        parts = private(epsilon)
        state, found = federate(parts), []
        for part in parts:
            x, its = part.latents(state), part.labelled["dose"]
            found.append(np.corrcoef(shared_head(part, state, "dose").predict(x[its.rows]), its.y)[0, 1])
        near.append(np.mean(found))
    assert near[2] > 0.3 and near[2] > near[0]


def test_one_message_leaves_and_it_is_noisy():
    parts, seen = private(1.0), []
    state = federate(parts, lambda update, state: seen.append((update, state)))
    names = {name.partition(".")[0] for update, _ in seen for name in update.arrays}
    assert names == {"private"} and names <= SUMS.keys() and state.header["stage"] == "done"
    asked = next(state for _, state in seen if state)
    sums, deviation = parts[0].sums(asked)["private.sick"], deviation_of(parts[0].options)
    its = parts[0].labelled["sick"]
    x = clipped(parts[0].latents(asked)[its.rows], 3.0)
    exact = products_of_parts(x, 2 * its.y - 1, its.weights, its.fold, 3)
    added = np.concatenate([part[np.triu_indices(len(part))] for part in sums - exact])
    assert added.std() == pytest.approx(deviation, rel=0.25) and np.abs(added).min() > 0


def test_a_study_is_not_begun_more_often_than_it_has_paid_for():
    parts = private(1.0)
    state = without(joined([part.join() for part in parts]), ["gamma"])
    with pytest.raises(InputError, match="^site alpha: attempt 2; federation.privacy.releases is 1: nothing is sent$"):
        parts[0].update(state)
    twice = private(1.0, releases=2)
    state = without(joined([part.join() for part in twice]), ["gamma"])
    assert twice[0].update(state).arrays.keys() == {"private.dose", "private.sick"}
    assert deviation_of(twice[0].options) == pytest.approx(np.sqrt(2) * deviation_of(parts[0].options))
