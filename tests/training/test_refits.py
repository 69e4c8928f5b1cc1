"""Copies of the labels in one stack: each is trained as if it were alone, and as the train step would."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from small_training import OPTIONS, TASKS, small_cohort

from mtlbio.cohort.cohort import CovariateInfo, write_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Adversary, Splits
from mtlbio.kinds.schemas import CohortRun
from mtlbio.model.ensemble import FINAL, load_ensemble
from mtlbio.model.latents import latents_table
from mtlbio.tables import SPLITS, write_table
from mtlbio.training.extras import extended
from mtlbio.training.networks import BlockOptions
from mtlbio.training.products import wide_product
from mtlbio.training.refits import Refitter, copies_at_once
from mtlbio.training.replicas import fit
from mtlbio.training.train import train


@pytest.fixture(scope="module")
def cohort():
    return small_cohort()


@pytest.fixture(scope="module")
def splits(cohort):
    return make_splits(cohort, Splits(folds=3))


@pytest.fixture(scope="module")
def refitter(cohort, splits):
    return Refitter.of(cohort, splits, OPTIONS, "cpu")


def shuffled(cohort, seed: int):
    """Every task's labels in another order: missing ones move too."""
    obs = cohort.obs.copy()
    order = np.random.default_rng(seed).permutation(len(obs))
    for name in cohort.tasks:
        obs[name] = cohort.obs[name].to_numpy()[order]
    return replace(cohort, obs=obs)


def test_the_own_labels_give_what_the_train_step_gives(cohort, splits, refitter, tmp_path):
    write_cohort(cohort, tmp_path / "cohort.h5ad")
    write_table(splits, tmp_path / "splits.tsv", SPLITS)
    tasks = {name: {"kind": "regression"} for name in cohort.tasks}
    run = CohortRun.model_validate({"run": "a", "expression": {"path": "x", "scale": "z"}, "tasks": tasks})
    train(run.model_copy(update={"training": OPTIONS.model_copy(update={"single_task": True})}), tmp_path)
    (found,) = refitter.fit([cohort])
    table, saved = latents_table(cohort, splits, found), ad.read_h5ad(tmp_path / "latents.h5ad")
    np.testing.assert_allclose(table.X, saved.X, atol=1e-4)
    np.testing.assert_allclose(table.varm["loadings"], saved.varm["loadings"], atol=1e-5)
    np.testing.assert_allclose(table.var["stability"], saved.var["stability"], atol=1e-5)
    assert table.var["block"].tolist() == saved.var["block"].tolist()
    ensemble = load_ensemble(tmp_path / "model")
    for fold in (*ensemble.folds, FINAL):
        for name in cohort.tasks:
            expected = ensemble.predict(name, cohort.expression, fold)
            np.testing.assert_allclose(found.ensemble.predict(name, cohort.expression, fold), expected, atol=2e-3)


def test_a_stack_of_copies_is_the_same_as_one_after_another(cohort, refitter):
    copies = [cohort, shuffled(cohort, 1), shuffled(cohort, 2)]
    for copy, stacked in zip(copies, refitter.fit(copies), strict=True):
        (alone,) = refitter.fit([copy])
        np.testing.assert_array_equal(stacked.block, alone.block)
        np.testing.assert_allclose(stacked.stability, alone.stability, atol=1e-4)
        for fold in (0, 1, 2, FINAL):
            latents = [canonical.ensemble.latents(cohort.expression, fold) for canonical in (stacked, alone)]
            np.testing.assert_allclose(*latents, atol=2e-3)


@pytest.mark.parametrize("balancing", ["equal", "cagrad", "nash_mtl"])
def test_a_fold_alone_is_the_fold_in_the_stack_to_the_last_digit(splits, balancing):
    """Also where folds have rows, axes and curves of other numbers, and where a solver would enlarge any rounding."""
    pair = small_cohort(tasks=("disease", "age"))
    options = OPTIONS.model_copy(update={"balancing": balancing, "axes": "auto"})
    stack = Refitter.of(pair, splits, options, "cpu")
    (whole,) = stack.refit([pair])
    ranks = [data.basis.shape[1] for data in stack.folds]
    assert len(set(ranks)) > 1
    for i, data in enumerate(stack.folds):
        (alone,) = Refitter.of(pair, splits, options, "cpu", only=[data.fold]).refit([pair])
        np.testing.assert_array_equal(alone.stacking.outputs[0], whole.stacking.outputs[i])


