import numpy as np

from mtlbio.probing.families import adjust, firm, firm_level


def test_adjust_leaves_gaps_out():
    q = adjust(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(q[[0, 2, 3]], [0.03, 0.04, 0.04])
    assert np.isnan(q[1])


def test_a_single_test_is_firm_at_half_the_level_shared_out():
    assert firm_level(20) == 0.00125 and firm_level(0, 0.1) == 0.05
    assert firm(0.025, 0.05) and not firm(0.026, 0.05) and not firm(np.nan, 0.05)
