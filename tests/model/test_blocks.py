import numpy as np
from scipy.stats import ortho_group

from mtlbio.model.blocks import Replicas, block_of, find_blocks, standardised
from mtlbio.model.matching import match_axes

N, K, FOLDS = 100, 7, 5


def turning(groups=(), noise=0.0, oblique=0.0, weak=(), seed=0):
    """Axes of five folds: ``groups`` turn at random in each, ``weak`` ones are noise that no fold finds again."""
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=(N, K))
    reference[:, 1] += oblique * reference[:, 0]
    fold = np.arange(N) % FOLDS
    folds, correlations = [], []
    for f in range(FOLDS):
        turn = np.eye(K)
        for group in groups:
            turn[np.ix_(group, group)] = (
                ortho_group.rvs(len(group), random_state=rng) if len(group) > 2 else plane(rng.uniform(37, 45), rng)
            )
        own = reference @ turn + noise * rng.normal(size=(N, K))
        own[:, list(weak)] = rng.normal(size=(N, len(weak)))
        matching = match_axes(reference[fold != f], own[fold != f])
        folds.append(own @ matching.transfer)
        correlations.append(matching.correlation)
    test = fold[None] == np.arange(FOLDS)[:, None]
    return Replicas(reference, np.arange(FOLDS), np.stack(folds), ~test, test), np.median(correlations, axis=0)


def plane(degrees, rng):
    angle = np.deg2rad(degrees) * rng.choice([-1, 1])
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_axes_that_turn_are_a_block_and_the_others_are_not():
    found, stability = turning([(1, 4)], noise=0.2)
    assert (stability[[1, 4]] < 0.8).all() and (np.delete(stability, [1, 4]) > 0.95).all()
    (block,) = find_blocks(found, stability)
    assert block.dims == (1, 4) and block.stable and block.stability > 0.93
    assert block.cca > 0.9 and block.cka > 0.9 and 1.9 < block.effective_rank <= 2
    np.testing.assert_allclose(np.cov(block.latents, rowvar=False), np.eye(2), atol=0.25)


def test_two_blocks_and_one_of_four_axes():
    found, stability = turning([(0, 5), (1, 2, 3, 6)], noise=0.1, seed=3)
    assert [b.dims for b in find_blocks(found, stability)] == [(0, 5), (1, 2, 3, 6)]


def test_noise_and_correlated_axes_do_not_make_a_block():
    found, stability = turning(weak=(2, 3, 6), oblique=1.0, noise=0.3, seed=1)
    assert (stability[[2, 3, 6]] < 0.5).all()
    assert find_blocks(found, stability) == []
    assert not block_of(found, (2, 3)).stable and block_of(found, (2, 3)).stability < 0.3


def test_axes_that_are_only_noisy_gain_nothing_from_each_other():
    found, stability = turning(noise=0.9, seed=4)
    assert (stability < 0.85).all() and (stability < 0.8).sum() >= 5
    assert find_blocks(found, stability) == []


def test_a_plane_of_which_one_direction_is_lost_is_not_stable():
    found, stability = turning([(1, 4)], seed=2)
    lost = found.folds.copy()
    lost[:, :, 4] = np.random.default_rng(0).normal(size=lost.shape[:2])
    block = block_of(Replicas(found.reference, found.numbers, lost, found.train, found.test), (1, 4))
    assert not block.stable and block.cca > block.stability**2


def test_the_block_is_the_same_for_any_axes_of_the_reference():
    found, _ = turning([(1, 4)], noise=0.2)
    block, mapped = block_of(found, (1, 4)), found.reference.copy()
    mapped[:, [1, 4]] = mapped[:, [1, 4]] @ np.array([[2.0, 0.3], [-1.0, 0.5]])
    other = block_of(Replicas(mapped, found.numbers, found.folds, found.train, found.test), (1, 4))
    np.testing.assert_allclose([other.stability, other.cca], [block.stability, block.cca], rtol=1e-6)
    turn = np.linalg.lstsq(block.latents, other.latents, rcond=None)[0]
    np.testing.assert_allclose(turn @ turn.T, np.eye(2), atol=1e-6)
    np.testing.assert_allclose(block.latents @ turn, other.latents, atol=1e-6)


def test_what_does_not_vary_where_it_is_scaled_is_only_centred():
    rng, rows = np.random.default_rng(0), np.arange(50) < 30
    values = rng.normal(3.0, 2.0, (50, 3))
    values[rows, 1] = 0.1  # a tenth thirty times: its spread in floating point need not be nought
    values[:, 2] = 7.0
    scaled = standardised(values, rows)
    np.testing.assert_allclose(scaled[rows].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled[rows].std(axis=0), [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(scaled[~rows, 1], values[~rows, 1] - 0.1)
    np.testing.assert_array_equal(scaled[:, 2], 0)
    np.testing.assert_array_equal(standardised(values)[:, 0], standardised(values, np.ones(50, dtype=bool))[:, 0])