def test_heads_beside_the_tasks_stop_with_their_own_network(furnished):
    cohort, options = furnished
    splits = make_splits(cohort, Splits(folds=3))
    whole, inputs = extended(Refitter.of(cohort, splits, options, "cpu").problem, "dense")
    block = fit(whole, inputs, [0, 1], BlockOptions.of(options))
    losses = block.history[:, 0].nan_to_num()  # (epochs, f, a, s, t)
    last = (losses != losses[-1]).flatten(2).any(2).float()  # (epochs, f): whether anything moves later on
    stopped = [int(moves.sum()) for moves in last.T]
    assert len(set(stopped)) > 1 and max(stopped) == len(losses) - 1


def test_other_labels_move_the_supervised_dimensions_and_leave_the_axes(cohort, splits, refitter):
    own, other = (latents_table(c, splits, refitter.fit([c])[0]) for c in (cohort, shuffled(cohort, 1)))
    axes = (own.var["block"] == "axis").to_numpy()
    np.testing.assert_array_equal(own.X[:, axes], other.X[:, axes])
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(own.X[:, ~axes].T, other.X[:, ~axes].T, strict=True)]
    assert np.abs(correlation).max() < 0.9


def test_label_sets_share_the_features_of_their_fold():
    generator = torch.Generator().manual_seed(0)
    features, weights = torch.randn(2, 5, 3, generator=generator), torch.randn(6, 3, 4, generator=generator)
    expected = torch.stack([features[i % 2] @ weights[i] for i in range(6)])
    torch.testing.assert_close(wide_product(features, weights), expected)
    torch.testing.assert_close(wide_product(features, weights[:2]), expected[:2])


def test_a_stack_takes_at_least_one_copy(refitter):
    assert copies_at_once(refitter) == 4
    wide = replace(refitter.problem, genes=torch.empty(1, 1, 10**8, device="meta"))
    assert copies_at_once(replace(refitter, problem=wide)) == 1


@pytest.fixture(scope="module")
def furnished():
    """A cohort with an auxiliary label and a batch, and options that use both and everything else beside the tasks."""
    made = small_cohort(tasks=("disease", "age", "subtype"))
    batch = np.array(["B1", "B2"], dtype=object)[pd.factorize(made.obs["donor"])[0] % 2]
    cohort = replace(
        made,
        obs=made.obs.assign(batch=pd.Categorical(batch)),
        tasks={name: TASKS[name] for name in ("disease", "age")},
        auxiliary={"subtype": TASKS["subtype"]},
        covariates={"batch": CovariateInfo("batch", "technical", "categorical")},
    )
    adversary = Adversary(covariate="batch", strength=1.0, ramp=10)
    heads = {"adversary": adversary, "reconstruction": 0.5, "masked_genes": 0.5, "paths": ["dense", "curved"]}
    return cohort, OPTIONS.model_copy(update=heads)


def test_a_refit_has_the_heads_beside_the_tasks_that_the_train_step_has(furnished, tmp_path):
    cohort, options = furnished
    splits = make_splits(cohort, Splits(folds=3))
    write_cohort(cohort, tmp_path / "cohort.h5ad")
    write_table(splits, tmp_path / "splits.tsv", SPLITS)
    tasks = {name: {"kind": "regression"} for name in cohort.tasks}
    run = CohortRun.model_validate({"run": "a", "expression": {"path": "x", "scale": "z"}, "tasks": tasks})
    train(run.model_copy(update={"training": options}), tmp_path)
    saved = ad.read_h5ad(tmp_path / "latents.h5ad").X
    plain = options.model_copy(update={"adversary": None, "reconstruction": 0.0, "masked_genes": 0.0})
    with_heads, without = (
        latents_table(c, splits, Refitter.of(c, splits, chosen, "cpu").fit([c])[0]).X
        for c, chosen in ((cohort, options), (replace(cohort, auxiliary={}), plain))
    )
    np.testing.assert_allclose(with_heads, saved, atol=1e-4)
    assert np.abs(without - saved).max() > 0.05


def test_copies_with_heads_beside_the_tasks_do_not_meet(furnished):
    cohort, options = furnished
    refitter = Refitter.of(cohort, make_splits(cohort, Splits(folds=3)), options, "cpu")
    copies = [cohort, shuffled(cohort, 1)]
    for copy, stacked in zip(copies, refitter.fit(copies), strict=True):
        (alone,) = refitter.fit([copy])
        latents = [canonical.ensemble.latents(cohort.expression, 0) for canonical in (stacked, alone)]
        np.testing.assert_allclose(*latents, atol=2e-3)
