"""Pairs of digits: what they show, what is learnt of them, and how methods are compared."""

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.sharing import digits


def test_a_pair_of_digits_is_both_of_them():
    images, labels = np.zeros((2, 8, 8)), np.array([3, 7])
    images[0, 0, 0], images[1, 0, 0] = 16, 8
    pixels, found = digits.overlaid(images, labels, 50, np.random.default_rng(0))
    canvas = pixels.reshape(50, 11, 11)
    brightness = {3: 1.0, 7: 0.5}
    np.testing.assert_array_equal(canvas[:, 0, 0], [brightness[left] for left in found[:, 0]])
    np.testing.assert_array_equal(canvas[:, 3, 3], [brightness[right] for right in found[:, 1]])
    assert (canvas.reshape(50, -1) > 0).sum(1).tolist() == [2] * 50


def test_losses_of_digits_are_those_of_one_network():
    (pixels, labels), _ = digits.replica_data(2, 20, 10)
    parameters = digits.start(2, 5)
    hidden, shift, heads, offset = (value[1] for value in parameters)
    seen = (pixels[1] @ hidden + shift).relu()
    for task in range(2):
        alone = torch.nn.functional.cross_entropy(seen @ heads[task] + offset[task], labels[1][:, task])
        torch.testing.assert_close(digits.losses_of(parameters, pixels, labels)[1, task], alone)


@pytest.mark.parametrize("name", ["uncertainty", "upgrad"])
def test_a_replica_of_the_digits_learns_alone_as_among_others(name):
    data = digits.replica_data(3, 200, 200)
    together = digits.accuracy(name, data, 16, 40)
    assert (together > 0.4).all()
    alone = digits.accuracy(name, [(x[:1], y[:1]) for x, y in data], 16, 40)
    assert abs(alone[0] - together[0]) <= 0.01


def test_a_difference_is_paired_and_all_intervals_hold_together():
    base = np.array([0.1, 0.5, 0.9, 0.4])
    table = digits.compared(
        {"equal": base, "worse": base - [0.1, 0.11, 0.1, 0.09], "same": base + [0.1, -0.1, 0.1, -0.1]}
    )
    assert isinstance(table, pd.DataFrame)
    assert table["all together"].tolist() == ["", "differs", "as the plain sum"]
    assert table["difference"].tolist() == ["", "-0.100", "+0.000"]
