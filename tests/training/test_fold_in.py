"""What is written as one encoder and one head predicts what was trained."""

from __future__ import annotations

import numpy as np
import pytest
from small_training import OPTIONS, folds_of, problem_of, small_cohort

from mtlbio.choices.multitask import PLAIN, MultitaskOptions
from mtlbio.choices.sharing import SHARING
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.model.ensemble import FINAL, load_ensemble, save_ensemble
from mtlbio.model.outputs import Outputs
from mtlbio.training.fold_in import fold_in
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.networks import BlockOptions
from mtlbio.training.predictors import Predictors
from mtlbio.training.problem import prepare_fold
from mtlbio.training.replicas import fit
from mtlbio.training.sparse_heads import fit_sparse_heads
from mtlbio.training.stacking import stack_predictors


def canonical_of(cohort, folds, multitask=PLAIN, shares=None):
    """Everything that training does between the folds and the files."""
    problem, targets = problem_of(cohort, folds)
    heads = {name: fit_sparse_heads(problem, getattr(problem, name), iterations=60) for name in ("axes", "genes")}
    blocks = {
        name: fit(problem, getattr(problem, name), [0, 1], BlockOptions(OPTIONS.block, 40, 15, 0.3, multitask))
        for name in ("dense", "curved")
    }
    stacking = stack_predictors(
        problem, {name: path.outputs for name, path in (heads | blocks).items()}, folds, targets
    )
    for mixture in stacking.mixture.values():
        mixture.shares[:] = mixture.shares if shares is None else shares
    refit = Refit(folds, targets, Predictors(heads, blocks), stacking)
    return fold_in(cohort, refit, [0, 1]), stacking, targets


@pytest.fixture(scope="module")
def cohort():
    return small_cohort()


@pytest.fixture(scope="module")
def made(cohort):
    folds = folds_of(cohort)
    return folds, *canonical_of(cohort, folds)


def assert_same_predictions(cohort, folds, canonical, stacking, targets) -> None:
    packing = Outputs.of(cohort.tasks)
    for i, data in enumerate(folds):
        for t, task in enumerate(packing.tasks):
            trained = stacking.outputs[i, 0][..., packing.outputs[t]].astype(float)
            expected = task.to_prediction(trained, targets.mean[i, t], targets.scale[i, t])
            found = canonical.ensemble.predict(task.name, cohort.expression, data.fold)
            np.testing.assert_allclose(found / targets.scale[i, t], expected / targets.scale[i, t], atol=1e-5)


def test_predictions_stay_the_same(cohort, made):
    assert_same_predictions(cohort, *made)


@pytest.mark.parametrize("axes_of_the_folds", [(3, 6, 4), (6, 2, 4), (5, 5, 1)])
def test_predictions_stay_the_same_where_folds_have_more_or_fewer_axes(cohort, axes_of_the_folds):
    splits = make_splits(cohort, Splits(folds=3))
    folds = [
        prepare_fold(cohort, splits, fold, OPTIONS.model_copy(update={"axes": k, "sparsity": 0.5}))
        for fold, k in zip((0, 1, FINAL), axes_of_the_folds, strict=True)
    ]
    assert [data.axes.n_axes for data in folds] == list(axes_of_the_folds)
    canonical, stacking, targets = canonical_of(cohort, folds)
    assert_same_predictions(cohort, folds, canonical, stacking, targets)
    assert len(canonical.ensemble.dims) == axes_of_the_folds[2] + 6


