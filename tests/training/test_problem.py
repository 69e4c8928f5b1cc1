"""What a fold knows: its training donors, and nothing of the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_training import OPTIONS, folds_of, problem_of, small_cohort

from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.training.networks import BlockOptions
from mtlbio.training.problem import make_targets, prepare_fold
from mtlbio.training.replicas import fit
from mtlbio.training.sparse_heads import fit_sparse_heads


@pytest.fixture(scope="module")
def cohort():
    return small_cohort()


@pytest.fixture(scope="module")
def folds(cohort):
    return folds_of(cohort)


def test_rows_of_a_fold(cohort, folds):
    for data in folds[:2]:
        assert sorted([*data.train, *data.test]) == list(range(len(cohort.obs)))
        assert not set(cohort.donors[data.train]) & set(cohort.donors[data.test])
        assert (data.inner[data.test] == -1).all() and (data.inner[data.train] >= 0).all()
    assert len(folds[2].train) == len(cohort.obs) and len(folds[2].test) == 0


def test_inner_folds_keep_donors_whole(cohort, folds):
    for data in folds:
        for donor in np.unique(cohort.donors):
            assert len(set(data.inner[cohort.donors == donor])) == 1


def test_held_out_donors_change_nothing_that_is_fitted(cohort, folds):
    data = folds[0]
    rng = np.random.default_rng(1)
    expression = cohort.expression.copy()
    expression[data.test] = rng.normal(0, 50, (len(data.test), expression.shape[1]))
    obs = cohort.obs.copy()
    obs.iloc[data.test, obs.columns.get_loc("age")] = 1000.0
    obs.iloc[data.test, obs.columns.get_loc("disease")] = "sick"
    other = replace(cohort, expression=expression, obs=obs)
    splits = make_splits(cohort, Splits(folds=3))
    again = prepare_fold(other, splits, 0, OPTIONS)
    np.testing.assert_array_equal(again.features.genes_idx, data.features.genes_idx)
    for name in ("mean", "scale"):
        np.testing.assert_array_equal(getattr(again.features, name), getattr(data.features, name))
    for name in ("encoder", "loadings", "noise"):
        np.testing.assert_array_equal(getattr(again.axes, name), getattr(data.axes, name))
    for name in ("frequencies", "phase", "mean"):
        np.testing.assert_array_equal(getattr(again.curves, name), getattr(data.curves, name))
    for name in ("basis", "curved_basis", "selected", "inner"):
        np.testing.assert_array_equal(getattr(again, name), getattr(data, name))
    targets = make_targets(other, [again])
    np.testing.assert_array_equal(targets.mean, make_targets(cohort, [data]).mean)
    # heads and blocks too
    before, _ = problem_of(cohort, [data])
    after, _ = problem_of(other, [again])
    for name in ("axes", "genes"):
        first = fit_sparse_heads(before, getattr(before, name), iterations=40)
        second = fit_sparse_heads(after, getattr(after, name), iterations=40)
        torch.testing.assert_close(second.weights, first.weights, atol=1e-5, rtol=1e-4)
        assert torch.equal(second.penalty, first.penalty)
    first, second = (fit(p, p.dense, [0, 1], BlockOptions(4, 20, 20, 0.3)) for p in (before, after))
    torch.testing.assert_close(second.block, first.block, atol=1e-5, rtol=1e-4)
    assert torch.equal(second.best_epoch, first.best_epoch)


def test_regression_targets_are_standardised_on_the_training_donors(cohort, folds):
    targets = make_targets(cohort, folds)
    age = cohort.y("age")
    for f, data in enumerate(folds):
        own = age[data.train]
        own = own[~np.isnan(own)]
        assert np.isclose(targets.mean[f, 1], own.mean()) and np.isclose(targets.scale[f, 1], own.std())
        standard = targets.values[f, data.train, 1][targets.labelled[data.train, 1]]
        np.testing.assert_allclose([standard.mean(), standard.std()], [0, 1], atol=1e-9)
    # classes keep their codes, missing labels are a harmless zero
    np.testing.assert_array_equal(targets.values[0, :, 2], np.nan_to_num(cohort.y("stage")))
    assert (targets.mean[:, [0, 2, 3]] == 0).all() and (targets.scale[:, [0, 2, 3]] == 1).all()
    assert np.isfinite(targets.values).all()


def test_weights_say_who_trains_and_who_validates(cohort, folds):
    problem, targets = problem_of(cohort, folds)
    for f, data in enumerate(folds):
        for s in range(OPTIONS.seeds):
            for t in range(4):
                train, valid = problem.train[f, s, :, t].numpy(), problem.validation[f, s, :, t].numpy()
                np.testing.assert_allclose([train.sum(), valid.sum()], 1.0, atol=1e-5)
                assert not (train * valid).any()
                assert not train[data.test].any() and not valid[data.test].any()
                used = (train + valid) > 0
                assert (used == (targets.labelled[:, t] & (data.inner >= 0))).all()
                assert not set(cohort.donors[train > 0]) & set(cohort.donors[valid > 0])


def test_scores_are_the_data_seen_from_another_side(cohort, folds):
    problem, _ = problem_of(cohort, folds)
    for f, data in enumerate(folds):
        x = data.features.transform(cohort.expression).astype(float)
        dense = problem.dense[f].numpy().astype(float)
        # the top direction of the training donors has variance 1, no other is larger
        values = np.linalg.eigvalsh(dense[data.train].T @ dense[data.train] / len(data.train))
        assert np.isclose(values[-1], 1.0, atol=1e-3)
        gram = x[data.train] @ x[data.train].T
        scale = (gram**2).sum() ** 0.5 / ((dense[data.train] @ dense[data.train].T) ** 2).sum() ** 0.5
        np.testing.assert_allclose(scale * dense[data.train] @ dense[data.train].T, gram, atol=0.02 * gram.max())
        k = data.axes.n_axes
        np.testing.assert_allclose(problem.axes[f, :, :k], x @ data.axes.encoder, atol=1e-3)
        assert (problem.axes[f, :, k:] == 0).all()


def test_order_of_the_samples_does_not_matter(cohort, folds):
    order = np.random.default_rng(2).permutation(len(cohort.obs))
    turned = replace(cohort, expression=cohort.expression[order], obs=cohort.obs.iloc[order])
    other = folds_of(turned)[0]
    data = folds[0]
    assert set(order[other.train]) == set(data.train)
    np.testing.assert_array_equal(other.inner, data.inner[order])
    np.testing.assert_allclose(other.axes.encoder, data.axes.encoder, atol=1e-3)


def test_number_of_axes_follows_the_data(cohort):
    automatic = OPTIONS.model_copy(update={"axes": "auto"})
    data = folds_of(cohort, automatic)[2]
    assert 3 <= data.axes.n_axes <= 8
    assert folds_of(cohort, OPTIONS.model_copy(update={"axes": 2}))[2].axes.n_axes == 2


def test_a_cohort_without_any_axis_can_be_prepared(cohort):
    """A penalty under which every axis dies stands for data without any programme."""
    data = folds_of(cohort, OPTIONS.model_copy(update={"sparsity": 1000.0}))
    assert [d.axes.n_axes for d in data] == [0, 0, 0]
    problem, _ = problem_of(cohort, data)
    assert problem.axes.shape[0] == 3 and torch.isfinite(problem.curved).all()
