"""How many axes: planted programmes are counted, donors with many visits are not."""

from __future__ import annotations

import numpy as np
import pytest
from programmes import plant

from mtlbio.model.parallel import count_axes, generous


@pytest.mark.parametrize("k", [1, 3, 6])
def test_counts_the_planted_programmes(k):
    x, _, _ = plant(k=k)
    assert count_axes(x, np.arange(len(x))) == k


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_next_to_no_axis(seed):
    x = np.random.default_rng(seed).standard_normal((150, 300))
    assert count_axes(x, np.arange(150), seed) <= 2


def repeated(donors: int, visits: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Donors differ, gene by gene without any pattern, and every donor was measured several times."""
    rng = np.random.default_rng([seed, 1])
    donor = np.repeat(np.arange(donors), visits)
    x = rng.standard_normal((donors, 300))[donor] + 0.5 * rng.standard_normal((len(donor), 300))
    return (x - x.mean(axis=0)) / x.std(axis=0), donor


@pytest.mark.parametrize("seed", range(3))
def test_many_visits_of_a_donor_are_no_axis(seed):
    x, donor = repeated(30, 5, seed)
    assert count_axes(x, donor) <= 2
    # what happens where the samples count as independent: donors become axes
    assert count_axes(x, np.arange(len(x))) > 10


def test_programmes_are_counted_in_spite_of_visits():
    rng = np.random.default_rng(5)
    x, donor = repeated(60, 3, 5)
    activity = rng.standard_normal((60, 3))[donor]
    loadings = np.zeros((300, 3))
    for j in range(3):
        loadings[rng.choice(300, 50, replace=False), j] = rng.normal(0, 1.5, 50)
    x = x + activity @ loadings.T
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    assert count_axes(x, donor) == 3
    order = rng.permutation(len(x))
    assert count_axes(x[order], donor[order]) == 3


def test_the_seed_fixes_the_count_and_names_of_donors_do_not_matter():
    x, _, _ = plant(seed=4)
    names = np.array([f"P{i:03d}" for i in range(len(x))])
    assert count_axes(x, names, seed=2) == count_axes(x, np.arange(len(x)), seed=2) == 4


@pytest.mark.parametrize(
    ("counted", "n", "at_most", "wanted"), [(4, 300, 60, 7), (30, 300, 60, 40), (30, 300, 20, 20), (9, 12, 60, 4)]
)
def test_a_few_axes_are_added_but_never_more_than_the_samples_bear(counted, n, at_most, wanted):
    assert generous(counted, n, at_most) == wanted
    assert generous(1, 2, 60) == 1