@pytest.mark.parametrize("sharing", [name for name in SHARING if name != "hard"])
def test_predictions_stay_the_same_under_every_sharing_scheme(cohort, made, sharing, tmp_path):
    folds = made[0]
    canonical, stacking, targets = canonical_of(cohort, folds, MultitaskOptions(sharing))
    assert_same_predictions(cohort, folds, canonical, stacking, targets)
    save_ensemble(canonical.ensemble, tmp_path / "model", {})
    back = load_ensemble(tmp_path / "model")
    for fold, model in canonical.ensemble.models.items():
        assert (model.gated is not None) == (sharing in ("mmoe", "ple", "attention"))
        latents = canonical.ensemble.latents(cohort.expression[folds[2].train], fold)
        np.testing.assert_allclose(back.latents(cohort.expression, fold), latents, atol=1e-4)
        if fold == FINAL:
            np.testing.assert_allclose(latents.mean(axis=1), 0, atol=1e-4)
            np.testing.assert_allclose(latents.std(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("sharing", ["hard", "ple"])
def test_a_block_that_the_mixture_does_not_read_is_still_what_the_dense_path_says(cohort, made, sharing):
    folds = made[0]
    canonical = canonical_of(cohort, folds, MultitaskOptions(sharing), shares=(1, 0, 0, 0))[0]
    problem = problem_of(cohort, folds)[0]
    dense = fit(problem, problem.dense, [0, 1], BlockOptions(OPTIONS.block, 40, 15, 0.3, MultitaskOptions(sharing)))
    n_axes = int((canonical.block == "axis").sum())
    assert (canonical.ensemble.models[FINAL].weights[:, n_axes:] == 0).all()
    found = canonical.ensemble.latents(cohort.expression)[:, :, n_axes]
    expected = dense.outputs[2, 0, :, :, 0].numpy().astype(float)
    for own, said in zip(found, expected, strict=True):
        assert np.corrcoef(own, said)[0, 1] > 1 - 1e-9


def test_dimensions_have_mean_0_and_variance_1_on_the_training_donors(cohort, made):
    folds, canonical, _, _ = made
    for data in folds:
        latents = canonical.ensemble.latents(cohort.expression[data.train], data.fold)
        np.testing.assert_allclose(latents.mean(axis=1), 0, atol=1e-4)
        np.testing.assert_allclose(latents.std(axis=1), 1, atol=1e-3)


def test_axes_of_the_folds_point_the_same_way(cohort, made):
    folds, canonical, _, _ = made
    final = canonical.ensemble.latents(cohort.expression)[0]
    strong = np.flatnonzero((canonical.block == "axis") & (canonical.stability > 0.8))
    assert len(strong) >= 4
    for data in folds[:2]:
        own = canonical.ensemble.latents(cohort.expression, data.fold)[0]
        correlation = [np.corrcoef(own[:, d], final[:, d])[0, 1] for d in strong]
        assert min(correlation) > 0.7
    assert (canonical.stability >= 0).all() and (canonical.stability <= 1 + 1e-6).all()


def test_a_supervised_dimension_feeds_its_own_column_only(made):
    _, canonical, _, _ = made
    n_axes = int((canonical.block == "axis").sum())
    assert canonical.block.tolist() == ["axis"] * n_axes + ["supervised"] * 6
    assert canonical.task.tolist() == [""] * n_axes + ["disease", "age", "stage", "subtype", "subtype", "subtype"]
    for model in canonical.ensemble.models.values():
        own = model.weights[:, n_axes:]
        assert (own[:, ~np.eye(6, dtype=bool)] == 0).all()
        assert (own[:, np.eye(6, dtype=bool)] >= 0).all()


def test_loadings_of_axes_are_those_of_the_final_model_and_of_the_block_correlations(cohort, made):
    folds, canonical, _, _ = made
    features, axes = folds[2].features, folds[2].axes
    n_axes = axes.n_axes
    np.testing.assert_allclose(canonical.loadings[:n_axes, features.genes_idx], axes.loadings.T, rtol=1e-6)
    unused = np.setdiff1d(np.arange(len(cohort.genes)), features.genes_idx)
    assert (canonical.loadings[:, unused] == 0).all()
    block = canonical.ensemble.latents(cohort.expression)[:, :, n_axes].mean(axis=0)
    expected = [np.corrcoef(block, cohort.expression[:, g])[0, 1] for g in features.genes_idx]
    np.testing.assert_allclose(canonical.loadings[n_axes, features.genes_idx], expected, atol=1e-4)
