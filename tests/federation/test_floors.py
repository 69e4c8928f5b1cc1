"""No sum rests on few donors: small sites, classes and rare values."""

import numpy as np
import pytest

from mtlbio.errors import InputError
from mtlbio.federation.floors import folds_of, sides_of, without_rare
from mtlbio.federation.rehearsal import federate
from tests.federation.planted_sites import NAMES, pooled, sites

DONORS = np.array([f"d{i:02d}" for i in range(40)])


def test_rare_values_become_the_commonest():
    x = np.zeros((40, 4))
    x[:3, 0] = 1  # three donors
    x[:12, 1] = 1
    x[:, 2] = np.nan
    x[:4, 2] = [1, 2, 3, 4]  # known of four donors
    x[:, 3] = np.arange(40)
    changed, which = without_rare(x, DONORS, 10)
    assert which == [0, 2]
    assert not changed[:, 0].any() and np.isnan(changed[:, 2]).all()
    np.testing.assert_array_equal(changed[:, [1, 3]], x[:, [1, 3]])


def test_many_samples_of_few_donors_are_few():
    x = np.zeros((40, 1))
    x[:20, 0] = 1
    assert without_rare(x, np.repeat(["a", "b", "c", "d"], 10), 3)[1] == [0]


def test_sides_of_a_column_of_two_values_are_both():
    one, other = sides_of(np.array([0.0, 0, 1, np.nan]))
    assert one.tolist() == [False, False, True, False] and other.tolist() == [True, True, False, False]


def test_folds_leave_the_floor_everywhere():
    rng = np.random.default_rng(0)
    donors, code = np.repeat(np.arange(60).astype(str), 2), np.repeat(rng.random(60) < 0.4, 2).astype(int)
    x = np.column_stack([np.repeat(rng.random(60) < 0.5, 2), np.repeat(rng.normal(size=60), 2)]).astype(float)
    fold = folds_of(donors, code, x, 5, 5, "salt")
    assert fold.max() >= 1
    for k in range(fold.max() + 1):
        for side in (code == 0, code == 1, x[:, 0] == 0, x[:, 0] == 1):
            assert len(np.unique(donors[side & (fold == k)])) >= 5
    assert all(len(set(fold[donors == donor])) == 1 for donor in np.unique(donors))
    order = rng.permutation(120)
    np.testing.assert_array_equal(folds_of(donors[order], code[order], x[order], 5, 5, "salt"), fold[order])


def test_a_site_that_cannot_be_split_is_not():
    code = (np.arange(40) < 9).astype(int)  # nine sick: two folds would leave four
    assert (folds_of(DONORS, code, np.zeros((40, 1)), 5, 5, "salt") == -1).all()
    assert folds_of(DONORS, code, np.zeros((40, 1)), 5, 4, "salt").max() == 1


def test_a_site_below_the_floor_refuses_in_one_line():
    rows, site = pooled()
    few = np.flatnonzero((site != "gamma") | (np.cumsum(site == "gamma") <= 4))
    with pytest.raises(InputError, match="^site gamma: 4 donors; federation.floor is 5: nothing is sent$"):
        sites(rows.of(few), site[few])


def test_a_class_below_the_floor_refuses_in_one_line():
    rows, site = pooled()
    sick = np.flatnonzero((site == "beta") & (rows.y("sick") == 1))
    rows.obs.iloc[sick[4:], rows.obs.columns.get_loc("sick")] = "no"
    with pytest.raises(
        InputError, match="^site beta: tasks.sick: 4 donors of one class; federation.floor is 5: nothing is sent$"
    ):
        federate(sites(rows, site))


def test_a_column_that_tells_few_labelled_donors_refuses_in_one_line():
    rows, site = pooled()
    at = site == "alpha"
    carriers = np.flatnonzero(at)[:12]
    rows.x[at, 0] = 0.0
    rows.x[carriers, 0] = 1.0
    rows.obs.iloc[carriers[3:], rows.obs.columns.get_loc("dose")] = np.nan
    with pytest.raises(InputError, match="^site alpha: tasks.dose: column 'x0' tells [123] labelled donors from the"):
        federate(sites(rows, site, order=NAMES))


def test_donors_who_were_sampled_twice_count_once():
    rows, site = pooled()
    again = np.sort(np.concatenate([np.arange(len(site)), np.flatnonzero(site == "beta")]))
    once, twice = federate(sites(rows, site)), federate(sites(rows.of(again), site[again]))
    for name in ("dose", "sick"):
        np.testing.assert_allclose(once.arrays[f"slopes.{name}"], twice.arrays[f"slopes.{name}"], rtol=1e-9, atol=1e-11)
