"""The verdict on sharing where there is nothing to find: what is counted is what a user would read."""

import numpy as np

from benchmarks.sharing import transfer_null
from mtlbio.config import Training


def test_simulated_arms_are_equally_good_and_differ():
    tasks = [[transfer_null.simulated(*about, 200, s) for about in transfer_null.SIMULATED.values()] for s in range(40)]
    for t in range(2):
        errors = []
        for both in tasks:
            first, second = both[t].arms["multitask"], both[t].arms["singletask"]
            assert not np.allclose(first, second)
            errors.append(np.square(first - both[t].y).mean() - np.square(second - both[t].y).mean())
        assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors))


def test_widening_is_put_back_and_takes_words_away():
    counts = {True: 0, False: 0}
    own = transfer_null.room.expanded
    for seed in range(60):
        tasks = [transfer_null.simulated(*about, 40, seed) for about in transfer_null.SIMULATED.values()]
        told = {widened: transfer_null.wrong(tasks, seed, widened) for widened in counts}
        assert told[False] or not told[True]  # a wider interval says nothing that a narrower one does not
        counts = {widened: counts[widened] + told[widened] for widened in counts}
    assert transfer_null.room.expanded is own
    assert counts[True] <= 7  # 5 % of 60 and two standard errors


def test_two_trainings_of_the_same_networks_are_compared():
    tasks = transfer_null.trained(0, Training(seeds=1, epochs=60, max_axes=4, curves=20), 40, 300, 2)
    assert [t.task.name for t in tasks] == list(transfer_null.TASKS)
    for task in tasks:
        first, second = task.arms["multitask"], task.arms["singletask"]
        assert not np.array_equal(first, second)
        known = ~np.isnan(task.y)
        assert np.isfinite(first[known]).all() and np.corrcoef(first[known], second[known])[0, 1] > 0.3


def test_a_count_is_told_with_its_interval():
    assert transfer_null.told(2, 60) == "2 of 60 cohorts (3.3%, 0.9% to 11.4%)"
