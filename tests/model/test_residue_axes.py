"""Canonical axes of h_t: an invertible map that leaves every prediction as it was."""

import numpy as np
import pytest

from mtlbio.model.residue_axes import find_axes, matched, stability, window_letters, window_names


@pytest.fixture
def planted():
    """Two directions of h_t follow letters (the residue itself, the one before it), mixed with two of noise."""
    rng = np.random.default_rng(0)
    letters, offsets = rng.integers(0, 20, 6000).astype(np.uint8), np.arange(0, 6001, 100)
    window = window_letters(letters, offsets)
    names = window_names()
    sources = np.stack([window[:, names.index("L+0")] * 3, window[:, names.index("K-1")] * 3], axis=1)
    sources = np.column_stack([sources, rng.normal(size=(6000, 2))])
    mix = rng.normal(size=(4, 4))
    return sources, sources @ mix + 1.0, window


def test_window_ends_with_the_chain():
    window = window_letters(np.array([0, 1, 20, 3], dtype=np.uint8), np.array([0, 2, 4])).reshape(4, 15, 20)
    names = np.array(window_names()).reshape(15, 20)
    assert sorted(names[window[0] == 1]) == ["A+0", "R+1"]
    assert sorted(names[window[1] == 1]) == ["A-1", "R+0"]
    assert sorted(names[window[2] == 1]) == ["D+1"]  # the unknown residue itself is no letter


def test_axes_find_what_the_letters_tell_and_keep_predictions(planted):
    sources, latents, window = planted
    axes = find_axes(latents, window)
    z = axes(latents)
    assert np.allclose(np.cov(z, rowvar=False, bias=True), np.eye(4), atol=1e-6)
    best = np.abs(np.corrcoef(np.column_stack([sources, z]), rowvar=False)[:2, 4:]).max(axis=1)
    assert best.min() > 0.95
    names = np.array(window_names())
    top = {str(names[np.abs(row).argmax()]) for row in axes.loadings}
    assert {"L+0", "K-1"} <= top
    weight, bias = np.random.default_rng(1).normal(size=(3, 4)), np.array([1.0, 2.0, 3.0])
    w, b = axes.head(weight, bias)
    assert np.allclose(z @ w + b, latents @ weight.T + bias, atol=1e-8)
    assert axes.variance.sum() == pytest.approx(1) and (np.diff(axes.variance) <= 0).all()


def test_replicas_are_turned_onto_the_first(planted):
    _, latents, window = planted
    rng = np.random.default_rng(2)
    other = latents @ rng.normal(size=(4, 4)) - 3.0
    first, second = matched([find_axes(latents, window), find_axes(other, window)], [latents, other])
    z = np.stack([first(latents), second(other)])
    assert (stability(z) > 0.999).all()
    weight = rng.normal(size=(2, 4))
    w, b = second.head(weight, np.zeros(2))
    assert np.allclose(second(other) @ w + b, other @ weight.T, atol=1e-8)
    noise = rng.normal(size=latents.shape)
    strange = matched([find_axes(latents, window), find_axes(noise, window)], [latents, noise])
    assert stability(np.stack([strange[0](latents), strange[1](noise)])).max() < 0.2
    assert np.isnan(stability(z[:1])).all()
