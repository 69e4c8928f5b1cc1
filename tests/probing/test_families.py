import numpy as np

from mtlbio.probing.families import adjust


def test_adjust_leaves_gaps_out():
    q = adjust(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(q[[0, 2, 3]], [0.03, 0.04, 0.04])
    assert np.isnan(q[1])
