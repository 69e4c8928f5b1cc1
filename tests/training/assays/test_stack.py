"""Shares of several assays' networks: an assay that says nothing takes nothing, and mixing has to be seen."""

import numpy as np
import pytest

from mtlbio.labels import Regression
from mtlbio.training.assays.stack import mixed
from mtlbio.training.stacking import mix

TASK = Regression("age")


@pytest.fixture(scope="module")
def seen():
    """Outputs (networks, n, 1) of a network that knows, of one that does not, and of one of both; the truth."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=40)
    knows, nothing = truth + 0.8 * rng.normal(size=40), rng.normal(size=40)
    return np.stack([0.6 * knows, 0.1 * nothing, 0.5 * knows + 0.1 * nothing])[:, :, None], truth


def test_an_assay_that_says_nothing_takes_nothing(seen):
    outputs, truth = seen
    weights, equal = mixed(TASK, outputs, truth, 1.0, alone=2), mix(TASK, outputs, truth)
    assert weights.shares[0] > 2 * weights.shares[1:].sum() and weights.shares[1] < 0.1 < equal.shares[1]
    few = mixed(TASK, outputs[:, :20], truth[:20], 1.0, alone=2)  # which of them knows is then a matter of chance
    assert few.shares.tolist() == mix(TASK, outputs[:, :20], truth[:20]).shares.tolist()


def test_what_is_won_by_mixing_is_seen_with_many_donors():
    rng = np.random.default_rng(1)
    parts = rng.normal(size=(2, 4000))
    both = np.stack([parts[0], parts[1], 0.9 * parts.sum(axis=0) + rng.normal(size=4000)])[:, :, None]
    weights = mixed(TASK, both, parts.sum(axis=0) + rng.normal(size=4000), 1.0, alone=2)
    np.testing.assert_allclose(weights.shares, [1, 1, 0], atol=0.06)


def test_without_labels_shares_are_equal_and_a_lone_network_is_taken_as_it_is(seen):
    outputs, _ = seen
    np.testing.assert_allclose(mixed(TASK, outputs[:, :0], np.zeros(0), 1.0, alone=2).shares, 1 / 3)
    lone = mixed(TASK, outputs[:1], np.zeros(40), 1.0, alone=1)
    assert lone.shares.tolist() == [1.0] and lone.bias.tolist() == [0.0]
