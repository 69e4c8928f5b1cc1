"""Neither the order of sites nor that of donors changes a bit, nor do masks."""

import numpy as np

from mtlbio.federation.rehearsal import federate
from tests.federation.planted_sites import NAMES, pooled, sites


def same(a, b):
    assert a.header["tasks"] == b.header["tasks"] and a.arrays.keys() == b.arrays.keys()
    for name, values in a.arrays.items():
        np.testing.assert_array_equal(values, b.arrays[name], err_msg=name)


def test_order_of_sites_changes_no_bit():
    rows, site = pooled()
    same(federate(sites(rows, site)), federate(sites(rows, site, order=NAMES[::-1])))


def test_masks_change_no_bit():
    rows, site = pooled()
    same(federate(sites(rows, site, masks=True)), federate(sites(rows, site, masks=False)))


def test_order_of_donors_changes_nothing_but_rounding():
    rows, site = pooled()
    order = np.random.default_rng(3).permutation(len(site))
    a, b = federate(sites(rows, site)), federate(sites(rows.of(order), site[order]))
    for name in ("sick", "dose", "death"):
        assert a.header["tasks"][name]["penalty"] == b.header["tasks"][name]["penalty"]
        np.testing.assert_allclose(a.arrays[f"slopes.{name}"], b.arrays[f"slopes.{name}"], rtol=1e-9, atol=1e-11)
