import numpy as np
import pytest

from mtlbio.probing.families import adjust, evidence_needed, firm, firm_level, outcome_level


def test_adjust_leaves_gaps_out():
    q = adjust(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(q[[0, 2, 3]], [0.03, 0.04, 0.04])
    assert np.isnan(q[1])


def test_firm_is_half_the_level():
    assert firm(0.025, 0.05) and not firm(0.026, 0.05) and not firm(np.nan, 0.05)


@pytest.mark.parametrize("dims, outcomes", [(1, 1), (10, 2), (40, 3)])
def test_the_largest_of_independent_sums_exceeds_what_is_needed_in_half_the_level(dims, outcomes):
    sums = np.random.default_rng(0).exponential(size=(40_000, dims, outcomes)).sum(axis=2)
    share = (sums.max(axis=1) >= evidence_needed(dims, outcomes)).mean()
    assert abs(share - 0.025) < 0.003


def test_the_level_of_one_outcome_is_what_the_others_leave_to_do():
    needed = evidence_needed(20, 1)
    assert np.isclose(firm_level(needed, 0.0, 1), 0.025 / 20), "one outcome: Bonferroni over the dimensions"
    assert firm_level(needed, 1.0, 2) > firm_level(needed, 0.0, 2)
    assert firm_level(needed, 50.0, 3) == outcome_level(3) == 0.025 and outcome_level(1) == outcome_level(2) == 0.05
