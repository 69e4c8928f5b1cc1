"""The benchmarks of the balancers: the published problem, the ways that are timed, and pairs of digits."""

import balancing_cost
import digits
import numpy as np
import pandas as pd
import pareto_toy
import pytest
import torch

from mtlbio.choices.balancers import BALANCERS
from mtlbio.training.networks import BlockOptions
from mtlbio.training.replicas import fit


def test_gradients_of_the_toy_are_its_slopes():
    points = np.random.default_rng(0).uniform(-9, 9, (200, 2))
    moved = [
        (pareto_toy.gradients_of(points + shift)[0] - pareto_toy.gradients_of(points - shift)[0]) / 2e-6
        for shift in 1e-6 * np.eye(2)
    ]
    np.testing.assert_allclose(pareto_toy.gradients_of(points)[1], np.stack(moved, 2), atol=1e-6)


def test_pareto_set_of_the_toy_is_the_published_one():
    front = pareto_toy.pareto_set(101)
    losses, slopes = pareto_toy.gradients_of(front)
    # the gradients oppose each other, and going along the set trades one loss for the other
    assert np.abs(np.linalg.det(slopes)).max() < 1e-9
    assert ((slopes[:, 0] * slopes[:, 1]).sum(1) <= 1e-9).all()
    assert (np.diff(losses[:, 0]) < 0).all() and (np.diff(losses[:, 1]) > 0).all()
    # the height that both papers' code draws
    np.testing.assert_allclose(front[50], [0, -8.3552], atol=2e-4)


def test_every_balancer_descends_the_toy():
    for name in BALANCERS:
        distance, arrival = pareto_toy.descend(name, 60, 0.01, **pareto_toy.OPTIONS.get(name, {}))
        assert distance.shape == arrival.shape == (8,) and np.isfinite(distance).all()
        # (-8.5, -5) lies below the walls: every method comes nearer, by Adam's step of .01 along x_2 at least
        start = np.linalg.norm(np.array([-8.5, -5.0]) - pareto_toy.pareto_set(), axis=1).min()
        assert 0.2 < start - distance[1] < 60 * 0.01 * np.sqrt(2) + 1e-6, name
        assert np.isinf(arrival).all()


def test_starts_on_the_far_side_of_the_walls_arrive_with_larger_steps():
    distance, arrival = pareto_toy.descend("equal", 1500, 0.01)
    assert distance[1] < 0.05 and arrival[1] <= 1000


def test_published_rows_name_methods():
    assert set(pareto_toy.PUBLISHED) <= set(BALANCERS)
    assert {len(shown) for shown in pareto_toy.PUBLISHED.values()} == {3}


def test_the_bare_stack_is_the_plain_sum():
    problem = balancing_cost.problem_of(3, 30, 10, folds=2, seeds=2)
    plain = fit(problem, problem.dense, [0, 1], BlockOptions(4, 10, 10**9, 0.3))
    with balancing_cost.patch.object(balancing_cost.networks, "Weighing", balancing_cost.Bare):
        bare = fit(problem, problem.dense, [0, 1], BlockOptions(4, 10, 10**9, 0.3))
    torch.testing.assert_close(bare.outputs, plain.outputs, rtol=0, atol=0)
    assert bare.gradients is None and plain.gradients is not None


def test_costs_are_a_row_per_method(monkeypatch):
    for name, small in (("FOLDS", 2), ("SEEDS", 2), ("REPEATS", 1)):
        monkeypatch.setattr(balancing_cost, name, small)
    small = balancing_cost.problem_of(3, 30, 10, folds=2, seeds=2)
    monkeypatch.setattr(balancing_cost, "problem_of", lambda *sizes: small)
    table = balancing_cost.measured(3, False, ("famo", "pcgrad", "upgrad")).set_index("method")
    assert table.index.tolist() == ["plain", "famo", "pcgrad", "upgrad"]
    assert (table.loc["plain", ["trunk", "torchjd"]] == 1).all() and (table["us, trunk"] > 0).all()
    assert table.loc["famo", ["representation", "torchjd"]].isna().all()
    assert table.loc[["pcgrad", "upgrad"], ["trunk", "representation"]].notna().all(axis=None)
    assert table.loc["pcgrad", "torchjd"] > 0


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
