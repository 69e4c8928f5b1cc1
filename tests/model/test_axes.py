"""Gene-sparse axes: what was planted comes back, what was not vanishes."""

from __future__ import annotations

import numpy as np
import pytest
from programmes import best_r2, plant

from mtlbio.model.axes import sparse_axes
from mtlbio.model.rotation import rotated_start


@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_programmes_come_back_in_samples_never_seen(seed, correlation):
    x, activity, _ = plant(correlation=correlation, seed=seed)
    axes = sparse_axes(x[:140], rotated_start(x[:140], 8))
    assert best_r2(x[140:] @ axes.encoder, activity[140:]).min() >= 0.9


def test_sparse_axes_follow_correlated_programmes_better_than_their_start():
    gain = []
    for seed in range(4):
        x, activity, _ = plant(correlation=0.7, seed=seed)
        start = rotated_start(x, 4)
        gain.append(best_r2(x @ sparse_axes(x, start).encoder, activity)[:2] - best_r2(start[0], activity)[:2])
    assert np.mean(gain) > 0.01


def test_slack_axes_vanish():
    x, activity, _ = plant()
    axes = sparse_axes(x, rotated_start(x, 12))
    assert 4 <= axes.n_axes <= 6
    assert best_r2(x @ axes.encoder, activity).min() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_pure_noise_leaves_hardly_any_axis(seed):
    x = np.random.default_rng(seed).standard_normal((200, 300))
    axes = sparse_axes(x, rotated_start(x, 10))
    assert axes.n_axes <= 2
    assert np.isfinite(axes.encoder).all()
    # what is left of them explains next to nothing
    assert (axes.loadings**2).sum() / 300 < 0.02


def test_a_stronger_penalty_leaves_fewer_genes_and_none_at_all_in_the_end():
    x, _, _ = plant()
    start = rotated_start(x, 6)
    genes = [int((sparse_axes(x, start, sparsity).loadings != 0).sum()) for sparsity in (0.0, 2.0, 5.0)]
    assert genes[0] > genes[1] > genes[2] > 0
    none = sparse_axes(x, start, sparsity=100.0)
    assert none.n_axes == 0 and none.encoder.shape == (300, 0)


def test_loadings_are_sparse_where_nothing_was_planted():
    x, _, loadings = plant()
    axes = sparse_axes(x, rotated_start(x, 4))
    partner = np.abs(np.corrcoef(loadings, axes.loadings, rowvar=False)[:4, 4:]).argmax(axis=1)
    found = axes.loadings[:, partner]
    idle = found[loadings == 0]
    assert (idle == 0).mean() > 0.8
    assert np.abs(idle).max() < 0.2 and (np.abs(idle) > 0.05).mean() < 0.05
    assert (found[np.abs(loadings) > 0.3] != 0).mean() > 0.99


def test_latents_have_mean_square_one_the_strongest_first_and_the_heavy_tail_positive():
    x, _, _ = plant()
    axes = sparse_axes(x, rotated_start(x, 6))
    np.testing.assert_allclose(((x @ axes.encoder) ** 2).mean(axis=0), 1.0, atol=1e-9)
    strength = (axes.loadings**2).sum(axis=0)
    assert (np.diff(strength) <= 0).all()
    assert ((axes.loadings**3).sum(axis=0) > 0).all()


def test_latents_and_loadings_reconstruct_what_was_planted():
    x, activity, loadings = plant()
    axes = sparse_axes(x, rotated_start(x, 6))
    signal = activity @ loadings.T
    error = ((x @ axes.encoder) @ axes.loadings.T - (signal - signal.mean(axis=0))) ** 2
    assert error.sum() / (signal**2).sum() < 0.15
    residual = ((x - (x @ axes.encoder) @ axes.loadings.T) ** 2).mean(axis=0)
    np.testing.assert_allclose(axes.noise, residual, atol=0.1)


def test_order_of_the_samples_and_signs_of_the_start_do_not_matter():
    x, _, _ = plant()
    scores, loadings = rotated_start(x, 6)
    axes = sparse_axes(x, (scores, loadings))
    order = np.random.default_rng(1).permutation(len(x))
    shuffled = sparse_axes(x[order], (scores[order], loadings))
    np.testing.assert_allclose(shuffled.encoder, axes.encoder, atol=1e-8)
    sign = np.array([1, -1, -1, 1, -1, 1.0])
    flipped = sparse_axes(x, (scores * sign, loadings * sign))
    np.testing.assert_allclose(flipped.encoder, axes.encoder, atol=1e-8)
    np.testing.assert_allclose(flipped.loadings, axes.loadings, atol=1e-8)


def test_nearly_constant_and_empty_genes_do_no_harm():
    x, activity, _ = plant()
    x[:, 0], x[:, 1] = 0.0, 1e-7 * x[:, 1]
    x[:, 2] = x[:, 3]  # two probes of one transcript
    axes = sparse_axes(x, rotated_start(x, 6))
    assert np.isfinite(axes.encoder).all() and np.isfinite(axes.loadings).all()
    assert (axes.loadings[:2] == 0).all()
    assert best_r2(x @ axes.encoder, activity).min() > 0.9


@pytest.mark.parametrize("jitter", [0.0, 0.05])
def test_split_axes_do_not_run_away(jitter):
    """Every programme starts as two axes that share it: they once grew without bound in opposite directions."""
    x, activity, _ = plant()
    scores, loadings = rotated_start(x, 4)
    rng = np.random.default_rng(0)
    twice = np.concatenate([scores, scores + jitter * rng.standard_normal(scores.shape)], axis=1)
    halves = np.concatenate([0.5 * loadings, 0.5 * loadings], axis=1)
    axes = sparse_axes(x, (twice, halves))
    # genes have variance 1: a loading far above 1 is paid for by one of the opposite sign on a twin axis
    assert np.abs(axes.loadings).max() < 1.5
    assert (axes.loadings**2).sum(axis=0).max() < 40
    assert ((axes.loadings @ axes.loadings.T) ** 2).mean() < 0.1
    assert best_r2(x @ axes.encoder, activity).min() > 0.85


def test_axes_of_a_strongly_correlated_cohort_stay_bounded():
    """Real expression has one dominant direction and many small ones; axes far beyond the rank must stay tame."""
    rng = np.random.default_rng(3)
    common = rng.standard_normal((80, 1))
    x = 2 * common * rng.uniform(0.5, 1, (1, 400)) + rng.standard_normal((80, 10)) @ rng.standard_normal((10, 400))
    x = x + 0.3 * rng.standard_normal((80, 400))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    axes = sparse_axes(x, rotated_start(x, 26))
    assert np.abs(axes.loadings).max() < 2
    assert np.abs(x @ axes.encoder).max() < 10
