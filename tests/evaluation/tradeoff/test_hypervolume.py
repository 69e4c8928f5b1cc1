"""Volumes, undominated points and knees of fronts that can be worked out by hand."""

from itertools import product

import numpy as np
import pytest

from mtlbio.errors import InputError
from mtlbio.evaluation.tradeoff.hypervolume import hypervolume, knee, undominated
from mtlbio.evaluation.tradeoff.simplex import preferences_of


def by_inclusion(points):
    """Inclusion and exclusion over all sets of boxes."""
    total = 0.0
    for chosen in product([False, True], repeat=len(points)):
        if any(chosen):
            total += (-1) ** (sum(chosen) + 1) * points[np.array(chosen)].min(axis=0).prod()
    return total


@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
def test_the_volume_is_that_of_inclusion_and_exclusion(tasks):
    points = np.random.default_rng(tasks).random((6, tasks))
    assert hypervolume(points) == pytest.approx(by_inclusion(points), abs=1e-12)
    assert hypervolume(points + 2.0, np.full(tasks, 2.0)) == pytest.approx(by_inclusion(points), abs=1e-12)


def test_many_tasks_are_counted_to_a_percent():
    points = np.random.default_rng(6).uniform(0.5, 1, (6, 6))
    assert hypervolume(points) == pytest.approx(by_inclusion(points), rel=0.01)


def test_points_below_the_reference_and_copies_add_nothing():
    points = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, -0.1], [0.4, 0.4]])
    assert hypervolume(points) == 0.25 and hypervolume(points[2:3]) == 0.0
    assert undominated(points).tolist() == [True, True, True, False]


def test_the_knee_of_a_bent_front_is_its_corner():
    along = np.linspace(0, 1, 9)
    points = np.column_stack([along, (1 - along**4) ** 0.25])
    assert points[knee(points)] == pytest.approx([0.84, 0.84], abs=0.06)
    assert points[knee(points[:, ::-1])][0] == points[knee(points)][0]


def test_preferences_are_corners_centre_and_a_spread_between():
    for tasks in (2, 3, 5):
        weights = preferences_of(tasks, 26)
        assert weights.shape == (26, tasks) and (weights >= 0).all()
        assert np.allclose(weights.sum(axis=1), 1)
        assert {tuple(row) for row in np.eye(tasks)} <= {tuple(row) for row in weights}
        assert (np.abs(weights - 1 / tasks).max(axis=1) < 1e-12).sum() == 1
        assert np.allclose(weights.mean(axis=0), 1 / tasks, atol=0.06)
        assert len(np.unique(weights.round(9), axis=0)) == 26
    with pytest.raises(InputError, match="--preferences: found 3; expected 4 or more"):
        preferences_of(3, 3)
