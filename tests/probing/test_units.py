import numpy as np

from mtlbio.probing.units import label_units, sample_units


def test_repeated_visits_in_one_state_add_no_units():
    donors = np.array(["a", "a", "a", "b", "b", "c"])
    y = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    units = label_units(donors, y, False, np.ones(6, bool))
    assert len(units) == 4 and units.donors == 3 and units.clustered and not units.within
    np.testing.assert_array_equal(units.y, [0, 1, 0, 1])
    np.testing.assert_array_equal(units.cluster, [0, 0, 1, 2])


def test_paired_design_is_compared_within_donors():
    donors = np.repeat([f"d{i}" for i in range(8)], 2)
    units = label_units(donors, np.tile([0.0, 1.0], 8), False, np.ones(16, bool))
    assert units.within and len(units) == 16
    assert np.allclose(units.centre(np.arange(32.0).reshape(16, 2)).reshape(8, 2, 2).sum(axis=1), 0)


def test_class_codes_survive_averaging_over_many_visits():
    donors = np.repeat(["a", "b"], [7, 3])
    units = label_units(donors, np.repeat([1.0, 0.0], [7, 3]), False, np.ones(10, bool))
    assert set(units.y) == {0.0, 1.0}


def test_a_number_that_changes_is_averaged_over_labelled_samples():
    units = label_units(np.array(["a", "a", "b"]), np.array([1.0, np.nan, 4.0]), True, np.ones(3, bool))
    np.testing.assert_allclose(units.y, [1.0, 4.0])
    assert units.mask.tolist() == [True, False, True]


def test_samples_are_sorted_by_donor():
    units = sample_units(np.array(["b", "a", "b", "a"]), np.ones(4, bool))
    np.testing.assert_array_equal(units.cluster, [0, 0, 1, 1])
    np.testing.assert_allclose(units.mean(np.array([1.0, 2.0, 3.0, 4.0])), [2, 4, 1, 3])
