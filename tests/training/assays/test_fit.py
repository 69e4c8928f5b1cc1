"""Networks of sets of blocks, weighed for what a donor has: what changes no prediction, and what it is made of."""

from dataclasses import replace

import numpy as np
import pytest
from planted_blocks import OPTIONS, lacking, prepared

from mtlbio.cohort.assays.blocks import of_blocks
from mtlbio.model.block_latents import BlockLatents
from mtlbio.model.ensemble import FINAL
from mtlbio.training.assays.fit import fit_blocks
from mtlbio.training.assays.tables import predictions, predictions_without, rests_on, variance_by_block
from mtlbio.training.fold_parts import arms_of, fit_folds
from mtlbio.training.refits import seeds_of


@pytest.fixture(scope="module")
def cohort_and_splits(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("blocks"))


@pytest.fixture(scope="module")
def fit(cohort_and_splits):
    return fit_blocks(*cohort_and_splits, OPTIONS)


def test_a_block_that_everybody_has_is_what_a_cohort_of_it_alone_gives(fit, cohort_and_splits):
    cohort, splits = cohort_and_splits
    alone = of_blocks(cohort, ["rna"], np.ones(len(cohort.obs), dtype=bool))
    alone = replace(alone, preprocessing={"kind": "cohort", "scale": "log2", "size": None})
    plain = fit_folds(alone, splits, OPTIONS)
    np.testing.assert_array_equal(fit.views["rna",].refit.stacking.outputs, plain.stacking.outputs)
    assert [data.fold for data in plain.folds] == fit.numbers


def test_a_donor_without_a_block_changes_nobody_elses_prediction(fit, cohort_and_splits):
    """A donor who is held out loses proteins: the other held-out donors of that fold stay where they were."""
    cohort, splits = cohort_and_splits
    held_out = (fit.fold == 0) & fit.blocks.have(["proteins"])
    row = int(np.flatnonzero(held_out)[0])
    other = fit_blocks(lacking(cohort, row, "proteins"), splits, OPTIONS)
    others = np.flatnonzero((fit.fold == 0) & (np.arange(len(fit.fold)) != row))
    np.testing.assert_allclose(other.outputs[0][:, :, others], fit.outputs[0][:, :, others], atol=1e-5)
    np.testing.assert_allclose(other.axes[0].values[others], fit.axes[0].values[others], atol=1e-9)
    # the donor is now predicted as without proteins: by the shares of transcripts alone
    alone = fit.stacked.outputs["rna",][0][:, :, row]
    np.testing.assert_allclose(other.outputs[0][:, :, row], alone, atol=1e-5)
    assert np.abs(alone - fit.outputs[0][:, :, row]).max() > 1e-3


def test_dimensions_and_heads_give_the_stacked_predictions_back(fit, tmp_path):
    fit.canonical.latents.save(tmp_path)
    latents = BlockLatents.load(tmp_path)
    tasks, told = fit.cohort.tasks, predictions(fit, ["multitask"], [np.ones(2)], seeds_of(OPTIONS))
    rows = np.flatnonzero(fit.fold == 1)
    found = latents.predict(tasks, "outcome", latents.folds[1].latents[:, rows], 1)
    table = told[(told["task"] == "outcome") & (told["fold"] == 1)].pivot(
        index="sample", columns="seed", values="y_pred"
    )
    np.testing.assert_allclose(found.T, table.loc[fit.cohort.samples[rows]].to_numpy(), atol=1e-5)
    d = len(fit.canonical.dims)
    assert latents.out_of_fold().shape == (len(fit.fold), d) and d == fit.axes[FINAL].axes.n_axes + 2
    whole = latents.folds[0].latents[0][fit.axes[0].train]
    np.testing.assert_allclose(whole.std(axis=0), 1, atol=1e-3)
    np.testing.assert_allclose(whole.mean(axis=0), 0, atol=1e-3)


def test_what_a_prediction_rests_on_is_told(fit):
    table = rests_on(fit)
    lacks = ~fit.blocks.have(["proteins"])
    few = table[table["blocks"] == "rna"]
    assert set(few["sample"]) == set(fit.cohort.samples[lacks]) and 10 <= lacks.sum() <= 20
    assert set(few["network"]) == {"rna"} and (few["share"] == 1).all()
    both = table[table["blocks"] == "rna+proteins"]
    assert {"rna", "proteins"} <= set(both["network"]) and (both["share"] >= 0).all()
    assert len(table[["sample", "task"]].drop_duplicates()) == 2 * len(fit.fold)


def test_predictions_without_a_block_are_of_those_who_have_it(fit):
    names, arms = arms_of(fit.cohort, OPTIONS)
    told, table = predictions(fit, names, arms, [0, 1]), predictions_without(fit, [0, 1])
    have = set(fit.cohort.samples[fit.blocks.have(["proteins"])])
    assert set(table["arm"]) == {"without_rna", "without_proteins"} and set(table["sample"]) == have
    assert set(told["sample"]) == set(fit.cohort.samples) and told["y_pred"].between(0, 1).all()
    keys = ["sample", "task", "seed"]
    both = told.merge(table[table["arm"] == "without_proteins"], on=keys)
    assert len(both) == 2 * 2 * len(have) and (both["y_pred_x"] != both["y_pred_y"]).mean() > 0.9


def test_variance_of_an_axis_is_told_for_each_block(fit):
    table = variance_by_block(fit)
    assert len(table) == 2 * fit.canonical.axes and table["variance"].between(-0.2, 1).all()
    assert set(table["in_block"]) == {"yes", "no"}
    one = table.groupby("dim")["in_block"].apply(lambda calls: (calls == "yes").sum())
    assert one.between(1, 2).all()
