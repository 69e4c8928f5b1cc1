"""The published problem of two tasks: its gradients, its Pareto set, and the way that every balancer goes."""

import numpy as np

from benchmarks.sharing import pareto_toy
from mtlbio.choices.balancers import BALANCERS


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
