"""How far samples lie from the training samples."""

import numpy as np
import pytest

from mtlbio.training.new_samples.departure import MOST, departures, joined

MEAN, SCALE = np.linspace(2, 12, 50), np.full(50, 0.5)


def test_another_logarithm_is_a_slope_and_a_constant_is_a_shift():
    found = departures(np.stack([MEAN * 0.3, MEAN + 1.0, MEAN]), MEAN, SCALE)
    np.testing.assert_allclose(found.slope, [0.3, 1.0, 1.0])
    np.testing.assert_allclose(found.shift[1:], [2.0, 0.0])
    np.testing.assert_allclose(found.distance[1:], [2.0, 0.0])
    np.testing.assert_allclose(found.agreement, 1.0)


def test_one_odd_gene_makes_no_odd_sample():
    row = MEAN.copy()
    row[0] = 1e6
    assert departures(row[None], MEAN, SCALE).distance[0] == pytest.approx(MOST / np.sqrt(50))


def test_missing_genes_take_no_part_and_an_empty_sample_has_no_distance():
    row = np.where(np.arange(50) < 25, MEAN + 0.5, np.nan)
    found = departures(np.stack([row, np.full(50, np.nan)]), MEAN, SCALE)
    assert found.distance[0] == pytest.approx(1.0) and np.isnan(found.distance[1]) and np.isnan(found.slope[1])


def test_z_scores_have_no_slope():
    found = departures(np.ones((2, 50)), np.zeros(50), np.ones(50))
    assert np.isnan(found.slope).all() and found.distance.tolist() == [1.0, 1.0]


def test_values_that_are_all_the_same_are_tied():
    found = departures(np.stack([np.zeros(50), MEAN]), MEAN, SCALE)
    np.testing.assert_allclose(found.tied, [1.0, 0.02])
    assert found.slope[0] == 0 and joined([found, found]).tied.shape == (4,)
